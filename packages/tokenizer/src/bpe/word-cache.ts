// Remembers how words were split. Bounded: when either of its arrays is full it starts again from empty, which keeps
// lookups free of bookkeeping. Keys are compared in full, so a hit is never a guess.

import type { IdSink } from '../ids.js'

/** Longer words are not remembered. */
export const MAX_WORD = 96
/** Words up to this many bytes stand in their slot, most words in most languages. */
const INLINE = 8
const SLOTS: number = 1 << 15
const STORE: number = 1 << 19

const mix = (h: number): number => {
  const product = Math.imul(h, 0x2c1b3c6d)
  return product ^ (product >>> 15)
}

/** The first of the four bytes at `at`, as many as are `left`, which may be less than none. */
const fourAt = (view: DataView, at: number, left: number): number => {
  const half = Math.max(0, Math.min(16, 16 - 4 * left))
  return (view.getInt32(at, true) << half) << half
}

/**
 * Splits by word bytes. One slot is `[first word or hash, second word or key, byte length | second id << 12, value]`. The
 * value is the first id, or `~` where the list of ids stands; of two ids the length has a bit more.
 */
export class WordCache {
  readonly #slots: Int32Array = new Int32Array(4 * SLOTS)
  /** Bytes of long words, and lists of ids behind their number. */
  readonly #store: Int32Array = new Int32Array(STORE)
  #used = 0
  #end = 0
  /** Where the word just missed belongs, and its first two entries. */
  #slot = 0
  #first = 0
  #second = 0

  #reset(): void {
    this.#slots.fill(0)
    this.#used = 0
    this.#end = 0
  }

  /**
   * Pushes the ids of the word `[start, start + length)` and returns true when it is known. The view must reach eight
   * bytes past the word. A miss leaves the place for the {@link add} that follows.
   */
  emit(view: DataView, start: number, length: number, sink: IdSink): boolean {
    let first = fourAt(view, start, length)
    let second = 0
    if (length <= INLINE) second = fourAt(view, start + 4, length - 4)
    else for (let k = 4; k < length; k += 4) first = mix(first ^ fourAt(view, start + k, length - k))
    const h = mix(mix(first ^ length) ^ Math.imul(second, 0x297a2d39))
    const slots = this.#slots
    for (let s = (h & (SLOTS - 1)) << 2; ; s = (s + 4) & (4 * SLOTS - 1)) {
      const known = slots[s + 2]!
      if (known === 0) {
        this.#slot = s
        this.#first = first
        this.#second = second
        return false
      }
      if (slots[s] !== first || (known & 127) !== length) continue
      if (length <= INLINE ? slots[s + 1] !== second : !this.#same(view, start, length, slots[s + 1]!)) continue
      const value = slots[s + 3]!
      if (value >= 0) {
        sink.reserve(2)
        // Without a branch: whether it is one or two is as hard to foresee as text.
        const { ids, length: o } = sink
        ids[o] = value
        ids[o + 1] = known >>> 12
        sink.length = o + 1 + ((known >> 7) & 1)
        return true
      }
      const store = this.#store
      const n = store[~value]!
      sink.reserve(n)
      const { ids, length: o } = sink
      for (let k = 0; k < n; k++) ids[o + k] = store[k - value]!
      sink.length = o + n
      return true
    }
  }

  #same(view: DataView, start: number, length: number, key: number): boolean {
    for (let k = 0; k < length; k += 4)
      if (this.#store[key + (k >> 2)] !== fourAt(view, start + k, length - k)) return false
    return true
  }

  /** Remembers the word just missed; its ids are `sink.ids[from, sink.length)`. */
  add(view: DataView, start: number, length: number, sink: IdSink, from: number): void {
    const n = sink.length - from
    // Its place is free in an empty cache too.
    if (this.#used * 2 >= SLOTS || this.#end + length + n >= STORE) this.#reset()
    this.#used++
    const s = this.#slot
    const slots = this.#slots
    const store = this.#store
    slots[s] = this.#first
    slots[s + 1] = length > INLINE ? this.#end : this.#second
    if (length > INLINE) for (let k = 0; k < length; k += 4) store[this.#end++] = fourAt(view, start + k, length - k)
    slots[s + 2] = n === 2 ? length | 128 | (sink.ids[from + 1]! << 12) : length
    slots[s + 3] = n === 1 || n === 2 ? sink.ids[from]! : ~this.#end
    if (n === 1 || n === 2) return
    store[this.#end++] = n
    for (let k = from; k < sink.length; k++) store[this.#end++] = sink.ids[k]!
  }
}
