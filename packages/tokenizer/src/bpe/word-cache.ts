// Remembers how words were split. Bounded: when any of its three arrays is full it starts again from empty, which keeps
// lookups free of bookkeeping. Keys are compared in full, so a hit is never a guess.

import type { IdSink } from '../ids.js'

/** Longer words are not remembered. */
export const MAX_WORD = 96
const SLOTS: number = 1 << 15
const KEY_WORDS: number = 1 << 18
const ID_WORDS: number = 1 << 18
/** Keeps the bytes that belong to the word in the last, partial, 4-byte load. */
const TAIL: readonly number[] = [0, 0xff, 0xffff, 0xffffff]

/** Splits by word bytes. One slot is `[hash, first key word, byte length, value]`. */
export class WordCache {
  #slots: Int32Array = new Int32Array(0)
  #keys: Int32Array = new Int32Array(0)
  #ids: Int32Array = new Int32Array(0)
  #used = 0
  #keyEnd = 0
  #idEnd = 0
  #hash = 0

  #reset(): void {
    if (this.#slots.length === 0) {
      this.#slots = new Int32Array(SLOTS * 4)
      this.#keys = new Int32Array(KEY_WORDS)
      this.#ids = new Int32Array(ID_WORDS)
    } else this.#slots.fill(0)
    this.#used = 0
    this.#keyEnd = 0
    this.#idEnd = 0
  }

  /**
   * Pushes the ids of the word `[start, start + length)` and returns true when it is known. The view must reach three
   * bytes past the word. A miss leaves the hash for the {@link add} that follows.
   */
  emit(view: DataView, start: number, length: number, sink: IdSink): boolean {
    let h = length
    const whole = length >> 2
    let p = start
    for (let k = 0; k < whole; k++, p += 4) {
      h = Math.imul(h ^ view.getInt32(p, true), 0x2c1b3c6d)
      h ^= h >>> 15
    }
    const tail = length & 3
    if (tail !== 0) {
      h = Math.imul(h ^ (view.getInt32(p, true) & TAIL[tail]!), 0x2c1b3c6d)
      h ^= h >>> 15
    }
    h = Math.imul(h, 0x297a2d39)
    h ^= h >>> 15
    this.#hash = h
    const slots = this.#slots
    if (slots.length === 0) return false
    for (let i = h & (SLOTS - 1); ; i = (i + 1) & (SLOTS - 1)) {
      const s = i << 2
      const known = slots[s + 2]!
      if (known === 0) return false
      if (slots[s] !== h || known !== length || !this.#same(view, start, length, slots[s + 1]!)) continue
      const value = slots[s + 3]!
      if (value >= 0) {
        sink.push(value)
        return true
      }
      const at = ~value
      const ids = this.#ids
      const n = ids[at]!
      sink.reserve(n)
      const out = sink.ids
      const o = sink.length
      for (let k = 0; k < n; k++) out[o + k] = ids[at + 1 + k]!
      sink.length = o + n
      return true
    }
  }

  #same(view: DataView, start: number, length: number, key: number): boolean {
    const keys = this.#keys
    const whole = length >> 2
    let p = start
    let k = key
    for (const end = key + whole; k < end; k++, p += 4) if (keys[k] !== view.getInt32(p, true)) return false
    const tail = length & 3
    return tail === 0 || keys[k] === (view.getInt32(p, true) & TAIL[tail]!)
  }

  /** Remembers the word just missed; its ids are `sink.ids[from, sink.length)`. */
  add(view: DataView, start: number, length: number, sink: IdSink, from: number): void {
    const words = (length + 3) >> 2
    const n = sink.length - from
    if (
      this.#slots.length === 0 ||
      this.#used * 2 >= SLOTS ||
      this.#keyEnd + words > KEY_WORDS ||
      this.#idEnd + n + 1 > ID_WORDS
    ) {
      this.#reset()
    }
    let i = this.#hash & (SLOTS - 1)
    while (this.#slots[4 * i + 2] !== 0) i = (i + 1) & (SLOTS - 1)
    const s = 4 * i
    this.#slots[s] = this.#hash
    this.#slots[s + 1] = this.#keyEnd
    this.#slots[s + 2] = length
    for (let k = 0, p = start; k < words; k++, p += 4) {
      const tail = length - 4 * k
      this.#keys[this.#keyEnd++] = view.getInt32(p, true) & (tail >= 4 ? -1 : TAIL[tail]!)
    }
    if (n === 1) this.#slots[s + 3] = sink.ids[from]!
    else {
      this.#slots[s + 3] = ~this.#idEnd
      this.#ids[this.#idEnd++] = n
      for (let k = from; k < sink.length; k++) this.#ids[this.#idEnd++] = sink.ids[k]!
    }
    this.#used++
  }
}
