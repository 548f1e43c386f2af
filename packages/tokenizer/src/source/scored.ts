// From a vocabulary with scores (SentencePiece, GGUF `llama`, llama2.c) to its merges: any two neighbouring symbols
// whose joined text is a token may merge, the best score first.

import { CharIds } from '../bpe/char-bpe.js'
import type { Merges } from '../bpe/merger.js'
import { NONE, PairTable } from '../bpe/pair-table.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import { badFile } from '../errors.js'
import { BYTE, NORMAL, type TokenTable, UNUSED, USER_DEFINED } from '../token-table.js'
import { codePointAt, sizeOf } from '../utf8.js'

/** How SentencePiece's models are decoded, in the terms of `tokenizer.json`. */
export function sentencePieceDecoder(stripSpace: boolean): unknown {
  const strip = stripSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []
  const space = { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' }
  return { type: 'Sequence', decoders: [space, { type: 'ByteFallback' }, { type: 'Fuse' }, ...strip] }
}

/** Longest token that is read, in bytes; SentencePiece's own default is 16 characters. */
const MAX_PIECE = 2048

/** Kinds that text can become. */
function isTextKind(kind: number): boolean {
  return kind === NORMAL || kind === USER_DEFINED || kind === UNUSED
}

/** Symbols of all characters that occur in tokens, those that are tokens first. */
export function charIdsOf(table: TokenTable): CharIds {
  const { blob, offsets, kinds } = table
  const chars = new CharIds(table.size)
  for (let id = table.size - 1; id >= 0; id--) {
    const start = offsets[id]!
    const end = offsets[id + 1]!
    if (start < end && isTextKind(kinds[id]!) && start + sizeOf(blob[start]!) === end)
      chars.set(codePointAt(blob, start), id)
  }
  for (let id = 0; id < table.size; id++) {
    if (!isTextKind(kinds[id]!)) continue
    for (let p = offsets[id]!; p < offsets[id + 1]!; p += sizeOf(blob[p]!)) chars.ensure(codePointAt(blob, p))
  }
  return chars
}

/** Ids of the 256 byte tokens, -1 where one is missing; empty where all are. */
export function byteTokenIds(table: TokenTable): Int32Array {
  const ids = new Int32Array(256).fill(-1)
  for (let id = 0; id < table.size; id++) {
    if (table.kinds[id] === BYTE) {
      const bytes = table.bytes(id)
      if (bytes.length === 1 && ids[bytes[0]!] === -1) ids[bytes[0]!] = id
    }
  }
  return ids.some(id => id >= 0) ? ids : new Int32Array(0)
}

/** The merges of a vocabulary with scores. */
export function scoredMerges(table: TokenTable, scores: ArrayLike<number>, op: string): Merges {
  const { blob, offsets, kinds, size } = table
  const chars = charIdsOf(table)
  const index = new VocabIndex(table)
  const lefts: number[] = []
  const rights: number[] = []
  const made: number[] = []
  for (let id = 0; id < size; id++) {
    if (!isTextKind(kinds[id]!)) continue
    const start = offsets[id]!
    const end = offsets[id + 1]!
    if (end - start > MAX_PIECE) throw badFile(op, `token ${id} of ${end - start} bytes`, `at most ${MAX_PIECE} bytes`)
    if (Number.isNaN(scores[id]!)) throw badFile(op, `score NaN of token ${id}`, 'a number')
    // A token whose text an earlier token has is never made from text.
    if (start === end || index.get(blob, start, end) !== id) continue
    const firstEnd = start + sizeOf(blob[start]!)
    for (let m = firstEnd; m < end; m += sizeOf(blob[m]!)) {
      const left = m === firstEnd ? chars.ensure(codePointAt(blob, start)) : index.get(blob, start, m)
      if (left < 0) continue
      const right = m + sizeOf(blob[m]!) === end ? chars.ensure(codePointAt(blob, m)) : index.get(blob, m, end)
      if (right < 0) continue
      lefts.push(left)
      rights.push(right)
      made.push(id)
    }
  }
  const order = [...new Set(made)].sort((a, b) => scores[b]! - scores[a]! || a - b)
  // A merge has the number of what it makes as long as that keeps the order: the merger then need not look it up.
  const number = new Int32Array(size)
  let last = -1
  for (const id of order) number[id] = last = last < id ? id : Math.max(last + 1, size)
  const result = Int32Array.from({ length: last + 1 }, (_, k) => k)
  const priority = result.slice()
  let tied = false
  order.forEach((id, k) => {
    result[number[id]!] = id
    const before = order[k - 1]
    if (before === undefined || scores[id] !== scores[before]) return
    priority[number[id]!] = priority[number[before]!]!
    tied = true
  })
  const pairs = new PairTable(made.length)
  for (let k = 0; k < made.length; k++) pairs.add(lefts[k]!, rights[k]!, number[made[k]!]!)
  return { pairs, result, priority: tied ? priority : undefined }
}

/** Splits tokens that may not be given out into the symbols that merging without them makes; undefined without such. */
export function resegmenterOf(
  table: TokenTable,
  chars: CharIds,
  { pairs, result, priority }: Merges,
): ((id: number, emit: (id: number) => void) => void) | undefined {
  if (!table.kinds.some((kind, id) => kind === UNUSED && table.offsets[id] !== table.offsets[id + 1])) return undefined
  const split = (id: number, emit: (id: number) => void): void => {
    const bytes = table.bytes(id)
    const symbols: number[] = []
    for (let p = 0; p < bytes.length; p += sizeOf(bytes[p]!)) symbols.push(chars.get(codePointAt(bytes, p)))
    for (;;) {
      let best = NONE
      let at = -1
      for (let i = 0; i + 1 < symbols.length; i++) {
        const m = pairs.get(symbols[i]!, symbols[i + 1]!)
        if (m === NONE || result[m] === id) continue
        const order = priority === undefined ? m : priority[m]!
        if (order < best) {
          best = order
          at = i
        }
      }
      if (at < 0) break
      symbols.splice(at, 2, result[pairs.get(symbols[at]!, symbols[at + 1]!)]!)
    }
    for (const symbol of symbols) {
      if (symbol < table.size && symbol !== id && table.kinds[symbol] === UNUSED) split(symbol, emit)
      else emit(symbol)
    }
  }
  return split
}
