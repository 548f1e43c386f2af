// From bytes to token id: open addressing over the token table's own bytes, so nothing is copied and nothing allocated
// in a lookup.

import { Kind, type TokenTable } from '../token-table.js'

function hashBytes(b: Uint8Array, start: number, end: number): number {
  let h = end - start
  for (let i = start; i < end; i++) h = Math.imul(h ^ b[i]!, 0x01000193)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}

/** Index of the tokens whose bytes may come from text; the first id wins where two share their bytes. */
export class VocabIndex {
  private readonly slots: Int32Array
  private readonly mask: number
  private readonly table: TokenTable

  /** `accept(kind)` says which kinds are found; by default normal, user-defined and unused ones. */
  constructor(table: TokenTable, accept: (kind: number) => boolean = isText) {
    let capacity = 16
    while (capacity < table.size * 2) capacity *= 2
    this.slots = new Int32Array(capacity).fill(-1)
    this.mask = capacity - 1
    this.table = table
    const { blob, offsets, kinds } = table
    for (let id = 0; id < table.size; id++) {
      const start = offsets[id]!
      const end = offsets[id + 1]!
      if (start === end || !accept(kinds[id]!)) continue
      let slot = hashBytes(blob, start, end) & this.mask
      let taken = false
      for (; this.slots[slot] !== -1; slot = (slot + 1) & this.mask) {
        if (this.same(this.slots[slot]!, blob, start, end)) {
          taken = true
          break
        }
      }
      if (!taken) this.slots[slot] = id
    }
  }

  private same(id: number, b: Uint8Array, start: number, end: number): boolean {
    const { blob, offsets } = this.table
    const from = offsets[id]!
    if (offsets[id + 1]! - from !== end - start) return false
    for (let i = start, j = from; i < end; i++, j++) if (blob[j] !== b[i]) return false
    return true
  }

  /** The id of the token with exactly these bytes, or -1. */
  get(b: Uint8Array, start: number, end: number): number {
    for (let slot = hashBytes(b, start, end) & this.mask; ; slot = (slot + 1) & this.mask) {
      const id = this.slots[slot]!
      if (id === -1 || this.same(id, b, start, end)) return id
    }
  }
}

function isText(kind: number): boolean {
  return kind === Kind.normal || kind === Kind.userDefined || kind === Kind.unused
}
