// The tokens of a vocabulary as a tree of bytes, to find every token that begins at a place in one walk. The edges are
// one open-addressing table of `[node and byte, child]`.

import { badFile } from '../errors.js'

const MAX_NODES: number = 1 << 23

/** A tree of token bytes; the root is node 0. */
export class Trie {
  #edges: Int32Array = new Int32Array(1 << 13).fill(-1)
  #mask: number = (1 << 12) - 1
  /** The token that ends at each node, -1 where none does. */
  ids: Int32Array = new Int32Array(1 << 11).fill(-1)
  #nodes = 1

  /** Adds a token; of several with the same bytes the last stays. */
  add(bytes: Uint8Array, id: number, op: string): void {
    let node = 0
    for (const byte of bytes) {
      const child = this.child(node, byte)
      node = child < 0 ? this.#add(node, byte, op) : child
    }
    if (node > 0) this.ids[node] = id
  }

  /** The node behind the edge of this byte, or -1. */
  child(node: number, byte: number): number {
    const key = (node << 8) | byte
    const edges = this.#edges
    const mask = this.#mask
    for (let i = slotOf(key) & mask; ; i = (i + 1) & mask) {
      const known = edges[2 * i]!
      if (known === key) return edges[2 * i + 1]!
      if (known === -1) return -1
    }
  }

  #add(node: number, byte: number, op: string): number {
    const made = this.#nodes++
    if (made >= MAX_NODES) throw badFile(op, 'tokens of more than 8 million distinct beginnings', 'fewer')
    if (made === this.ids.length) {
      const ids = new Int32Array(2 * made).fill(-1)
      ids.set(this.ids)
      this.ids = ids
      const old = this.#edges
      this.#mask = 2 * this.#mask + 1
      this.#edges = new Int32Array(2 * old.length).fill(-1)
      for (let i = 0; i < old.length; i += 2) if (old[i] !== -1) this.#put(old[i]!, old[i + 1]!)
    }
    this.#put((node << 8) | byte, made)
    return made
  }

  #put(key: number, child: number): void {
    let i = slotOf(key) & this.#mask
    while (this.#edges[2 * i] !== -1) i = (i + 1) & this.#mask
    this.#edges[2 * i] = key
    this.#edges[2 * i + 1] = child
  }
}

function slotOf(key: number): number {
  const h = Math.imul(key, 0x9e3779b1)
  return h ^ (h >>> 15)
}
