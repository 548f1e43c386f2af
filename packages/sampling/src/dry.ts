/**
 * DRY, "don't repeat yourself" (p-e-w, 2024): penalises a token that would extend a repetition of earlier text, the
 * more the longer the repetition. Sequence breakers end a repetition, so names and formatting are left alone.
 */
import type { Candidates } from './candidates.js'
import type { SamplingContext } from './context.js'
import { ParameterError } from './errors.js'
import { integer, number, tokenId } from './lib/check.js'
import { pow } from './lib/numeric.js'
import type { Sampler } from './sampler.js'

export interface DryOptions {
  /** Strength. llama.cpp `dry_multiplier` 0: off; 0.8 is usual. */
  multiplier: number
  /** Growth per token of repetition. llama.cpp `dry_base` 1.75; below 1: off. */
  base?: number
  /** Repetitions up to so many tokens are free. llama.cpp `dry_allowed_length` 2. */
  allowedLength?: number
  /** How far to look back, in tokens; -1 all, 0 off. llama.cpp `dry_penalty_last_n` 64. */
  lastN?: number
  /** Token sequences that end a repetition; make them from texts with `sequenceBreakers`. */
  breakers?: Iterable<readonly number[]>
}

/** The texts that break sequences in llama.cpp by default. */
export const DRY_BREAKERS: readonly string[] = ['\n', ':', '"', '*']

/**
 * @example
 * chain(dry({ multiplier: 0.8, breakers: [[198], [25]] }), topK(40), categorical({ seed: 1 }))
 */
export function dry(options: DryOptions): Sampler {
  const { multiplier, base = 1.75, allowedLength = 2, lastN = 64, breakers = [] } = options
  number('dry', 'multiplier', multiplier, 0, Number.MAX_VALUE)
  number('dry', 'base', base, 0, Number.MAX_VALUE)
  integer('dry', 'allowedLength', allowedLength, 0)
  integer('dry', 'lastN', lastN, -1)
  /** Tails of the breakers by their first token. */
  const byHead = new Map<number, number[][]>()
  for (const [head, ...tail] of breakers) {
    if (head === undefined) throw new ParameterError('dry', 'breakers', [], 'sequences of at least one token')
    const tails = byHead.get(tokenId('dry', 'breaker token', head)) ?? []
    tails.push(tail)
    byHead.set(head, tails)
  }
  if (multiplier === 0 || base < 1 || lastN === 0) return { name: 'dry', apply() {} }
  let matches = new Int32Array(0)
  return {
    name: 'dry',
    apply(candidates, context) {
      const n = lastN < 0 ? context.length : Math.min(lastN, context.length)
      if (n <= allowedLength) return
      const limit = breakerDistance(context, n, byHead)
      if (limit < allowedLength) return
      if (matches.length < n) matches = new Int32Array(2 * n)
      suffixMatches(context, n, matches)
      penalise(candidates, longestByToken(context, n, matches, limit, allowedLength))
    },
    clone: () => dry(options),
  }

  function penalise(candidates: Candidates, longest: ReadonlyMap<number, number>): void {
    for (const [token, length] of longest) {
      const i = candidates.indexOf(token)
      if (i < 0 || byHead.get(token)?.some(tail => tail.length === 0)) continue
      const penalty = Math.min(multiplier * pow(base, length - allowedLength), 3.4e38)
      candidates.setLogit(i, candidates.logits[i]! - penalty)
    }
  }
}

/** Distance from the end to the nearest complete breaker: no repetition reaches further back. */
function breakerDistance(context: SamplingContext, n: number, byHead: ReadonlyMap<number, number[][]>): number {
  if (byHead.size === 0) return n
  for (let i = 0; i < n; i++) {
    let longest = -1
    for (const tail of byHead.get(context.at(-1 - i)!) ?? []) {
      if (tail.length <= longest || tail.length > i) continue
      if (tail.every((token, offset) => token === context.at(-(i - offset)))) longest = tail.length
    }
    if (longest >= 0) return i - longest
  }
  return n
}

/**
 * `out[k]`: how many tokens before and including the one k from the end equal the end of the text. The Z-algorithm on
 * the reversed text: linear, since the window [left, right] only moves on.
 */
function suffixMatches(context: SamplingContext, n: number, out: Int32Array): void {
  const tokens = context.tokens
  const end = tokens.length - 1
  let left = 0
  let right = 0
  out[0] = n
  for (let k = 1; k < n; k++) {
    let length = k < right ? Math.min(right - k, out[k - left]!) : 0
    while (k + length < n && tokens[end - length] === tokens[end - k - length]) length++
    if (k + length > right) {
      left = k
      right = k + length
    }
    out[k] = length
  }
}

/** For each token that would extend a repetition, the longest one it would extend. */
function longestByToken(
  context: SamplingContext,
  n: number,
  matches: Int32Array,
  limit: number,
  allowed: number,
): Map<number, number> {
  const longest = new Map<number, number>()
  for (let k = 1; k < n; k++) {
    const length = Math.min(matches[k]!, limit)
    if (length < allowed) continue
    const next = context.at(-k)!
    if (length > (longest.get(next) ?? -1)) longest.set(next, length)
  }
  return longest
}

export interface BreakerVocabulary {
  readonly vocabSize: number
  /** Text of one token, special tokens included. */
  decode(token: number): string
  /** Tokens of a text, without a leading BOS. */
  encode(text: string): readonly number[]
}

/**
 * The token sequences in which a text can appear: a token that holds it, or one that ends with its beginning followed
 * by the tokens of its rest. Texts are cut to 40 characters and tails to 20 tokens, as in llama.cpp, to keep the search
 * linear.
 *
 * @example
 * dry({ multiplier: 0.8, breakers: sequenceBreakers(DRY_BREAKERS, vocabulary) })
 */
export function sequenceBreakers(texts: Iterable<string>, vocabulary: BreakerVocabulary): number[][] {
  const found = new Map<string, number[]>()
  for (const whole of texts) {
    const text = whole.slice(0, 40)
    if (text === '') throw new ParameterError('sequenceBreakers', 'texts', '""', 'texts of at least one character')
    for (let token = 0; token < vocabulary.vocabSize; token++) {
      const word = vocabulary.decode(token)
      if (word.includes(text)) {
        found.set(`${token}`, [token])
        continue
      }
      for (let at = word.indexOf(text[0]!); at >= 0; at = word.indexOf(text[0]!, at + 1)) {
        const overlap = word.length - at
        if (!text.startsWith(word.slice(at))) continue
        const sequence = [token, ...vocabulary.encode(text.slice(overlap)).slice(0, 20)]
        found.set(sequence.join(), sequence)
      }
    }
  }
  return [...found.values()]
}
