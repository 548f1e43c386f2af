/**
 * Randomness by counting: a number or a permutation as a function of a seed and an index, so that any place in an epoch
 * is reached at once and a resumed run draws what the uninterrupted one would have.
 */
import { DataError } from '../errors.js'

/** A seed has 32 bits: another number would be the same seed as one of them. */
export function checkSeed(
  name: string,
  seed: number,
  Refusal: new (message: string, detail: { got: number }) => Error = DataError,
): void {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return
  throw new Refusal(`${name}: got seed ${seed}, expected a whole number from 0 to 2^32 - 1`, { got: seed })
}

/** 32 mixed bits of two whole numbers (two rounds of xorshift-multiply, constants of Wellons' `lowbias32`). */
export function mix(a: number, b: number): number {
  let x = (Math.imul(a | 0, 0x9e3779b9) + Math.imul(b | 0, 0x85ebca6b) + 0x27d4eb2f) >>> 0
  for (let round = 0; round < 2; round++) {
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0
    x = (x ^ (x >>> 16) ^ b) >>> 0
  }
  return x
}

/**
 * Where index `i` of `n` goes in a random order: a bijection of 0 … n−1 for each seed, in constant time and memory (a
 * Feistel network of six rounds over the next even power of two, walked until it lands inside).
 */
export function permute(i: number, n: number, seed: number): number {
  const half = Math.max(1, Math.ceil(Math.ceil(Math.log2(Math.max(2, n))) / 2))
  const size = 2 ** half
  let x = i
  do {
    let left = Math.floor(x / size)
    let right = x % size
    for (let round = 0; round < 6; round++) {
      const next = left ^ (mix(mix(seed, round), right) % size)
      left = right
      right = next >>> 0
    }
    x = left * size + right
  } while (x >= n)
  return x
}

/** A number in [0, 1) for each (seed, index). */
export const random = (seed: number, index: number): number => mix(mix(seed, 0x5bd1), index) / 2 ** 32
