// Where each token comes from in the text. Encoding keeps no positions, since that would cost every caller; here they are
// found again: the bytes of the tokens are laid along the text that the model saw, and that along the original.

import { Kind, type TokenTable } from './token-table.js'
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

/** A stretch of the original `[start, end)` (UTF-16) and the ids it gave, `[idFrom, idTo)`. */
export interface TracedSegment {
  readonly idFrom: number
  readonly idTo: number
  readonly start: number
  readonly end: number
  /** The text that the model saw; undefined for an added token. */
  readonly seen: string | undefined
}

/** Ranges of `ids` from the trace of their encoding. */
export function offsetsOf(
  text: string,
  ids: Uint32Array,
  trace: readonly TracedSegment[],
  table: TokenTable,
  normalize: ((text: string) => string) | undefined,
): EncodingWithOffsets {
  const byteStarts = new Uint32Array(ids.length)
  const byteEnds = new Uint32Array(ids.length)
  let unit = 0
  let byte = 0
  let idAt = 0
  const advance = (to: number): number => {
    byte += utf8(text.slice(unit, to)).length
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
    // A prefix that encoding put in comes from nothing.
    if (k === 0 && isSpace(rest[0]) && !rest.startsWith(cluster)) {
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
    let n = table.kinds[id] === Kind.unknown ? -1 : covers(token, p)
    if (n < 0 && p < bytes.length) {
      // An unknown token: whole characters, up to where the next token begins.
      n = sizeOf(bytes[p]!)
      const next = i + 1 < idTo ? table.bytes(ids[i + 1]!) : undefined
      while (p + n < bytes.length && (next === undefined || covers(next, p + n) < 0)) n += sizeOf(bytes[p + n]!)
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
