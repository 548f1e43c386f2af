// From a pair of neighbouring symbols to the merge that joins them: open addressing, eight bytes an entry (two 20-bit
// symbols and a 24-bit merge number). Most lookups fail, and nearly all of these are answered by a filter that is small
// enough to stay in a fast cache.

/** No merge: larger than every merge number, so that a minimum search needs no special case. */
export const NONE = 0x7fffffff

/** Merge numbers by symbol pair. Lower numbers merge first. */
export class PairTable {
  #entries: Int32Array = new Int32Array(0)
  /** A bit that is set for each pair. */
  #filter: Int32Array = new Int32Array(0)
  #shift = 0
  #count = 0

  constructor(expected: number) {
    let capacity = 32
    while (capacity < expected * 1.4) capacity *= 2
    this.#empty(capacity)
  }

  #empty(capacity: number): void {
    this.#entries = new Int32Array(capacity * 2)
    this.#filter = new Int32Array(capacity >> 3)
    this.#shift = Math.clz32((capacity >> 3) - 1)
    this.#count = 0
  }

  /** Adds a merge; the first one for a pair stays. */
  add(left: number, right: number, merge: number): void {
    let t = this.#entries
    if (this.#count * 2.7 >= t.length) {
      this.#empty(t.length)
      forEachOf(t, (l, r, m) => this.add(l, r, m))
      t = this.#entries
    }
    const h = hashOf(left, right)
    const lo = ~(left | (right << 20))
    const hi = right >>> 12
    let i = (2 * h) & (t.length - 1)
    for (; t[i] !== 0; i = (i + 2) & (t.length - 1)) if (t[i] === lo && (t[i + 1]! & 255) === hi) return
    t[i] = lo
    t[i + 1] = hi | (merge << 8)
    this.#filter[h >>> this.#shift]! |= 1 << h
    this.#count++
  }

  /** The merge number of a pair, or {@link NONE}. */
  get(left: number, right: number): number {
    const h = hashOf(left, right)
    if ((this.#filter[h >>> this.#shift]! & (1 << h)) === 0) return NONE
    const lo = ~(left | (right << 20))
    const hi = right >>> 12
    const t = this.#entries
    for (let i = (2 * h) & (t.length - 1); ; i = (i + 2) & (t.length - 1)) {
      const key = t[i]!
      if (key === 0) return NONE
      if (key === lo && (t[i + 1]! & 255) === hi) return t[i + 1]! >>> 8
    }
  }

  /** Calls `visit` for every pair, in no particular order. */
  forEach(visit: (left: number, right: number, merge: number) => void): void {
    forEachOf(this.#entries, visit)
  }
}

function forEachOf(t: Int32Array, visit: (left: number, right: number, merge: number) => void): void {
  for (let i = 0; i < t.length; i += 2) {
    if (t[i] === 0) continue
    const lo = ~t[i]!
    const value = t[i + 1]!
    visit(lo & 0xfffff, (lo >>> 20) | ((value & 255) << 12), value >>> 8)
  }
}

function hashOf(left: number, right: number): number {
  const h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
  return h ^ (h >>> 15)
}
