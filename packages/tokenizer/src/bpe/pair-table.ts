// From a pair of neighbouring symbols to the merge that joins them: open addressing, eight bytes an entry (two 20-bit
// symbols and a 24-bit merge number), so that a failing lookup, the common case, touches one cache line.

/** No merge: larger than every merge number, so that a minimum search needs no special case. */
export const NONE = 0x7fffffff

/** Merge numbers by symbol pair. Lower numbers merge first. */
export class PairTable {
  #entries: Int32Array
  #mask: number
  #count = 0
  #limit: number

  constructor(expected: number) {
    let capacity = 16
    while (capacity < expected * 1.7) capacity *= 2
    this.#entries = new Int32Array(capacity * 2).fill(-1)
    this.#mask = capacity - 1
    this.#limit = Math.floor(capacity * 0.75)
  }

  get size(): number {
    return this.#count
  }

  /** Adds a merge; the first one for a pair stays. Returns false when the pair was there. */
  add(left: number, right: number, merge: number): boolean {
    if (this.#count >= this.#limit) this.#grow()
    const lo = left | (right << 20)
    const hi = right >>> 12
    const t = this.#entries
    let i = slotOf(left, right) & this.#mask
    for (; ; i = (i + 1) & this.#mask) {
      const key = t[2 * i]!
      if (key === -1) break
      if (key === lo && (t[2 * i + 1]! & 255) === hi) return false
    }
    t[2 * i] = lo
    t[2 * i + 1] = hi | (merge << 8)
    this.#count++
    return true
  }

  /** The merge number of a pair, or {@link NONE}. */
  get(left: number, right: number): number {
    const lo = left | (right << 20)
    const hi = right >>> 12
    const t = this.#entries
    const mask = this.#mask
    for (let i = slotOf(left, right) & mask; ; i = (i + 1) & mask) {
      const key = t[2 * i]!
      if (key === -1) return NONE
      if (key === lo) {
        const value = t[2 * i + 1]!
        if ((value & 255) === hi) return value >>> 8
      }
    }
  }

  /** Calls `visit` for every pair, in no particular order. */
  forEach(visit: (left: number, right: number, merge: number) => void): void {
    forEachOf(this.#entries, visit)
  }

  #grow(): void {
    const old = this.#entries
    this.#mask = this.#mask * 2 + 1
    this.#limit = Math.floor((this.#mask + 1) * 0.75)
    this.#entries = new Int32Array(old.length * 2).fill(-1)
    this.#count = 0
    forEachOf(old, (left, right, merge) => this.add(left, right, merge))
  }
}

function forEachOf(t: Int32Array, visit: (left: number, right: number, merge: number) => void): void {
  for (let i = 0; i < t.length; i += 2) {
    const lo = t[i]!
    if (lo === -1) continue
    const value = t[i + 1]!
    visit(lo & 0xfffff, (lo >>> 20) | ((value & 255) << 12), value >>> 8)
  }
}

function slotOf(left: number, right: number): number {
  const h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
  return h ^ (h >>> 15)
}
