// A fast way into the `tokenizer.json` of a byte-level model: its vocabulary and merges, nearly all of the file, are read
// from the bytes into tables as they stand, where parsing them as JSON would make half a million strings first. It takes
// nothing that it does not know: any surprise is an error, and then the careful reader reads the file.

import type { Merges } from '../bpe/merger.js'
import { PairTable } from '../bpe/pair-table.js'
import { hashOn, hashPowers, VocabIndex } from '../bpe/vocab-index.js'
import type { JsonObject } from '../json-value.js'
import { withRoom } from '../room.js'
import { lookup, MAX_VOCAB, NORMAL, type TokenTable } from '../token-table.js'
import { textOf } from '../utf8.js'
import { alphabet, type JsonModel, jsonByteLevel, type Vocab } from './json-models.js'
import { addByteLevel, MAX_MERGES } from './listed.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x5b
const CLOSE = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** A part of the file. */
class Range {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes
    this.from = from
    this.to = to
  }
}

function surprise(at: number): never {
  throw new Error(`unexpected JSON at byte ${at}`)
}

function space(b: Uint8Array, from: number): number {
  let p = from
  while (b[p] === 0x20 || (b[p]! >= 9 && b[p]! <= 13)) p++
  return p
}

/** Behind `byte`, which must stand at `from`, and the space after it. */
function past(b: Uint8Array, from: number, byte: number): number {
  if (b[from] !== byte) surprise(from)
  return space(b, from + 1)
}

/** Where the next entry of a list or object begins, or `close` stands, when one ends at `from`. */
function nextEntry(b: Uint8Array, from: number, close: number): number {
  const p = space(b, from)
  return b[p] === close ? p : past(b, p, COMMA)
}

/** Behind the closing quote of the string whose opening quote must stand at `from`. */
function stringEnd(b: Uint8Array, from: number): number {
  if (b[from] !== QUOTE) surprise(from)
  for (let p = from + 1; p < b.length; p++) {
    if (b[p] === QUOTE) return p + 1
    if (b[p] === BACKSLASH) p++
  }
  return surprise(from)
}

function valueEnd(b: Uint8Array, from: number): number {
  if (b[from] === QUOTE) return stringEnd(b, from)
  let depth = 0
  for (let p = from; p < b.length; p++) {
    const c = b[p]!
    if (c === QUOTE) p = stringEnd(b, p) - 1
    else if (c === OPEN || c === OPEN_BRACE) depth++
    else if (c === CLOSE || c === CLOSE_BRACE) {
      if (depth <= 1) return depth === 1 ? p + 1 : p
      depth--
    } else if (c === COMMA && depth === 0) return p
  }
  return surprise(from)
}

/** Calls `visit` with each key of the object at `from` and where its value begins; `visit` returns where it ends. */
function members(b: Uint8Array, from: number, visit: (key: string, from: number) => number): number {
  let p = past(b, from, OPEN_BRACE)
  while (b[p] !== CLOSE_BRACE) {
    const end = stringEnd(b, p)
    p = nextEntry(b, visit(textOf(b, p + 1, end - 1), past(b, space(b, end), COLON)), CLOSE_BRACE)
  }
  return p + 1
}

/** The file without vocabulary and merges, which are left as ranges of it; undefined where it has no such model. */
export function scanByteLevel(bytes: Uint8Array): JsonObject | undefined {
  try {
    const found: Record<string, Range> = {}
    members(bytes, space(bytes, 0), (key, from) => {
      if (key !== 'model') return valueEnd(bytes, from)
      return members(bytes, from, (inner, start) => {
        const end = valueEnd(bytes, start)
        if (inner === 'vocab' || inner === 'merges') found[inner] = new Range(bytes, start, end)
        return end
      })
    })
    const { vocab, merges } = found
    if (vocab === undefined || merges === undefined) return undefined
    let rest = ''
    let at = 0
    for (const { from, to } of [vocab, merges].sort((a, b) => a.from - b.from)) {
      rest += `${textOf(bytes, at, from)}0`
      at = to
    }
    const root = JSON.parse(rest + textOf(bytes, at, bytes.length)) as JsonObject
    const model = root.model as JsonObject
    const byteLevel = JSON.stringify(root.pre_tokenizer ?? null).includes('"ByteLevel"')
    return byteLevel ? { ...root, model: { ...model, vocab, merges } } : undefined
  } catch {
    return undefined
  }
}

/** Where the pieces stand in the file, by id. */
interface ScannedVocab extends Vocab {
  readonly bytes: Uint8Array
  /** Behind the opening quote; 0 for ids that there are none of. */
  readonly starts: Int32Array
  readonly ends: Int32Array
}

function scanVocab(section: unknown): ScannedVocab {
  const { bytes: b, from, to } = section as Range
  // An entry has at least six bytes; ids may have gaps.
  const room = Math.min(MAX_VOCAB, 2 * Math.ceil((to - from) / 6))
  const starts = new Int32Array(room)
  const ends = new Int32Array(room)
  let size = 0
  for (let p = past(b, from, OPEN_BRACE); b[p] !== CLOSE_BRACE; ) {
    const start = p + 1
    const end = stringEnd(b, p)
    p = past(b, space(b, end), COLON)
    let id = 0
    const digits = p
    for (; b[p]! >= 0x30 && b[p]! <= 0x39; p++) id = id * 10 + b[p]! - 0x30
    if (p === digits || id >= room || starts[id] !== 0) surprise(digits)
    starts[id] = start
    ends[id] = end - 1
    size = Math.max(size, id + 1)
    p = nextEntry(b, p, CLOSE_BRACE)
  }
  const pieceOf = (id: number): string | undefined => {
    if (!starts[id]) return undefined
    const text = textOf(b, starts[id]!, ends[id]!)
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
  }
  return { bytes: b, starts, ends, size, pieceOf, idOf: lookup(size, pieceOf) }
}

/**
 * The bytes that the text `[from, to)` in GPT-2's alphabet stands for, written to `out` at `at`; -1 for text that is not in
 * it or written in an unusual way. `divider` hears where a space stands.
 */
function unwrap(
  b: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
  divider?: (at: number) => void,
): number {
  let o = at
  for (let p = from; p < to; p++) {
    let unit = b[p]!
    if (unit >= 0x80) unit = unit < 0xe0 ? ((unit & 31) << 6) | (b[++p]! & 63) : alphabet.length
    else if (unit === BACKSLASH) {
      unit = b[++p]!
      if (unit !== QUOTE && unit !== BACKSLASH && unit !== 0x2f) return -1
    } else if (unit === 0x20 && divider !== undefined) {
      divider(o)
      continue
    }
    const byte = unit < alphabet.length ? alphabet[unit]! : -1
    if (byte < 0) return -1
    out[o++] = byte
  }
  return o
}

function scanMerges(section: unknown, index: VocabIndex, { size, kinds }: TokenTable): Merges {
  const { bytes: b, from } = section as Range
  const pairs = new PairTable(2 * size)
  let result = new Int32Array(2 * size)
  const out = new Uint8Array(4096)
  let middle = 0
  const divide = (at: number): void => {
    if (middle !== 0) surprise(from)
    middle = at
  }
  let p = space(b, from + 1)
  /** Appends the bytes of the string at `p` and moves behind it. */
  const text = (used: number, divider?: (at: number) => void): number => {
    const start = p
    p = stringEnd(b, p)
    return p - start > 2048 ? -1 : unwrap(b, start + 1, p - 1, out, used, divider)
  }
  const powers = hashPowers(out.length)
  let made = 0
  let rank = 0
  for (; b[p] !== CLOSE; rank++) {
    middle = 0
    let end: number
    if (b[p] === OPEN) {
      p = space(b, p + 1)
      middle = text(0)
      if (middle < 0) surprise(p)
      p = past(b, space(b, p), COMMA)
      end = text(middle)
      p = past(b, space(b, p), CLOSE)
    } else end = text(0, divide)
    if (middle <= 0 || end <= middle || rank >= MAX_MERGES) surprise(p)
    let before = 0
    for (let i = 0; i < middle; i++) before = hashOn(before, out[i]!)
    let whole = before
    for (let i = middle; i < end; i++) whole = hashOn(whole, out[i]!)
    const left = index.find(before, out, 0, middle)
    const right = index.find((whole - Math.imul(before, powers[end - middle]!)) | 0, out, middle, end)
    // Most files list the merges in the order of what they make.
    if (!index.is(made, out, 0, end) && !index.is(++made, out, 0, end)) made = -1
    if (kinds[made] !== NORMAL) made = index.find(whole, out, 0, end)
    if (left < 0 || right < 0 || made < 0) surprise(p)
    result = withRoom(result, rank + 1)
    result[rank] = made
    pairs.add(left, right, rank)
    p = nextEntry(b, p, CLOSE)
  }
  return { pairs, result: result.slice(0, rank) }
}

/** Byte-level BPE that {@link scanByteLevel} has found. */
export const jsonScanned = (): JsonModel => ({
  ...jsonByteLevel,
  vocab: model => scanVocab(model.vocab),
  add(builder, vocab, id) {
    const { bytes, starts, ends } = vocab as ScannedVocab
    const start = starts[id]!
    if (start === 0) return false
    const end = ends[id]!
    const { at } = builder
    const stop = unwrap(bytes, start, end, builder.room(end - start), at)
    if (stop < 0) addByteLevel(builder, vocab.pieceOf(id)!, NORMAL, alphabet)
    else builder.commit(stop - at, NORMAL)
    return true
  },
  data(model, table) {
    const index = new VocabIndex(table, kind => kind === NORMAL)
    return { index, merges: scanMerges(model.merges, index, table) }
  },
})
