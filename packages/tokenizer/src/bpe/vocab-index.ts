// From bytes to token id: open addressing over the token table's own bytes, so nothing is copied and nothing allocated
// in a lookup.

import { NORMAL, type TokenTable, UNUSED, USER_DEFINED } from '../token-table.js'

function hashBytes(b: Uint8Array, start: number, end: number): number {
  let h = end - start
  for (let i = start; i < end; i++) h = Math.imul(h ^ b[i]!, 0x01000193)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

/** Index of the tokens whose bytes may come from text; the first id wins where two share their bytes. */
export class VocabIndex {
  readonly #slots: Int32Array
  readonly #mask: number
  readonly #table: TokenTable

  /** `accept(kind)` says which kinds are found; by default normal, user-defined and unused ones. */
  constructor(table: TokenTable, accept: (kind: number) => boolean = isText) {
    let capacity = 16
    while (capacity < table.size * 2) capacity *= 2
    this.#slots = new Int32Array(capacity).fill(-1)
    this.#mask = capacity - 1
    this.#table = table
    const { blob, offsets, kinds } = table
    for (let id = 0; id < table.size; id++) {
      const start = offsets[id]!
      const end = offsets[id + 1]!
      if (start === end || !accept(kinds[id]!)) continue
      const slot = this.#slot(blob, start, end)
      if (this.#slots[slot] === -1) this.#slots[slot] = id
    }
  }

  #same(id: number, b: Uint8Array, start: number, end: number): boolean {
    const { blob, offsets } = this.#table
    const from = offsets[id]!
    if (offsets[id + 1]! - from !== end - start) return false
    for (let i = start, j = from; i < end; i++, j++) if (blob[j] !== b[i]) return false
    return true
  }

  /** Where the token with exactly these bytes stands, or would. */
  #slot(b: Uint8Array, start: number, end: number): number {
    let slot = hashBytes(b, start, end) & this.#mask
    for (; ; slot = (slot + 1) & this.#mask) {
      const id = this.#slots[slot]!
      if (id === -1 || this.#same(id, b, start, end)) return slot
    }
  }

  /** The id of the token with exactly these bytes, or -1. */
  get(b: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slot(b, start, end)]!
  }
}

function isText(kind: number): boolean {
  return kind === NORMAL || kind === USER_DEFINED || kind === UNUSED
}
