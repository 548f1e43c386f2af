// Byte-level BPE (GPT-2, Llama 3, Qwen, SmolLM): a scanner cuts the text into words, each word begins as bytes and
// merges on its own. Words are remembered.

import type { IdSink } from '../ids.js'
import type { TextModel } from '../model.js'
import type { Scanner } from '../scan/scanner.js'
import { TextBuffer } from '../text-buffer.js'
import { Merger, type Merges } from './merger.js'
import { NONE } from './pair-table.js'
import type { VocabIndex } from './vocab-index.js'
import { MAX_WORD, WordCache } from './word-cache.js'

/** What a byte-level model is made of. */
export interface ByteBpeParts {
  readonly scanner: Scanner
  readonly merges: Merges
  /** Token id of each byte; -1 where the vocabulary has none, such bytes give {@link unknown} or nothing. */
  readonly byteIds: Int32Array
  /** A word that is a token as a whole becomes that token without merging (tiktoken, `ignore_merges`). */
  readonly whole?: (() => VocabIndex) | undefined
  readonly unknown?: number | undefined
  /** Prepend a space to text that does not begin with whitespace (`ByteLevel.add_prefix_space`). */
  readonly prefixSpace?: boolean | undefined
}

/** Byte-level BPE over words cut by a scanner. */
export class ByteBpe implements TextModel {
  readonly merges: Merges
  readonly #parts: ByteBpeParts
  readonly #merger: Merger
  readonly #cache = new WordCache()
  readonly #buffer = new TextBuffer()
  #whole: VocabIndex | undefined
  /** Merge numbers of byte pairs; -1 until they are first asked for. */
  readonly #bytePairs: Int32Array

  constructor(parts: ByteBpeParts) {
    this.#parts = parts
    this.merges = parts.merges
    this.#merger = new Merger(parts.merges)
    this.#bytePairs = new Int32Array(65536).fill(-1)
  }

  encode(text: string, sink: IdSink): void {
    const spaced = this.#parts.prefixSpace === true && !/^\p{White_Space}/u.test(text) ? ` ${text}` : text
    const end = this.#buffer.load(spaced)
    this.#encodeRange(0, end, sink)
    this.#buffer.trim()
    this.#merger.trim()
  }

  #encodeRange(start: number, end: number, sink: IdSink): void {
    const { scanner, byteIds } = this.#parts
    const { bytes, view } = this.#buffer
    scanner.begin?.(bytes, start, end)
    for (let i = start; i < end; ) {
      const e = scanner.next(bytes, i, end)
      if (e < 0) {
        i = ~e
        continue
      }
      const n = e - i
      if (n === 1 && byteIds[bytes[i]!]! >= 0) sink.push(byteIds[bytes[i]!]!)
      else if (n > MAX_WORD) this.#merge(bytes, i, n, sink)
      else if (!this.#cache.emit(view, i, n, sink)) {
        const from = sink.length
        this.#merge(bytes, i, n, sink)
        this.#cache.add(view, i, n, sink, from)
      }
      i = e
    }
  }

  #merge(b: Uint8Array, start: number, n: number, sink: IdSink): void {
    const { whole, byteIds, unknown } = this.#parts
    if (whole !== undefined) {
      // Made when the first word asks for it: loading is quicker without.
      this.#whole ??= whole()
      const id = this.#whole.get(b, start, start + n)
      if (id >= 0) {
        sink.push(id)
        return
      }
    }
    const merger = this.#merger
    merger.reserve(n)
    const { symbols, next } = merger
    const pairs = this.#bytePairs
    let byte = b[start]!
    symbols[0] = byteIds[byte]!
    for (let i = 1; i < n; i++) {
      const right = b[start + i]!
      symbols[i] = byteIds[right]!
      let merge = pairs[(byte << 8) | right]!
      if (merge < 0) {
        // Symbols outside the vocabulary never merge.
        merge = symbols[i - 1]! < 0 || symbols[i]! < 0 ? NONE : this.merges.pairs.get(symbols[i - 1]!, symbols[i]!)
        pairs[(byte << 8) | right] = merge
      }
      next[i - 1] = merge
      byte = right
    }
    const kept = merger.run(n)
    sink.reserve(kept)
    const out = sink.ids
    let o = sink.length
    for (let i = 0; i < kept; i++) {
      const id = symbols[i]!
      if (id >= 0) out[o++] = id
      else if (unknown !== undefined) out[o++] = unknown
    }
    sink.length = o
  }
}
