// Unigram models (SentencePiece; T5, ALBERT, XLM-R and others): of all ways to write a text in tokens, the one with the
// highest sum of scores. The best way to each place is found from left to right; wherever no token reaches across, all
// before it is settled and given out, so memory follows the longest stretch between such places and not the text.

import type { IdSink } from '../ids.js'
import type { Carry, TextModel } from '../model.js'
import type { Scanner } from '../scan/scanner.js'
import { TextBuffer } from '../text-buffer.js'
import { NORMAL, type TokenTable, USER_DEFINED } from '../token-table.js'
import { sizeOf } from '../utf8.js'
import { Trie } from './trie.js'

/** How much worse than the worst token an unknown character is, in SentencePiece and after it everywhere. */
const UNKNOWN_PENALTY = 10

/** What a Unigram model is made of. */
export interface UnigramParts {
  readonly table: TokenTable
  /** Log-probability by id. */
  readonly scores: Float64Array
  /** Sums are kept in single precision, as SentencePiece does; Hugging Face keeps doubles. */
  readonly single: boolean
  readonly unknown: number | undefined
  /** Ids of `<0x00>` … `<0xFF>` for unknown characters; empty without byte fallback. */
  readonly byteIds: Int32Array
  /** `▁` in text is a space. */
  readonly metaspace: boolean
  /** Cuts made before, for models that have them; each piece is a sum of its own. */
  readonly scanner?: Scanner | undefined
}

/** Viterbi over the tokens of a vocabulary. */
export class Unigram implements TextModel {
  readonly scores: Float64Array
  readonly #parts: UnigramParts
  readonly #trie: Trie
  readonly #buffer = new TextBuffer()
  readonly #unknownScore: number
  /** What a token of kind `userDefined` scores for each byte: always more than anything else that stands there. */
  readonly #bonus: number
  /** By byte from the last settled place: best sum so far, the token that ends here, and where it begins. */
  #best = new Float64Array(256)
  #token = new Int32Array(256)
  #from = new Int32Array(256)
  #path = new Int32Array(256)

  constructor(parts: UnigramParts, op: string) {
    this.#parts = parts
    this.scores = parts.scores
    const { kinds, size } = parts.table
    this.#trie = new Trie(parts.table, kind => kind === NORMAL || kind === USER_DEFINED, op)
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (let id = 0; id < size; id++) {
      if (kinds[id] !== NORMAL) continue
      low = Math.min(low, parts.scores[id]!)
      high = Math.max(high, parts.scores[id]!)
    }
    const worst = (low > high ? 0 : low) - UNKNOWN_PENALTY
    this.#unknownScore = parts.single ? Math.fround(worst) : worst
    this.#bonus = high
  }

  encode(text: string, sink: IdSink, carry: Carry = { sum: 0 }): void {
    const { metaspace, scanner } = this.#parts
    const plain = metaspace && text.includes('\u2581') ? text.replaceAll('\u2581', ' ') : text
    const end = this.#buffer.load(plain, 0)
    const { bytes } = this.#buffer
    if (scanner === undefined) carry.sum = this.#range(bytes, 0, end, sink, carry.sum)
    else {
      scanner.begin?.(bytes, 0, end)
      for (let at = 0; at < end; ) {
        const stop = scanner.next(bytes, at, end)
        if (stop > 0) this.#range(bytes, at, stop, sink, 0)
        at = stop < 0 ? ~stop : stop
      }
    }
    this.#buffer.trim()
    if (this.#best.length > 1 << 16) this.#grow(256)
  }

  #grow(size: number): void {
    const best = this.#best
    const token = this.#token
    const from = this.#from
    const keep = Math.min(size, best.length)
    this.#best = new Float64Array(size)
    this.#token = new Int32Array(size)
    this.#from = new Int32Array(size)
    this.#path = new Int32Array(size)
    this.#best.set(best.subarray(0, keep))
    this.#token.set(token.subarray(0, keep))
    this.#from.set(from.subarray(0, keep))
  }

  /** Returns the sum of the scores, which began at `sum`. */
  #range(b: Uint8Array, start: number, end: number, sink: IdSink, sum: number): number {
    const { table, scores, single } = this.#parts
    const first = sink.length
    const trie = this.#trie
    const { kinds } = table
    /** The last settled place; arrays are indexed from it. */
    let base = start
    /** How far tokens that begin before `at` reach. */
    let reach = start
    this.#best[0] = sum
    for (let at = start; at < end; ) {
      if (at === reach && at > base) {
        const settled = this.#best[at - base]!
        this.#settle(b, base, at - base, sink)
        base = at
        this.#best[0] = settled
      }
      const here = this.#best[at - base]!
      const next = Math.min(at + sizeOf(b[at]!), end)
      let known = false
      let node = 0
      for (let p = at; p < end; ) {
        node = trie.child(node, b[p]!)
        if (node < 0) break
        p++
        const id = trie.ids[node]!
        if (id < 0) continue
        const score = kinds[id] === USER_DEFINED && single ? (p - at) * this.#bonus - 0.1 : scores[id]!
        reach = this.#offer(p, reach, base, at, id, here + score)
        if (p === next) known = true
      }
      if (!known) reach = this.#offer(next, reach, base, at, -1, here + this.#unknownScore)
      at = next
    }
    const total = this.#best[end - base]!
    if (end > base) this.#settle(b, base, end - base, sink)
    this.#fuse(sink, first)
    return total
  }

  /** Remembers a way to `to` where it is better than the known one; returns how far ways reach now. */
  #offer(to: number, reach: number, base: number, at: number, id: number, exact: number): number {
    const k = to - base
    const sum = this.#parts.single ? Math.fround(exact) : exact
    if (k >= this.#best.length) this.#grow(Math.max(k + 1, 2 * this.#best.length))
    if (to > reach) {
      // Bytes inside characters are places too, which nothing ever reaches.
      for (let i = reach - base + 1; i <= k; i++) this.#from[i] = -1
    }
    if (this.#from[k] === -1 || sum > this.#best[k]!) {
      this.#best[k] = sum
      this.#token[k] = id
      this.#from[k] = at - base
    }
    return Math.max(to, reach)
  }

  /** Gives out the best way from the last settled place to the one `length` bytes behind it. */
  #settle(b: Uint8Array, base: number, length: number, sink: IdSink): void {
    const token = this.#token
    const from = this.#from
    const path = this.#path
    let n = 0
    for (let k = length; k > 0; k = from[k]!) path[n++] = k
    sink.reserve(n)
    while (n > 0) {
      const k = path[--n]!
      const id = token[k]!
      if (id >= 0) sink.push(id)
      else this.#fallback(b, base + from[k]!, base + k, sink)
    }
  }

  #fallback(b: Uint8Array, start: number, end: number, sink: IdSink): void {
    const { byteIds, unknown, metaspace } = this.#parts
    if (byteIds.length === 256) {
      const bytes = metaspace && b[start] === 0x20 ? [0xe2, 0x96, 0x81] : b.subarray(start, end)
      if (bytes.every(byte => byteIds[byte]! >= 0)) {
        for (const byte of bytes) sink.push(byteIds[byte]!)
        return
      }
    }
    if (unknown !== undefined) sink.push(unknown)
  }

  /** Neighbouring unknown characters give one unknown id. */
  #fuse(sink: IdSink, from: number): void {
    const { unknown } = this.#parts
    const ids = sink.ids
    if (unknown === undefined || !ids.subarray(from, sink.length).includes(unknown)) return
    let o = from
    for (let i = from; i < sink.length; i++) {
      if (ids[i] !== unknown || o === from || ids[o - 1] !== unknown) ids[o++] = ids[i]!
    }
    sink.length = o
  }
}
