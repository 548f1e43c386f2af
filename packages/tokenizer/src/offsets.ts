// Where each token comes from in the text. Encoding keeps no positions, since that would cost every caller; here they are
// found again: the bytes of the tokens are laid along the text that the model saw, and that along the original.

import { type AcceptToken, acceptOf } from './added-tokens.js'
import { badArgument, show } from './errors.js'
import { IdSink } from './ids.js'
import type { TracedSegment } from './pipeline.js'
import { type TokenTable, UNKNOWN } from './token-table.js'
import { type EncodeOptions, partsOf, pipelineOf, type Tokenizer } from './tokenizer.js'
import { sizeOf, utf8 } from './utf8.js'

/** Ids with their ranges in the text. Empty ranges: tokens that come from no text, such as BOS. */
export interface EncodingWithOffsets {
  readonly ids: Uint32Array
  /** First UTF-16 unit of each token; a token that is part of a character has the range of the whole character. */
  readonly starts: Uint32Array
  /** One past the last UTF-16 unit of each token. */
  readonly ends: Uint32Array
  /** First byte of each token in the UTF-8 of the text. */
  readonly byteStarts: Uint32Array
  /** One past the last byte of each token in the UTF-8 of the text. */
  readonly byteEnds: Uint32Array
}

/**
 * `tokenizer.encode` with the range of the text that each token covers, in UTF-16 units and in bytes of UTF-8. A leading
 * space belongs to its token; a token that covers a part of a character has that character's range, and its bytes
 * exactly. Tokens that come from no text (BOS, a lone dummy prefix) have empty ranges.
 *
 * @example
 * const { ids, starts, ends } = encodeWithOffsets(tokenizer, 'Hello world')
 * ids.forEach((id, i) => console.log(id, 'Hello world'.slice(starts[i], ends[i])))
 */
export function encodeWithOffsets(
  tokenizer: Tokenizer,
  text: string,
  options: EncodeOptions = {},
): EncodingWithOffsets {
  if (typeof text !== 'string') throw badArgument('encodeWithOffsets', show(text), 'a string')
  const trace: TracedSegment[] = []
  const sink = new IdSink()
  const { bos = tokenizer.addBos, eos = tokenizer.addEos } = options
  for (const id of tokenizer.encode('', { ...options, bos, eos: false })) sink.push(id)
  pipelineOf(tokenizer).append(text, true, acceptOf(options.allowSpecial ?? 'none'), sink, trace)
  for (const id of tokenizer.encode('', { bos: false, eos })) sink.push(id)
  return located(tokenizer, text, sink, trace)
}

/** `tokenizer.encodeParts` with ranges in the joined text, in which numbers stand as their `piece`. */
export function encodePartsWithOffsets(
  tokenizer: Tokenizer,
  parts: readonly (string | number)[],
  accept?: AcceptToken,
): EncodingWithOffsets {
  const trace: TracedSegment[] = []
  const sink = new IdSink()
  let text = ''
  parts.forEach((part, i) => {
    const at = text.length
    if (typeof part === 'string') {
      const inner: TracedSegment[] = []
      pipelineOf(tokenizer).append(part, i === 0, accept, sink, inner)
      for (const each of inner) trace.push({ ...each, start: each.start + at, end: each.end + at })
      text += part
    } else {
      text += tokenizer.piece(part)
      sink.push(part)
      trace.push({ idFrom: sink.length - 1, idTo: sink.length, start: at, end: text.length, seen: undefined })
    }
  })
  return located(tokenizer, text, sink, trace)
}

/**
 * The longest beginning of `text` that has at most `most` ids, cut at a token's end and between characters.
 * `side: 'start'` cuts there instead and keeps the end of the text.
 */
export function truncate(
  tokenizer: Tokenizer,
  text: string,
  most: number,
  options: EncodeOptions & { readonly side?: 'start' | 'end' } = {},
): string {
  if (!Number.isInteger(most) || most < 0) throw badArgument('truncate', `most ${show(most)}`, 'a whole number from 0')
  const { ids, starts, ends } = encodeWithOffsets(tokenizer, text, options)
  if (ids.length <= most) return text
  const fromStart = options.side === 'start'
  // What is left may split otherwise than it did inside the whole, so the first guess is checked.
  for (let keep = most; keep > 0; keep--) {
    const cut = fromStart ? ends[ids.length - keep - 1]! : starts[keep]!
    const part = fromStart ? text.slice(cut) : text.slice(0, cut)
    if (tokenizer.count(part, options) <= most) return part
  }
  return ''
}

function located(
  tokenizer: Tokenizer,
  text: string,
  sink: IdSink,
  trace: readonly TracedSegment[],
): EncodingWithOffsets {
  const { table, normalize, recipe } = partsOf(tokenizer)
  return offsetsOf(text, sink.take(), trace, table, normalize, recipe.unigram === 'double')
}

/** Ranges of `ids` from the trace of their encoding. */
function offsetsOf(
  text: string,
  ids: Uint32Array,
  trace: readonly TracedSegment[],
  table: TokenTable,
  normalize: ((text: string) => string) | undefined,
  named: boolean,
): EncodingWithOffsets {
  const byteStarts = new Uint32Array(ids.length)
  const byteEnds = new Uint32Array(ids.length)
  let unit = 0
  let byte = 0
  let idAt = 0
  const advance = (to: number): number => {
    byte += utf8(text.slice(unit, to)).length - utf8(text.slice(to, unit)).length
    unit = to
    return byte
  }
  for (const { idFrom, idTo, start, end, seen } of trace) {
    const from = advance(start)
    const to = advance(end)
    // Ids before the first segment, such as BOS, come from nothing.
    for (; idAt < idFrom; idAt++) byteStarts[idAt] = byteEnds[idAt] = from
    if (seen === undefined) {
      byteStarts.fill(from, idFrom, idTo)
      byteEnds.fill(to, idFrom, idTo)
    } else
      layTokens(
        ids,
        idFrom,
        idTo,
        seen,
        align(text.slice(start, end), seen, normalize),
        from,
        table,
        byteStarts,
        byteEnds,
        named,
      )
    idAt = idTo
  }
  const total = advance(text.length)
  byteStarts.fill(total, idAt)
  byteEnds.fill(total, idAt)
  return { ids, ...unitRanges(text, byteStarts, byteEnds), byteStarts, byteEnds }
}

/** For each byte of the seen text, the range of bytes of the original it comes from. */
interface Alignment {
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

function align(original: string, seen: string, normalize: ((text: string) => string) | undefined): Alignment {
  const bytes = utf8(seen)
  const starts = new Uint32Array(bytes.length)
  const ends = new Uint32Array(bytes.length)
  const source = utf8(original)
  if (original === seen) {
    for (let i = 0; i < bytes.length; i++) ends[i] = (starts[i] = i) + 1
    return { bytes, starts, ends }
  }
  const isSpace = (c: string | undefined): boolean => c === ' ' || c === '\u2581'
  // Clusters are what normalisation forms act on; most are one character.
  const clusters = original.match(/\P{M}?\p{M}+|\P{M}/gsu) ?? []
  let at = 0
  let from = 0
  let rest = seen
  const put = (count: number, length: number): void => {
    for (let i = 0; i < count; i++) {
      // Bytes that stay as they are keep their place; others share that of the whole cluster.
      const same = count === length && bytes[at] === source[from + i]
      starts[at] = same ? from + i : from
      ends[at] = same ? from + i + 1 : from + length
      at++
    }
  }
  for (let k = 0; k < clusters.length; k++) {
    const cluster = clusters[k]!
    const length = utf8(cluster).length
    // A prefix that encoding put in, before the stretch or one of its words, comes from nothing.
    if (isSpace(rest[0]) && !isSpace(cluster) && (k === 0 ? !rest.startsWith(cluster) : rest.startsWith(cluster, 1))) {
      put(rest[0] === ' ' ? 1 : 3, 0)
      rest = rest.slice(1)
    } else if (k === 0 && isSpace(rest[0]) && isSpace(rest[1]) && isSpace(cluster) && seen.length > original.length) {
      put(rest[0] === ' ' ? 1 : 3, 0)
      rest = rest.slice(1)
    }
    const made = rest.startsWith(cluster)
      ? cluster
      : isSpace(cluster) && isSpace(rest[0])
        ? rest[0]!
        : (normalize?.(cluster) ?? cluster)
    if (made !== '' && rest.startsWith(made)) {
      put(utf8(made).length, length)
      rest = rest.slice(made.length)
    }
    from += length
  }
  // What could not be laid out cluster by cluster comes from the end of the stretch.
  put(bytes.length - at, 0)
  return { bytes, starts, ends }
}

/** Lays the ids `[idFrom, idTo)` along the seen text. */
function layTokens(
  ids: Uint32Array,
  idFrom: number,
  idTo: number,
  seen: string,
  alignment: Alignment,
  base: number,
  table: TokenTable,
  byteStarts: Uint32Array,
  byteEnds: Uint32Array,
  named: boolean,
): void {
  const { bytes, starts, ends } = alignment
  const meta = table.style === 'sentencepiece' && seen.includes('\u2581')
  /** Bytes of the seen text that the token's bytes cover at `p`, -1 when they are others. A space stands for `▁`. */
  const covers = (token: Uint8Array, p: number): number => {
    let q = p
    for (const b of token) {
      if (bytes[q] === b) q++
      else if (meta && b === 0x20 && bytes[q] === 0xe2 && bytes[q + 1] === 0x96 && bytes[q + 2] === 0x81) q += 3
      else return -1
    }
    return q - p
  }
  let p = 0
  for (let i = idFrom; i < idTo; i++) {
    const id = ids[i]!
    const token = table.bytes(id)
    let n = table.kinds[id] === UNKNOWN ? -1 : covers(token, p)
    if (n < 0 && p < bytes.length) {
      // An unknown token: whole characters, up to where the next token begins.
      n = 0
      const next = i + 1 < idTo ? table.bytes(ids[i + 1]!) : undefined
      // In Hugging Face's Unigram models the text of the unknown token is unknown as a whole.
      do n += Math.max(sizeOf(bytes[p + n]!), named ? covers(token, p + n) : 0)
      while (p + n < bytes.length && (next === undefined || covers(next, p + n) < 0))
    }
    const last = Math.max(p, Math.min(bytes.length, p + Math.max(0, n)))
    let low = Number.POSITIVE_INFINITY
    let high = -1
    for (let q = p; q < last; q++) {
      if (starts[q] === ends[q]) continue
      low = Math.min(low, starts[q]!)
      high = Math.max(high, ends[q]!)
    }
    const here = p < bytes.length ? starts[p]! : (ends.at(-1) ?? 0)
    byteStarts[i] = base + (high < 0 ? here : low)
    byteEnds[i] = base + (high < 0 ? here : high)
    p = last
  }
}

/** Byte ranges as UTF-16 ranges, widened to whole characters. */
function unitRanges(
  text: string,
  byteStarts: Uint32Array,
  byteEnds: Uint32Array,
): { starts: Uint32Array; ends: Uint32Array } {
  const length = utf8(text).length
  // For each byte, the unit where its character begins; one past the end as well.
  const unitOf = new Uint32Array(length + 1)
  let byte = 0
  for (let unit = 0; unit < text.length; ) {
    const c = text.codePointAt(unit)!
    const size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4
    unitOf.fill(unit, byte, byte + size)
    byte += size
    unit += size === 4 ? 2 : 1
  }
  unitOf[length] = text.length
  const starts = byteStarts.map(b => unitOf[b]!)
  const ends = byteEnds.map((b, i) => {
    if (b === byteStarts[i]) return starts[i]!
    const first = unitOf[b - 1]!
    return b === length || unitOf[b] !== first ? unitOf[b]! : first + (text.codePointAt(first)! > 0xffff ? 2 : 1)
  })
  return { starts, ends }
}
