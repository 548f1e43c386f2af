// Hand-written scanners for the splits that LLaMA-like models use. Each class states the regular expression that it is
// equal to; the tests hold them against it. Why by hand: a regular expression on strings costs ten times as much, since
// it allocates a string for every word.

import { sizeOf } from '../utf8.js'
import { type ClassTable, classTable, LETTER, LOWER, MARK, NUMBER, OTHER_LETTER, SPACE, UPPER } from './classes.js'
import { classAt, lastStart, type Scanner, skip, skipNot } from './scanner.js'

const SPACE_BYTE = 0x20
const QUOTE = 0x27
const LF = 10
const CR = 13
const NOT_OTHER: number = SPACE | LETTER | NUMBER

/** Length of an apostrophe and `s t d m re ve ll` at `p` (an apostrophe); 0 when there is none. */
function contraction(b: Uint8Array, p: number, end: number, anyCase: boolean): number {
  if (p + 1 >= end) return 0
  const fold = anyCase ? 0x20 : 0
  const c = b[p + 1]! | fold
  if (c === 0x73 || c === 0x74 || c === 0x64 || c === 0x6d) return 2
  if (p + 2 >= end) return 0
  const d = b[p + 2]! | fold
  if ((d === 0x65 && (c === 0x72 || c === 0x76)) || (c === 0x6c && d === 0x6c)) return 3
  // Unicode case folding makes U+017F, the long s, an `s`.
  return anyCase && b[p + 1] === 0xc5 && b[p + 2] === 0xbf ? 3 : 0
}

/** End of the whitespace piece at `start`: `\s+(?!\S)|\s+`, with `lines` after `\s*[\r\n]+|`. */
function spaces(t: ClassTable, b: Uint8Array, start: number, end: number, lines: boolean): number {
  const stop = skip(t, b, start, end, SPACE)
  if (lines) for (let p = stop - 1; p >= start; p--) if (b[p] === LF || b[p] === CR) return p + 1
  if (stop === end) return stop
  const last = lastStart(b, stop)
  return last > start ? last : stop
}

/** `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` (GPT-2). */
export class Gpt2Scanner implements Scanner {
  readonly #t: ClassTable = classTable()

  next(b: Uint8Array, start: number, end: number): number {
    const t = this.#t
    let p = start
    if (b[p] === QUOTE) {
      const n = contraction(b, p, end, false)
      if (n > 0) return p + n
    }
    if (b[p] === SPACE_BYTE && p + 1 < end) p++
    const k = classAt(t, b, p, end)
    if (k & LETTER) return skip(t, b, p, end, LETTER)
    if (k & NUMBER) return skip(t, b, p, end, NUMBER)
    if (k & SPACE) return spaces(t, b, start, end, false)
    return skipNot(t, b, p, end, NOT_OTHER)
  }
}

/**
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,D}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
 * with D = 3 (GPT-4's cl100k, Llama 3) or 1 (Qwen 2).
 */
export class Cl100kScanner implements Scanner {
  readonly #t: ClassTable = classTable()
  readonly #digits: number

  constructor(digits: number) {
    this.#digits = digits
  }

  next(b: Uint8Array, start: number, end: number): number {
    const t = this.#t
    const c = b[start]!
    const k = classAt(t, b, start, end)
    const p = start + sizeOf(c)
    if (k & LETTER) return skip(t, b, p, end, LETTER)
    if (k & NUMBER) return digitsEnd(t, b, p, end, this.#digits - 1)
    if (c === QUOTE) {
      const n = contraction(b, start, end, true)
      if (n > 0) return start + n
    }
    const after = classAt(t, b, p, end)
    if (after & LETTER && c !== LF && c !== CR) return skip(t, b, p, end, LETTER)
    if ((k & SPACE) === 0) return lineEnds(b, skipNot(t, b, p, end, NOT_OTHER), end)
    if (c === SPACE_BYTE && p < end && (after & NOT_OTHER) === 0) {
      return lineEnds(b, skipNot(t, b, p, end, NOT_OTHER), end)
    }
    return spaces(t, b, start, end, true)
  }
}

/** End of at most `more` further number characters. */
function digitsEnd(t: ClassTable, b: Uint8Array, start: number, end: number, more: number): number {
  let p = start
  for (let n = 0; n < more && classAt(t, b, p, end) & NUMBER; n++) p += sizeOf(b[p]!)
  return p
}

function lineEnds(b: Uint8Array, start: number, end: number): number {
  let p = start
  while (p < end && (b[p] === LF || b[p] === CR)) p++
  return p
}

const UPPERISH: number = UPPER | OTHER_LETTER | MARK
const LOWERISH: number = LOWER | OTHER_LETTER | MARK

/**
 * GPT-4o's o200k, also Llama 4:
 * `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?`
 * `|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?`
 * `|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
 */
export class O200kScanner implements Scanner {
  readonly #t: ClassTable = classTable()

  next(b: Uint8Array, start: number, end: number): number {
    const t = this.#t
    const c = b[start]!
    const k = classAt(t, b, start, end)
    if (k & NUMBER) return digitsEnd(t, b, start + sizeOf(c), end, 2)
    const isPrefix = (k & LETTER) === 0 && c !== LF && c !== CR
    const isWord = (k & (LETTER | MARK)) !== 0
    const inner = start + sizeOf(c)
    // The order of a backtracking engine: each alternative with the optional first character, then without.
    let stop = isPrefix ? this.#lowerEnd(b, inner, end) : 0
    if (stop === 0 && isWord) stop = this.#lowerEnd(b, start, end)
    if (stop === 0 && isPrefix) stop = this.#upperEnd(b, inner, end)
    if (stop === 0 && isWord) stop = this.#upperEnd(b, start, end)
    if (stop !== 0) return stop < end && b[stop] === QUOTE ? stop + contraction(b, stop, end, true) : stop
    const p = c === SPACE_BYTE ? start + 1 : start
    if (p < end && (classAt(t, b, p, end) & NOT_OTHER) === 0) {
      stop = skipNot(t, b, p, end, NOT_OTHER)
      while (stop < end && (b[stop] === LF || b[stop] === CR || b[stop] === 0x2f)) stop++
      return stop
    }
    return spaces(t, b, start, end, true)
  }

  /** End of `[upper]*[lower]+` at `p`, 0 when it does not match. */
  #lowerEnd(b: Uint8Array, p: number, end: number): number {
    const t = this.#t
    const upper = skip(t, b, p, end, UPPERISH)
    const stop = skip(t, b, upper, end, LOWERISH)
    if (stop > upper) return stop
    // No lower case follows: give back, from the end, to the last character that may stand in the second class.
    for (let q = upper; q > p; ) {
      const last = lastStart(b, q)
      if (classAt(t, b, last, end) & LOWERISH) return q
      q = last
    }
    return 0
  }

  /** End of `[upper]+[lower]*` at `p`, 0 when it does not match. */
  #upperEnd(b: Uint8Array, p: number, end: number): number {
    const upper = skip(this.#t, b, p, end, UPPERISH)
    return upper === p ? 0 : skip(this.#t, b, upper, end, LOWERISH)
  }
}

/** Isolates runs of at most `most` characters that have a bit of `mask`: `\p{N}`, `\p{N}{1,3}`, `\p{P}+` and the like. */
export class ClassRunScanner implements Scanner {
  readonly mask: number
  readonly #t: ClassTable = classTable()
  readonly #most: number

  constructor(mask: number, most: number) {
    this.mask = mask
    this.#most = most
  }

  next(b: Uint8Array, start: number, end: number): number {
    const t = this.#t
    const mask = this.mask
    const most = this.#most
    if ((classAt(t, b, start, end) & mask) === 0) return skipNot(t, b, start, end, mask)
    let p = start
    for (let n = 0; n < most && classAt(t, b, p, end) & mask; n++) p += sizeOf(b[p]!)
    return p
  }
}
