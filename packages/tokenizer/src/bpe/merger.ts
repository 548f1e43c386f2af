// The merge loop of BPE: repeatedly joins the neighbouring pair with the lowest merge number, leftmost first. Short
// runs use a plain minimum search over small typed arrays, which beats any queue; long ones a heap over a linked list.

import { withRoom } from '../room.js'
import { NONE, type PairTable } from './pair-table.js'

/** Runs up to this many symbols use the minimum search. */
const SHORT = 96
/** A heap key is `order * 2^32 + position`, exact in a double while `order < 2^21`. */
const SHIFT = 2 ** 32

/** What can merge with what, and into which symbol. */
export interface Merges {
  readonly pairs: PairTable
  /** The symbol each merge number makes. */
  readonly result: Int32Array
  /**
   * Where different merges share a priority: the priority of each merge number. Leave it out when numbers are
   * priorities.
   */
  readonly priority?: Int32Array | undefined
}

/**
 * Scratch space and loop. The caller fills `symbols[0, n)` and `next[0, n - 1)` (the merge number of each symbol with
 * its right neighbour), then calls {@link run}; the result is `symbols[0, returned)`.
 */
export class Merger {
  symbols: Int32Array = new Int32Array(256)
  next: Int32Array = new Int32Array(256)
  readonly #merges: Merges
  /** What each merge makes; `~` that where others share its priority, so that most need no second look. */
  readonly #made: Int32Array
  /** Merges below this make what their number says. */
  #same = 0

  constructor(merges: Merges) {
    this.#merges = merges
    const { result, priority } = merges
    this.#made =
      priority === undefined
        ? result
        : result.map((made, m) => (priority[m] !== m || priority[m + 1] === m ? ~made : made))
    while (this.#made[this.#same] === this.#same) this.#same++
  }

  /** Makes room for `n` symbols. */
  reserve(n: number): void {
    this.symbols = withRoom(this.symbols, n)
    this.next = withRoom(this.next, n)
  }

  /** Gives back the memory that one very long run needed. */
  trim(): void {
    if (this.symbols.length <= 1 << 16) return
    this.symbols = new Int32Array(256)
    this.next = new Int32Array(256)
  }

  run(n: number): number {
    return n <= SHORT ? this.#short(n) : this.#long(n)
  }

  #short(count: number): number {
    const { pairs, priority } = this.#merges
    const made = this.#made
    const same = this.#same
    const symbols = this.symbols
    const next = this.next
    let n = count
    while (n > 1) {
      let merge = NONE
      let at = 0
      for (let i = 0; i < n - 1; i++) {
        const m = next[i]!
        if (m < merge) {
          merge = m
          at = i
        }
      }
      if (merge === NONE) break
      let merged = merge < same ? merge : made[merge]!
      if (merged < 0) {
        const order = priority![merge]!
        // The leftmost of all that share the priority, whatever their numbers.
        for (at = 0; next[at] === NONE || priority![next[at]!] !== order; ) at++
        merged = ~made[next[at]!]!
      }
      symbols[at] = merged
      n--
      for (let i = at + 1; i < n; i++) {
        symbols[i] = symbols[i + 1]!
        next[i - 1] = next[i]!
      }
      if (at < n - 1) next[at] = pairs.get(merged, symbols[at + 1]!)
      if (at > 0) next[at - 1] = pairs.get(symbols[at - 1]!, merged)
    }
    return n
  }

  #long(n: number): number {
    const { pairs, result, priority } = this.#merges
    const symbols = this.symbols
    const merge = this.next
    const right = new Int32Array(n)
    const left = new Int32Array(n)
    for (let i = 0; i < n; i++) {
      left[i] = i - 1
      right[i] = i + 1
    }
    // At most n - 1 entries at first, and each of at most n - 1 merges removes one and adds two.
    const heap = new Float64Array(2 * n + 2)
    let size = 0
    const orderOf = (m: number): number => priority?.[m] ?? m
    const put = (at: number, m: number): void => {
      merge[at] = m
      if (m !== NONE) up(heap, size++, orderOf(m) * SHIFT + at)
    }
    for (let i = 0; i < n - 1; i++) put(i, merge[i]!)
    while (size > 0) {
      const key = heap[0]!
      heap[0] = heap[--size]!
      down(heap, size)
      const order = Math.floor(key / SHIFT)
      const at = key - order * SHIFT
      const m = merge[at]!
      // A stale entry: the pair that stood here has been merged into something else since.
      if (m === NONE || orderOf(m) !== order) continue
      const eaten = right[at]!
      const after = right[eaten]!
      const merged = result[m]!
      symbols[at] = merged
      merge[eaten] = NONE
      merge[at] = NONE
      right[at] = after
      if (after < n) {
        left[after] = at
        put(at, pairs.get(merged, symbols[after]!))
      }
      const before = left[at]!
      if (before >= 0) put(before, pairs.get(symbols[before]!, merged))
    }
    let kept = 0
    for (let i = 0; i < n; i = right[i]!) symbols[kept++] = symbols[i]!
    return kept
  }
}

function down(heap: Float64Array, size: number): void {
  const key = heap[0]!
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= size) break
    if (child + 1 < size && heap[child + 1]! < heap[child]!) child++
    if (heap[child]! >= key) break
    heap[i] = heap[child]!
    i = child
  }
  heap[i] = key
}

function up(heap: Float64Array, from: number, key: number): void {
  let i = from
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (heap[parent]! <= key) break
    heap[i] = heap[parent]!
    i = parent
  }
  heap[i] = key
}
