// Unigram models (SentencePiece; T5, ALBERT, XLM-R and others): of all ways to write a text in tokens, the one with the
// highest sum of scores. The best way to each place is found from left to right; wherever no token reaches across, all
// before it is settled and given out, so memory follows the longest stretch between such places and not the text.
//
// Hugging Face's library and SentencePiece differ, and each file is read as its own library does. SentencePiece adds up
// in single precision and weighs normal and user-defined tokens. Hugging Face adds up in doubles and weighs the whole
// vocabulary: the text `<unk>` or `<0x0A>` is that token there. Special tokens it weighs too; here, text never becomes
// one unless asked.

import type { IdSink } from '../ids.js'
import type { Carry, TextModel } from '../model.js'
import type { Scanner } from '../scan/scanner.js'
import { TextBuffer } from '../text-buffer.js'
import { BYTE, CONTROL, NORMAL, type TokenTable, UNREACHABLE, USER_DEFINED } from '../token-table.js'
import { type ReadText, sizeOf, textPerByte, utf8 } from '../utf8.js'
import { Trie } from './trie.js'

/** How much worse than the worst token an unknown character is, in SentencePiece and after it everywhere. */
const UNKNOWN_PENALTY = 10

/** Sums beyond it begin anew in SentencePiece, whose single precision is coarse there. */
const LARGE = 1e5

/** The bytes of `▁`, which a space stands for inside. */
const META: readonly number[] = [0xe2, 0x96, 0x81]

/** What a Unigram model is made of. */
export interface UnigramParts {
  readonly table: TokenTable
  /** Log-probability by id, NaN for tokens that are not of the model. */
  readonly scores: Float64Array
  /** Read as SentencePiece does instead of as Hugging Face does. Sums are kept in single precision, as SentencePiece does; Hugging Face keeps doubles. */
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
  readonly readPerByte: ReadText = textPerByte
  readonly #parts: UnigramParts
  readonly #trie = new Trie()
  readonly #buffer = new TextBuffer()
  readonly #unknownScore: number
  /** By byte from the last settled place: best sum so far, the token that ends here, and where it begins. */
  #best = new Float64Array(256)
  #token = new Int32Array(256)
  #from = new Int32Array(256)
  #path = new Int32Array(256)
  /** The run of unknown characters that was met last, while its end is not -1; whether it is the unknown token itself. */
  #unknownStart = 0
  #unknownEnd = -1
  #unknownToken = false

  constructor(parts: UnigramParts, op: string) {
    this.#parts = parts
    const { table, single } = parts
    this.scores = single ? withSymbols(parts) : parts.scores
    let low = Number.POSITIVE_INFINITY
    for (let id = 0; id < table.size; id++) {
      const kind = table.kinds[id]!
      const score = this.scores[id]!
      if (Number.isNaN(score)) continue
      if (!single || kind === NORMAL) low = Math.min(low, score)
      const text = single ? kind === NORMAL || kind === USER_DEFINED : kind !== CONTROL && kind !== UNREACHABLE
      if (text) this.#trie.add(kind === BYTE ? utf8(table.piece(id)) : table.bytes(id), id, op)
    }
    const worst = (low === Number.POSITIVE_INFINITY ? 0 : low) - UNKNOWN_PENALTY
    this.#unknownScore = single ? Math.fround(worst) : worst
  }

  encode(text: string, sink: IdSink, carry: Carry = { sum: 0 }): void {
    const { metaspace, scanner } = this.#parts
    const plain = metaspace && text.includes('\u2581') ? text.replaceAll('\u2581', ' ') : text
    const end = this.#buffer.load(plain)
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
    const scores = this.scores
    const trie = this.#trie
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
      const here = this.#rebased(at - base, reach - base)
      const next = Math.min(at + sizeOf(b[at]!), end)
      let known = false
      let node = 0
      for (let p = at; p < end; ) {
        node = trie.child(node, b[p]!)
        if (node < 0) break
        p++
        const id = trie.ids[node]!
        if (id < 0) continue
        reach = this.#offer(p, reach, base, at, id, here + scores[id]!)
        if (p === next) known = true
      }
      if (!known) reach = this.#offer(next, reach, base, at, -1, here + this.#unknownScore)
      at = next
    }
    const total = this.#best[end - base]!
    if (end > base) this.#settle(b, base, end - base, sink)
    this.#flush(b, sink)
    return total
  }

  /** The best sum at a place; where it is large, all sums that are still to be compared are taken from there. */
  #rebased(place: number, last: number): number {
    const best = this.#best
    const sum = best[place]!
    if (!this.#parts.single || Math.abs(sum) <= LARGE) return sum
    for (let k = place; k <= last; k++) if (k === place || this.#from[k] !== -1) best[k] = Math.fround(best[k]! - sum)
    return 0
  }

  /** Remembers a way to `to` where it is better than the known one; returns how far ways reach now. */
  #offer(to: number, reach: number, base: number, at: number, id: number, exact: number): number {
    const sum = this.#parts.single ? Math.fround(exact) : exact
    const k = to - base
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
    const { unknown } = this.#parts
    while (n > 0) {
      const k = path[--n]!
      const id = token[k]!
      if (id < 0 || id === unknown) {
        if (this.#unknownEnd < 0) this.#unknownStart = base + from[k]!
        this.#unknownToken = id >= 0 && this.#unknownEnd < 0
        this.#unknownEnd = base + k
      } else {
        this.#flush(b, sink)
        sink.push(id)
      }
    }
  }

  /** Gives out the run of unknown characters that is open: as bytes, all of it or none, or as one unknown token. */
  #flush(b: Uint8Array, sink: IdSink): void {
    if (this.#unknownEnd < 0) return
    const { byteIds, unknown, metaspace } = this.#parts
    const first = sink.length
    // A run that is the unknown token's own text is that token.
    let bytes = byteIds.length === 256 && !this.#unknownToken
    for (let p = this.#unknownStart; bytes && p < this.#unknownEnd; p++) {
      const inside = metaspace && b[p] === 0x20 ? META : [b[p]!]
      for (const byte of inside) sink.push(byteIds[byte]!)
      bytes = inside.every(byte => byteIds[byte]! >= 0)
    }
    this.#unknownEnd = -1
    if (bytes) return
    sink.length = first
    if (unknown !== undefined) sink.push(unknown)
  }
}

/**
 * Scores with those of user-defined symbols, as SentencePiece 0.2.3 has them (older ones differ): never below 0, which is
 * the best that other tokens have, and more for one long symbol than for several short ones.
 */
function withSymbols({ table, scores }: UnigramParts): Float64Array {
  const all = scores.slice()
  for (let id = 0; id < table.size; id++) {
    if (table.kinds[id] !== USER_DEFINED) continue
    // A space is written `▁` there, in three bytes.
    const length = table.bytes(id).reduce((sum, byte) => sum + (byte === 0x20 ? 3 : 1), 0)
    all[id] = Math.fround(0.1 * (length - 1))
  }
  return all
}
