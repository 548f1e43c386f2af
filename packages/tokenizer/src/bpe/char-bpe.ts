// Character-level BPE with byte fallback (SentencePiece: LLaMA 1 and 2, Mistral, Gemma). These models merge over the
// whole text, with no words. The text is still cut where no token has the two neighbouring characters side by side:
// no merge can cross such a place, so the cut changes nothing, and the parts between are short and repeat.
//
// Inside, `▁` is a space, in tokens and in text alike, where the model uses it so.

import type { IdSink } from '../ids.js'
import type { TextModel } from '../model.js'
import type { Scanner } from '../scan/scanner.js'
import { TextBuffer } from '../text-buffer.js'
import { NORMAL, type TokenTable, UNUSED, USER_DEFINED } from '../token-table.js'
import { codePointAt, type ReadText, sizeOf, textPerByte, utf8 } from '../utf8.js'
import { Merger, type Merges } from './merger.js'
import { MAX_WORD, WordCache } from './word-cache.js'

/** What a character-level model is made of. */
export interface CharBpeParts {
  readonly table: TokenTable
  readonly chars: CharIds
  readonly merges: Merges
  /** Token id of `<0x00>` … `<0xFF>`, -1 for those that are missing; empty without byte fallback. */
  readonly byteIds: Int32Array
  readonly unknown: number | undefined
  /** Neighbouring unknown characters give one unknown id (SentencePiece, `fuse_unk`). */
  readonly fuseUnknown: boolean
  /** `▁` in text is a space. */
  readonly metaspace: boolean
  /** Cuts made before merging, for models that have them. */
  readonly scanner?: Scanner | undefined
  /** Splits tokens that were made by merging and may not be given out (kind `unused`). */
  readonly resegment?: ((id: number, emit: (id: number) => void) => void) | undefined
}

/**
 * Symbols of characters. Characters that are tokens have their token id; characters that only occur inside longer
 * tokens have a number from the vocabulary size up; others have -1.
 */
export class CharIds {
  readonly #bmp: Int32Array = new Int32Array(0x10000).fill(-1)
  readonly #astral: Map<number, number> = new Map()
  /** Code points of the symbols from the vocabulary size up. */
  readonly extra: number[] = []
  readonly #first: number

  constructor(vocabSize: number) {
    this.#first = vocabSize
  }

  get(codePoint: number): number {
    return codePoint < 0x10000 ? this.#bmp[codePoint]! : (this.#astral.get(codePoint) ?? -1)
  }

  set(codePoint: number, symbol: number): void {
    if (codePoint < 0x10000) this.#bmp[codePoint] = symbol
    else this.#astral.set(codePoint, symbol)
  }

  /** The symbol of a character that occurs in a token, made when it has none. */
  ensure(codePoint: number): number {
    const known = this.get(codePoint)
    if (known >= 0) return known
    const symbol = this.#first + this.extra.length
    this.extra.push(codePoint)
    this.set(codePoint, symbol)
    return symbol
  }
}

/** Which characters some token has side by side; may say yes too often, never no. */
export class Neighbours {
  /** By two ASCII characters; never yes without reason. */
  readonly ascii: Uint8Array = new Uint8Array(128 * 128)
  readonly #bits: Uint8Array
  readonly #mask: number

  constructor(table: TokenTable) {
    // Few pairs differ, and a small table stays in the fast caches.
    let size = 1 << 13
    while (size < table.size) size *= 2
    this.#bits = new Uint8Array(size)
    this.#mask = size * 8 - 1
    const { blob, offsets, kinds } = table
    for (let id = 0; id < table.size; id++) {
      const kind = kinds[id]!
      if (kind !== NORMAL && kind !== USER_DEFINED && kind !== UNUSED) continue
      let last = -1
      for (let p = offsets[id]!; p < offsets[id + 1]!; p += sizeOf(blob[p]!)) {
        const c = codePointAt(blob, p)
        if (last >= 0) this.#add(last, c)
        last = c
      }
    }
  }

  #add(a: number, b: number): void {
    if (a < 128 && b < 128) this.ascii[(a << 7) | b] = 1
    else {
      const h = hashPair(a, b) & this.#mask
      this.#bits[h >> 3]! |= 1 << (h & 7)
    }
  }

  has(a: number, b: number): boolean {
    if ((a | b) < 128) return this.ascii[(a << 7) | b] === 1
    const h = hashPair(a, b) & this.#mask
    return (this.#bits[h >> 3]! & (1 << (h & 7))) !== 0
  }
}

/** What -1 becomes in a list of ids. */
const MISSING = 0xffffffff
const META: Uint8Array = /* @__PURE__ */ Uint8Array.of(0xe2, 0x96, 0x81)

function hashPair(a: number, b: number): number {
  const h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)
  return h ^ (h >>> 15)
}

/** Character-level BPE with byte fallback. */
export class CharBpe implements TextModel {
  readonly merges: Merges
  readonly readPerByte: ReadText = textPerByte
  readonly #parts: CharBpeParts
  readonly #merger: Merger
  readonly #neighbours: Neighbours
  readonly #allBytes: boolean
  /** Merge numbers of two ASCII characters; -1 until they are first asked for. */
  readonly #asciiPairs: Int32Array = new Int32Array(128 * 128).fill(-1)
  readonly #cache = new WordCache()
  readonly #buffer = new TextBuffer()
  /** Whether the text has a `▁` that is a space. */
  #metaspaces = false
  /** Whether an unknown id has ever been given, so that neighbours may have to be joined. */
  #sawUnknown = false

  constructor(parts: CharBpeParts) {
    this.#parts = parts
    this.merges = parts.merges
    this.#merger = new Merger(parts.merges)
    this.#neighbours = new Neighbours(parts.table)
    this.#allBytes = !parts.byteIds.includes(-1)
  }

  encode(text: string, sink: IdSink): void {
    const { length } = sink
    this.#metaspaces = false
    this.#encode(text, sink)
    if (this.#metaspaces) {
      // Few texts have a `▁`, so none is searched for one.
      sink.length = length
      this.#encode(text.replaceAll('\u2581', ' '), sink)
    }
    this.#buffer.trim()
    this.#merger.trim()
  }

  #encode(text: string, sink: IdSink): void {
    const end = this.#buffer.load(text)
    const { scanner } = this.#parts
    const { bytes } = this.#buffer
    if (scanner === undefined) this.#encodeRange(0, end, sink)
    else {
      scanner.begin?.(bytes, 0, end)
      for (let at = 0; at < end; ) {
        const stop = scanner.next(bytes, at, end)
        if (stop > 0) this.#encodeRange(at, stop, sink)
        at = stop < 0 ? ~stop : stop
      }
    }
  }

  #encodeRange(from: number, end: number, sink: IdSink): void {
    const { chars, fuseUnknown, table, resegment, metaspace } = this.#parts
    const { bytes, view } = this.#buffer
    const neighbours = this.#neighbours
    const { ascii } = neighbours
    const first = sink.length
    for (let start = from; start < end; ) {
      let c = codePointAt(bytes, start)
      const symbol = chars.get(c)
      const second = start + sizeOf(bytes[start]!)
      if (symbol < 0) {
        this.#metaspaces ||= c === 0x2581 && metaspace
        this.#fallback(bytes, start, second, sink)
        start = second
        continue
      }
      let p = second
      while (p < end) {
        const lead = bytes[p]!
        if ((c | lead) < 128) {
          if (ascii[(c << 7) | lead] === 0) break
          p++
          c = lead
          continue
        }
        const d = codePointAt(bytes, p)
        // The filter may err towards yes, so a character that is in no token must end the part by itself.
        if (!neighbours.has(c, d) || chars.get(d) < 0) break
        p += sizeOf(lead)
        c = d
      }
      if (p === second && symbol < table.size && resegment === undefined) {
        sink.push(symbol)
        start = p
        continue
      }
      const n = p - start
      if (n > MAX_WORD) this.#merge(bytes, start, p, sink)
      else if (!this.#cache.emit(view, start, n, sink)) {
        const from = sink.length
        this.#merge(bytes, start, p, sink)
        this.#cache.add(view, start, n, sink, from)
      }
      start = p
    }
    if (this.#sawUnknown && fuseUnknown) this.#fuse(sink, first)
  }

  /** Ids for a character that is in no token. */
  #fallback(b: Uint8Array, start: number, end: number, sink: IdSink): void {
    const { byteIds, unknown } = this.#parts
    if (byteIds.length === 256) {
      // A space stands for `▁` inside; its bytes are those of `▁`.
      const meta = b[start] === 0x20 && this.#parts.metaspace
      const from = meta ? META : b
      const stop = meta ? 3 : end
      const kept = sink.length
      for (let i = meta ? 0 : start; i < stop; i++) sink.push(byteIds[from[i]!]!)
      if (this.#allBytes) return
      // A character is written in bytes as a whole or not at all.
      if (!sink.ids.subarray(kept, sink.length).includes(MISSING)) return
      sink.length = kept
    }
    if (unknown === undefined) return
    sink.push(unknown)
    this.#sawUnknown = true
  }

  #fuse(sink: IdSink, from: number): void {
    const { unknown } = this.#parts
    const ids = sink.ids
    let o = from
    for (let i = from; i < sink.length; i++) {
      if (ids[i] !== unknown || o === from || ids[o - 1] !== unknown) ids[o++] = ids[i]!
    }
    sink.length = o
  }

  #merge(b: Uint8Array, start: number, end: number, sink: IdSink): void {
    const { chars, merges, table, resegment } = this.#parts
    const merger = this.#merger
    merger.reserve(end - start)
    const { symbols, next } = merger
    const pairs = merges.pairs
    const ascii = this.#asciiPairs
    let n = 0
    let last = -1
    for (let p = start; p < end; p += sizeOf(b[p]!)) {
      const c = codePointAt(b, p)
      const symbol = chars.get(c)
      symbols[n] = symbol
      if (n > 0) {
        const left = symbols[n - 1]!
        let merge = (last | c) < 128 ? ascii[(last << 7) | c]! : pairs.get(left, symbol)
        if (merge < 0) ascii[(last << 7) | c] = merge = pairs.get(left, symbol)
        next[n - 1] = merge
      }
      last = c
      n++
    }
    const kept = merger.run(n)
    for (let i = 0; i < kept; i++) {
      const symbol = symbols[i]!
      if (symbol >= table.size) this.#extra(chars.extra[symbol - table.size]!, sink)
      else if (resegment !== undefined && table.kinds[symbol] === UNUSED) {
        resegment(symbol, id => (id < table.size ? sink.push(id) : this.#extra(chars.extra[id - table.size]!, sink)))
      } else sink.push(symbol)
    }
  }

  #extra(codePoint: number, sink: IdSink): void {
    const bytes = utf8(String.fromCodePoint(codePoint))
    this.#fallback(bytes, 0, bytes.length, sink)
  }
}
