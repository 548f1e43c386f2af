/**
 * Random numbers by (seed, index): the generator of story i is made from both, so any story can be had without the ones
 * before it. sfc32 (Chris Doty-Humphrey's PractRand) in 32-bit integer arithmetic: the same on every platform.
 */

export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `seed` and `index` are whole numbers from 0 to 2^53 - 1; `stream` separates uses of one pair. */
  constructor(seed: number, index = 0, stream = 0) {
    this.#a = mix(seed ^ mix(Math.floor(seed / 0x100000000) + stream * 0x632be5ab))
    this.#b = mix(index ^ this.#a)
    this.#c = mix(Math.floor(index / 0x100000000) ^ this.#b ^ 0x3c6ef372)
    for (let i = 0; i < 12; i++) this.bits()
  }

  /** Another generator that begins where this one stands, and takes nothing from it. */
  fork(): Random {
    return new Random(this.#a >>> 0, this.#b >>> 0, this.#c >>> 0)
  }

  /** 32 random bits. */
  bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }

  /** A whole number from 0 to n - 1. The bias of the product is below n / 2^32. */
  below(n: number): number {
    return Math.floor((this.bits() * n) / 0x100000000)
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.bits() < p * 0x100000000
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** The list in a new order. */
  shuffle<T>(list: readonly T[]): T[] {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const held = out[i]!
      out[i] = out[j]!
      out[j] = held
    }
    return out
  }
}

/** A 32-bit finalizer (lowbias32, Chris Wellons). */
export function mix(x: number): number {
  let h = x | 0
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return (h ^ (h >>> 15)) >>> 0
}
