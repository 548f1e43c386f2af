// From bytes to token id: open addressing over the token table's own bytes, so nothing is copied and nothing allocated
// in a lookup. The hash is a polynomial of the bytes, so that the hashes of both sides of a place follow from those of the
// beginnings of a text: readers look up every part of every token.

import { NORMAL, type TokenTable, UNUSED, USER_DEFINED } from '../token-table.js'

const BASE = 0x01000193
/** An entry is an id and one, and above it what is left of the hash. */
const ID_BITS = 20
const ID_MASK: number = (1 << ID_BITS) - 1

/** The hash of what `hash` is of, and then `byte`. */
export const hashOn = (hash: number, byte: number): number => (Math.imul(hash, BASE) + byte + 1) | 0

/** `BASE` to the power of each length. */
export function hashPowers(length: number): Int32Array {
  const powers = new Int32Array(length + 1).fill(1)
  for (let i = 1; i <= length; i++) powers[i] = Math.imul(powers[i - 1]!, BASE)
  return powers
}

/** Index of the tokens whose bytes may come from text; the first id wins where two share their bytes. */
export class VocabIndex {
  readonly #slots: Int32Array
  readonly #table: TokenTable

  /** `accept(kind)` says which kinds are found; by default normal, user-defined and unused ones. */
  constructor(table: TokenTable, accept: (kind: number) => boolean = isText) {
    let capacity = 16
    while (capacity < table.size * 2) capacity *= 2
    const slots = new Int32Array(capacity)
    this.#slots = slots
    this.#table = table
    const { blob, offsets, kinds } = table
    for (let id = 0; id < table.size; id++) {
      const start = offsets[id]!
      const end = offsets[id + 1]!
      if (start === end || !accept(kinds[id]!)) continue
      const hash = hashOf(blob, start, end)
      const slot = this.#slot(hash, blob, start, end)
      if (slots[slot] === 0) slots[slot] = (id + 1) | (mixed(hash) & ~ID_MASK)
    }
  }

  /** Whether the token has exactly these bytes. */
  is(id: number, b: Uint8Array, start: number, end: number): boolean {
    const { blob, offsets } = this.#table
    const from = offsets[id]!
    if (offsets[id + 1]! - from !== end - start) return false
    for (let i = start, j = from; i < end; i++, j++) if (blob[j] !== b[i]) return false
    return true
  }

  /** Where the token with exactly these bytes stands, or would. */
  #slot(hash: number, b: Uint8Array, start: number, end: number): number {
    const slots = this.#slots
    const h = mixed(hash)
    for (let slot = h & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
      const entry = slots[slot]!
      if (entry === 0) return slot
      if (((entry ^ h) & ~ID_MASK) === 0 && this.is((entry & ID_MASK) - 1, b, start, end)) return slot
    }
  }

  /** The id of the token with exactly these bytes, whose hash is known, or -1. */
  find(hash: number, b: Uint8Array, start: number, end: number): number {
    return (this.#slots[this.#slot(hash, b, start, end)]! & ID_MASK) - 1
  }

  /** The id of the token with exactly these bytes, or -1. */
  get(b: Uint8Array, start: number, end: number): number {
    return this.find(hashOf(b, start, end), b, start, end)
  }
}

function hashOf(b: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let i = start; i < end; i++) hash = hashOn(hash, b[i]!)
  return hash
}

function mixed(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

function isText(kind: number): boolean {
  return kind === NORMAL || kind === USER_DEFINED || kind === UNUSED
}
