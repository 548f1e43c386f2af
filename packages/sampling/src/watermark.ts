/**
 * Watermark of Kirchenbauer et al. 2023, token for token as in Hugging Face, so that their detector finds it: a hash
 * of the last token seeds a Mersenne twister whose permutation of the vocabulary marks a "green" share to favour.
 */
import type { Candidates } from './candidates.js'
import { ParameterError } from './errors.js'
import { integer, number } from './lib/check.js'
import type { Sampler } from './sampler.js'

export interface WatermarkOptions {
  /** Share of green tokens. HF `greenlist_ratio` 0.25. */
  ratio?: number
  /** Added to green logits. HF `bias` 2. */
  bias?: number
  /** HF `hashing_key` 15485863. */
  key?: number
  /** 'lefthash' looks at the last token, 'selfhash' at the candidate too (40 likeliest). HF 'lefthash'. */
  scheme?: 'lefthash' | 'selfhash'
  /** Tokens that 'selfhash' looks at. HF `context_width` 1. */
  contextWidth?: number
}

const TABLE_SIZE = 1_000_003

/**
 * @example
 * chain(topK(40), temperature(0.8), watermark({ bias: 2.5 }), categorical({ seed: 1 }))
 */
export function watermark(options: WatermarkOptions = {}): Sampler {
  const { ratio = 0.25, bias = 2, key = 15485863, scheme = 'lefthash', contextWidth = 1 } = options
  if (!(ratio > 0 && ratio < 1)) throw new ParameterError('watermark', 'ratio', ratio, 'between 0 and 1, both excluded')
  number('watermark', 'bias', bias, -Number.MAX_VALUE, Number.MAX_VALUE)
  integer('watermark', 'key', key, 1)
  integer('watermark', 'contextWidth', contextWidth, 1)
  if (scheme !== 'lefthash' && scheme !== 'selfhash') {
    throw new ParameterError('watermark', 'scheme', scheme, "'lefthash' or 'selfhash'")
  }
  const green = new GreenList(ratio, key)
  return {
    name: 'watermark',
    apply(candidates, { tokens }) {
      if (tokens.length < contextWidth) return
      if (scheme === 'lefthash') {
        const listed = green.after(BigInt(key) * BigInt(tokens[tokens.length - 1]!), candidates.vocabSize)
        favour(candidates, token => listed[token] === 1, bias)
      } else {
        favour(candidates, selfGreen(candidates, tokens, green, contextWidth), bias)
      }
    },
  }
}

function favour(candidates: Candidates, isGreen: (token: number) => boolean, bias: number): void {
  const { logits, ids, size } = candidates
  for (let i = 0; i < size; i++) if (isGreen(ids[i]!)) logits[i] = logits[i]! + bias
  candidates.changed('watermark')
}

/** Of the 40 likeliest candidates, those that are green when they themselves are hashed. */
function selfGreen(
  candidates: Candidates,
  tokens: Int32Array,
  green: GreenList,
  width: number,
): (token: number) => boolean {
  const { ids, logits, size } = candidates
  const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => logits[b]! - logits[a]!)
  const chosen = new Set<number>()
  for (const i of order.slice(0, 40)) {
    const token = ids[i]!
    const window = [...tokens, token].slice(-width)
    if (green.after(green.selfSeed(window), candidates.vocabSize)[token] === 1) chosen.add(token)
  }
  return token => chosen.has(token)
}

class GreenList {
  readonly #twister = new MersenneTwister()
  readonly #ratio: number
  readonly #key: number
  #permutation: Uint32Array = new Uint32Array(0)
  #marks: Uint8Array = new Uint8Array(0)
  #table: Uint32Array | undefined

  constructor(ratio: number, key: number) {
    this.#ratio = ratio
    this.#key = key
  }

  /** 1 for each green token. Reused by the next call. */
  after(seed: bigint, vocabSize: number): Uint8Array {
    if (this.#marks.length !== vocabSize) {
      this.#marks = new Uint8Array(vocabSize)
      this.#permutation = new Uint32Array(vocabSize)
    }
    const count = Math.trunc(vocabSize * this.#ratio)
    // Python's seed % (2^64 - 1), of which the twister takes the low 32 bits
    const modulus = 2n ** 64n - 1n
    this.#twister.seed(Number((((seed % modulus) + modulus) % modulus) & 0xffffffffn))
    shuffle(this.#permutation, count, this.#twister)
    this.#marks.fill(0)
    for (let i = 0; i < count; i++) this.#marks[this.#permutation[i]!] = 1
    return this.#marks
  }

  selfSeed(window: readonly number[]): bigint {
    if (!this.#table) {
      this.#table = new Uint32Array(TABLE_SIZE)
      this.#twister.seed(this.#key >>> 0)
      shuffle(this.#table, TABLE_SIZE, this.#twister)
    }
    const table = this.#table
    const last = BigInt(table[window[window.length - 1]! % TABLE_SIZE]! + 1)
    // 64-bit products wrap as in the original
    let least: bigint | undefined
    for (const token of window) {
      const seed = BigInt.asIntN(64, BigInt(this.#key) * BigInt(table[token % TABLE_SIZE]! + 1) * last)
      if (least === undefined || seed < least) least = seed
    }
    return least ?? 0n
  }
}

/** The first `count` places of a random permutation of 0…n-1 (Fisher and Yates, as `torch.randperm` draws it). */
function shuffle(out: Uint32Array, count: number, twister: MersenneTwister): void {
  const n = out.length
  for (let i = 0; i < n; i++) out[i] = i
  for (let i = 0; i < Math.min(count, n - 1); i++) {
    const j = i + (twister.next() % (n - i))
    const kept = out[i]!
    out[i] = out[j]!
    out[j] = kept
  }
}

/** MT19937 (Matsumoto and Nishimura 1998). Only for the watermark: the draws of samplers are counter-based. */
class MersenneTwister {
  readonly #state = new Uint32Array(624)
  #at = 624

  seed(seed: number): void {
    const s = this.#state
    s[0] = seed
    for (let i = 1; i < 624; i++) {
      const x = s[i - 1]! ^ (s[i - 1]! >>> 30)
      s[i] = Math.imul(1812433253, x) + i
    }
    this.#at = 624
  }

  next(): number {
    if (this.#at === 624) this.#twist()
    let y = this.#state[this.#at++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  #twist(): void {
    const s = this.#state
    for (let i = 0; i < 624; i++) {
      const y = (s[i]! & 0x80000000) | (s[(i + 1) % 624]! & 0x7fffffff)
      s[i] = s[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.#at = 0
  }
}
