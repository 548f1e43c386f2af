/**
 * Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * A draw is a pure function of (seed, stream, index) in 32-bit integer arithmetic, so it is the same in every engine,
 * costs no state but the index, and can be replayed from any point.
 */
import { ParameterError } from './errors.js'

const out: Uint32Array = /* @__PURE__ */ new Uint32Array(4)

/** High 32 bits of the product of two 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const al = a & 0xffff
  const ah = a >>> 16
  const bl = b & 0xffff
  const bh = b >>> 16
  const low = al * bl
  const mid = ah * bl + (low >>> 16)
  const mid2 = al * bh + (mid % 0x10000)
  return (ah * bh + Math.floor(mid / 0x10000) + (mid2 - (mid2 % 0x10000)) / 0x10000) >>> 0
}

/** One block of four 32-bit words: counter (c0…c3), key (k0, k1). The result array is reused by the next call. */
export function philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): Uint32Array {
  let a = c0 >>> 0
  let b = c1 >>> 0
  let c = c2 >>> 0
  let d = c3 >>> 0
  let ka = k0 >>> 0
  let kb = k1 >>> 0
  for (let round = 0; round < 10; round++) {
    const highA = mulHigh(0xd2511f53, a)
    const lowA = Math.imul(0xd2511f53, a) >>> 0
    const highC = mulHigh(0xcd9e8d57, c)
    const lowC = Math.imul(0xcd9e8d57, c) >>> 0
    a = (highC ^ b ^ ka) >>> 0
    b = lowC
    c = (highA ^ d ^ kb) >>> 0
    d = lowA
    ka = (ka + 0x9e3779b9) >>> 0
    kb = (kb + 0xbb67ae85) >>> 0
  }
  out[0] = a
  out[1] = b
  out[2] = c
  out[3] = d
  return out
}

/** A seed: a whole number up to 2^53 - 1 or a bigint of which the low 64 bits count. */
export type Seed = number | bigint

/**
 * A stream of uniform numbers. Two streams of one seed are independent; `index` is the whole state.
 *
 * @example
 * const random = new Random(42)
 * random.next() // in [0, 1), the same on every platform
 */
export class Random {
  readonly seed: Seed
  readonly stream: number
  /** How many numbers have been drawn. May be set, to go back or ahead. */
  index = 0
  readonly #low: number
  readonly #high: number

  /** Without a seed one is taken from the platform's random source; read it back from `seed`. */
  constructor(seed?: Seed, stream: number = 0) {
    this.seed = seed === undefined ? randomSeed() : checkSeed(seed)
    this.stream = stream
    const wide = BigInt.asUintN(64, BigInt(this.seed))
    this.#low = Number(wide & 0xffffffffn)
    this.#high = Number(wide >> 32n)
  }

  /** A number in [0, 1) with 53 random bits. */
  next(): number {
    const i = this.index++
    const words = philox(i, Math.floor(i / 0x100000000), this.stream, 0, this.#low, this.#high)
    return ((words[0]! >>> 5) * 67108864 + (words[1]! >>> 6)) / 9007199254740992
  }

  clone(): Random {
    const copy = new Random(this.seed, this.stream)
    copy.index = this.index
    return copy
  }
}

function checkSeed(seed: Seed): Seed {
  if (typeof seed === 'bigint' || Number.isSafeInteger(seed)) return seed
  throw new ParameterError('random', 'seed', seed, 'a whole number (at most 2^53 - 1) or a bigint')
}

function randomSeed(): number {
  const words = globalThis.crypto.getRandomValues(new Uint32Array(1))
  return words[0]!
}
