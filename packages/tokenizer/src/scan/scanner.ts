// How a pre-tokenizer looks to the encoder: something that, in valid UTF-8, says where the piece that begins at
// `start` ends. Patterns known by name are written by hand (patterns.ts); any other is a regular expression (regex.ts).

import { codePointAt, sizeOf } from '../utf8.js'
import { type ClassTable, classOf } from './classes.js'

/** Finds the ends of pieces. A piece never reaches past `end`, and lookahead sees the text end there. */
export interface Scanner {
  /** Called once before the pieces of a range are asked for. */
  begin?(bytes: Uint8Array, start: number, end: number): void
  /** End of the piece that begins at `start < end`; `~end` when the pattern drops the piece. */
  next(bytes: Uint8Array, start: number, end: number): number
}

/** First position at or after `i` whose character has none of the bits in `mask`. */
export function skip(t: ClassTable, b: Uint8Array, i: number, end: number, mask: number): number {
  let p = i
  while (p < end) {
    const c = b[p]!
    if (c < 0x80) {
      if ((t[c]! & mask) === 0) return p
      p++
    } else {
      if ((classOf(t, codePointAt(b, p)) & mask) === 0) return p
      p += sizeOf(c)
    }
  }
  return p
}

/** First position at or after `i` whose character has one of the bits in `mask`. */
export function skipNot(t: ClassTable, b: Uint8Array, i: number, end: number, mask: number): number {
  let p = i
  while (p < end) {
    const c = b[p]!
    if (c < 0x80) {
      if ((t[c]! & mask) !== 0) return p
      p++
    } else {
      if ((classOf(t, codePointAt(b, p)) & mask) !== 0) return p
      p += sizeOf(c)
    }
  }
  return p
}

/** Class bits of the character at `p`; 0 at the end. */
export function classAt(t: ClassTable, b: Uint8Array, p: number, end: number): number {
  if (p >= end) return 0
  const c = b[p]!
  return c < 0x80 ? t[c]! : classOf(t, codePointAt(b, p))
}

/** Start of the last character of `[start, end)`. */
export function lastStart(b: Uint8Array, end: number): number {
  let p = end - 1
  while ((b[p]! & 0xc0) === 0x80) p--
  return p
}

/** Runs scanners one inside the other: each piece of the first is split further by the second, and so on. */
export function chain(scanners: readonly Scanner[]): Scanner {
  if (scanners.length === 1) return scanners[0]!
  const [outer, ...rest] = scanners
  return new Chained(outer!, chain(rest))
}

class Chained implements Scanner {
  readonly #outer: Scanner
  readonly #inner: Scanner
  #pieceEnd = -1

  constructor(outer: Scanner, inner: Scanner) {
    this.#outer = outer
    this.#inner = inner
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#pieceEnd = start
    this.#outer.begin?.(bytes, start, end)
  }

  next(bytes: Uint8Array, start: number, end: number): number {
    if (start >= this.#pieceEnd) {
      const piece = this.#outer.next(bytes, start, end)
      if (piece < 0) {
        this.#pieceEnd = ~piece
        return piece
      }
      this.#pieceEnd = piece
      this.#inner.begin?.(bytes, start, piece)
    }
    return this.#inner.next(bytes, start, this.#pieceEnd)
  }
}
