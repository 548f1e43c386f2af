// The training loop of BPE: join the most frequent pair of neighbouring symbols everywhere, again and again. Of pairs
// that are equally frequent the one with the smaller symbols goes first, so the result depends on the counts alone.

/** Words as symbols, one behind the other, with how often each occurs. */
export interface Corpus {
  readonly symbols: Int32Array
  /** `symbols[starts[i], starts[i + 1])` is word `i`. */
  readonly starts: Uint32Array
  readonly counts: Float64Array
}

/** What the loop needs to know. */
export interface MergeOptions {
  /** Id of the first symbol that merging makes. */
  readonly firstId: number
  readonly merges: number
  readonly minFrequency: number
  /** Whether the two may become one token; a refused pair stays apart. */
  readonly accept: (left: number, right: number) => boolean
  /** Called with the pair that was joined into `firstId + n`. */
  readonly onMerge: (left: number, right: number, count: number) => void
}

const SHIFT = 2 ** 21

/** Runs the loop; returns how many merges were made, fewer than asked when no pair is frequent enough. */
export function mergeLoop(corpus: Corpus, options: MergeOptions): number {
  const { symbols, starts, counts } = corpus
  const words = counts.length
  const lengths = new Uint32Array(words)
  const pairs = new PairCounts()
  for (let w = 0; w < words; w++) {
    lengths[w] = starts[w + 1]! - starts[w]!
    for (let i = starts[w]! + 1; i < starts[w + 1]!; i++) pairs.change(symbols[i - 1]!, symbols[i]!, counts[w]!, w)
  }
  const heap = new PairHeap(pairs)
  for (let p = 0; p < pairs.size; p++) heap.push(p)
  const seen = new Int32Array(words).fill(-1)
  const touched: number[] = []
  const isTouched: boolean[] = []
  const change = (left: number, right: number, by: number, w: number): void => {
    const p = pairs.change(left, right, by, w)
    if (by > 0 && isTouched[p] !== true) {
      isTouched[p] = true
      touched.push(p)
    }
  }
  let made = 0
  while (made < options.merges) {
    const top = heap.pop()
    if (top < 0) break
    const count = pairs.counts[top]!
    if (count < options.minFrequency || count < 1) break
    const left = pairs.left[top]!
    const right = pairs.right[top]!
    const places = pairs.where[top]!
    pairs.where[top] = []
    if (!options.accept(left, right)) continue
    const joined = options.firstId + made
    options.onMerge(left, right, count)
    for (const w of places) {
      if (seen[w] === made) continue
      seen[w] = made
      const start = starts[w]!
      const end = start + lengths[w]!
      const n = counts[w]!
      let o = start
      for (let i = start; i < end; i++) {
        if (i + 1 >= end || symbols[i] !== left || symbols[i + 1] !== right) {
          symbols[o++] = symbols[i]!
          continue
        }
        if (o > start) {
          change(symbols[o - 1]!, left, -n, w)
          change(symbols[o - 1]!, joined, n, w)
        }
        if (i + 2 < end) {
          change(right, symbols[i + 2]!, -n, w)
          change(joined, symbols[i + 2]!, n, w)
        }
        symbols[o++] = joined
        i++
      }
      lengths[w] = o - start
    }
    pairs.counts[top] = 0
    for (const p of touched) {
      isTouched[p] = false
      heap.push(p)
    }
    touched.length = 0
    made++
  }
  return made
}

/** How often each pair occurs, and in which words (some of which may have lost it since). */
class PairCounts {
  readonly left: number[] = []
  readonly right: number[] = []
  readonly counts: number[] = []
  readonly where: number[][] = []
  readonly #index = new Map<number, number>()

  get size(): number {
    return this.counts.length
  }

  change(left: number, right: number, by: number, word: number): number {
    const key = left * SHIFT + right
    let p = this.#index.get(key)
    if (p === undefined) {
      p = this.counts.length
      this.#index.set(key, p)
      this.left.push(left)
      this.right.push(right)
      this.counts.push(0)
      this.where.push([])
    }
    this.counts[p]! += by
    if (by > 0) {
      const places = this.where[p]!
      if (places[places.length - 1] !== word) places.push(word)
    }
    return p
  }
}

/** A heap of pairs by count at the time they were pushed; stale entries are put right when they come up. */
class PairHeap {
  readonly #pairs: PairCounts
  readonly #items: number[] = []
  readonly #keys: number[] = []

  constructor(pairs: PairCounts) {
    this.#pairs = pairs
  }

  push(pair: number): void {
    this.#items.push(pair)
    this.#keys.push(this.#pairs.counts[pair]!)
    let i = this.#items.length - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#before(i, parent)) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** The most frequent pair, or -1. */
  pop(): number {
    while (this.#items.length > 0) {
      const pair = this.#items[0]!
      const key = this.#keys[0]!
      const lastItem = this.#items.pop()!
      const lastKey = this.#keys.pop()!
      if (this.#items.length > 0) {
        this.#items[0] = lastItem
        this.#keys[0] = lastKey
        this.#down()
      }
      const count = this.#pairs.counts[pair]!
      if (count === key) return pair
      if (count > 0 && count < key) this.push(pair)
    }
    return -1
  }

  #down(): void {
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= this.#items.length) return
      if (child + 1 < this.#items.length && this.#before(child + 1, child)) child++
      if (!this.#before(child, i)) return
      this.#swap(i, child)
      i = child
    }
  }

  #before(a: number, b: number): boolean {
    if (this.#keys[a] !== this.#keys[b]) return this.#keys[a]! > this.#keys[b]!
    const { left, right } = this.#pairs
    const p = this.#items[a]!
    const q = this.#items[b]!
    return left[p]! !== left[q]! ? left[p]! < left[q]! : right[p]! < right[q]!
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a]!
    this.#items[a] = this.#items[b]!
    this.#items[b] = item
    const key = this.#keys[a]!
    this.#keys[a] = this.#keys[b]!
    this.#keys[b] = key
  }
}
