// Counts distinct words by their bytes, without a string for each.

/** Distinct words in the order they were first met, with how often each occurs. */
export class WordCounter {
  #slots = new Int32Array(1 << 16).fill(-1)
  #hashes = new Int32Array(1 << 14)
  #blob = new Uint8Array(1 << 18)
  /** `blob[starts[i], starts[i + 1])` are the bytes of word `i`. */
  #starts = new Uint32Array((1 << 14) + 1)
  #counts = new Float64Array(1 << 14)
  size = 0

  add(b: Uint8Array, start: number, end: number): void {
    let h = end - start
    for (let i = start; i < end; i++) h = Math.imul(h ^ b[i]!, 0x01000193)
    h ^= h >>> 15
    h = Math.imul(h, 0x2c1b3c6d)
    h ^= h >>> 13
    const mask = this.#slots.length - 1
    let slot = h & mask
    for (; this.#slots[slot] !== -1; slot = (slot + 1) & mask) {
      const word = this.#slots[slot]!
      if (this.#hashes[word] === h && this.#same(word, b, start, end)) {
        this.#counts[word]!++
        return
      }
    }
    this.#insert(slot, h, b, start, end)
  }

  bytes(word: number): Uint8Array {
    return this.#blob.subarray(this.#starts[word]!, this.#starts[word + 1]!)
  }

  count(word: number): number {
    return this.#counts[word]!
  }

  #same(word: number, b: Uint8Array, start: number, end: number): boolean {
    const from = this.#starts[word]!
    if (this.#starts[word + 1]! - from !== end - start) return false
    for (let i = start, j = from; i < end; i++, j++) if (this.#blob[j] !== b[i]) return false
    return true
  }

  #insert(slot: number, hash: number, b: Uint8Array, start: number, end: number): void {
    const word = this.size++
    if (this.size > this.#counts.length) {
      const room = this.#counts.length * 2
      this.#counts = grown(this.#counts, new Float64Array(room))
      this.#hashes = grown(this.#hashes, new Int32Array(room))
      this.#starts = grown(this.#starts, new Uint32Array(room + 1))
    }
    const at = this.#starts[word]!
    const stop = at + end - start
    if (stop > this.#blob.length) this.#blob = grown(this.#blob, new Uint8Array(Math.max(stop, this.#blob.length * 2)))
    for (let i = start, j = at; i < end; i++, j++) this.#blob[j] = b[i]!
    this.#starts[word + 1] = stop
    this.#counts[word] = 1
    this.#hashes[word] = hash
    this.#slots[slot] = word
    if (this.size * 2 > this.#slots.length) this.#rehash()
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1)
    const mask = this.#slots.length - 1
    for (let word = 0; word < this.size; word++) {
      let slot = this.#hashes[word]! & mask
      while (this.#slots[slot] !== -1) slot = (slot + 1) & mask
      this.#slots[slot] = word
    }
  }
}

function grown<T extends Float64Array | Int32Array | Uint32Array | Uint8Array>(old: T, fresh: T): T {
  fresh.set(old)
  return fresh
}
