/** A heap that keeps the best k of a stream, in arrays lent to it: nothing is allocated per token. */

/** The k largest of a stream of (value, position), worst at the root; among equals the lower position is better. */
export class TopHeap {
  #values: Float32Array = new Float32Array(0)
  #positions: Uint32Array = new Uint32Array(0)
  #k = 0
  #n = 0

  start(values: Float32Array, positions: Uint32Array, k: number): this {
    this.#values = values
    this.#positions = positions
    this.#k = k
    this.#n = 0
    return this
  }

  /** The worst of the k kept. */
  get floor(): number {
    return this.#values[0]!
  }

  offer(value: number, position: number): void {
    const values = this.#values
    const positions = this.#positions
    if (this.#n < this.#k) {
      let i = this.#n++
      while (i > 0) {
        const parent = (i - 1) >> 1
        if (!worse(value, position, values[parent]!, positions[parent]!)) break
        values[i] = values[parent]!
        positions[i] = positions[parent]!
        i = parent
      }
      values[i] = value
      positions[i] = position
    } else if (worse(values[0]!, positions[0]!, value, position)) {
      this.#sink(value, position, this.#n)
    }
  }

  /** Puts (value, position) at the root of the first n and lets it sink. */
  #sink(value: number, position: number, n: number): void {
    const values = this.#values
    const positions = this.#positions
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= n) break
      if (child + 1 < n && worse(values[child + 1]!, positions[child + 1]!, values[child]!, positions[child]!)) child++
      if (!worse(values[child]!, positions[child]!, value, position)) break
      values[i] = values[child]!
      positions[i] = positions[child]!
      i = child
    }
    values[i] = value
    positions[i] = position
  }

  /** Sorts the kept entries, best first, in the arrays themselves; returns their number. */
  drain(): number {
    const values = this.#values
    const positions = this.#positions
    for (let n = this.#n - 1; n > 0; n--) {
      const value = values[n]!
      const position = positions[n]!
      values[n] = values[0]!
      positions[n] = positions[0]!
      this.#sink(value, position, n)
    }
    return this.#n
  }
}

function worse(value: number, position: number, other: number, otherPosition: number): boolean {
  return value < other || (value === other && position > otherPosition)
}
