// Any other split: the pattern from the tokenizer file, translated to JavaScript and run over the text. Slower than a
// hand-written scanner and just as exact; patterns that JavaScript cannot express are refused by name.

import { show, unsupported } from '../errors.js'
import { sizeOf, textOf } from '../utf8.js'
import type { OtherSplit } from './known.js'
import { LATER } from './later.js'
import type { Scanner } from './scanner.js'

/** What becomes of matches, in the words of Hugging Face's `SplitDelimiterBehavior`. */
export type SplitBehavior = 'Isolated' | 'Removed' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

/**
 * Translates a pattern for Oniguruma or Rust's `fancy-regex` to JavaScript's `v` flag: `\s`, `\d` and properties as
 * Unicode 16 has them, `(?i:…)` written out, possessive quantifiers and atomic groups as lookahead captures.
 */
export function translate(pattern: string, op: string): RegExp {
  let out = ''
  let captures = 0
  /** Per open group: where its text begins in `out`, and whether it ignores case. */
  const groups: { at: number; fold: boolean; atomic: boolean; risky: boolean }[] = []
  /** Whether the atom just read is a group with a choice or a repetition inside: repeating it can take exponential time. */
  let atomRisky = false
  const markRisky = (): void => {
    const open = groups.at(-1)
    if (open !== undefined) open.risky = true
  }
  let fold = false
  let atomAt = 0
  const possessive = (from: number, body: string): void => {
    captures++
    out = `${out.slice(0, from)}(?=(?<cria${captures}>${body}))\\k<cria${captures}>`
  }
  for (let i = 0; i < pattern.length; ) {
    const c = pattern[i]!
    if (c === '[') {
      atomAt = out.length
      atomRisky = false
      const [text, next] = translateClass(pattern, i, fold, op)
      out += text
      i = next
    } else if (c === '(') {
      const head = /^\((?:\?(?:[:=!>]|<[=!]|i:|-i:|i\)))?/.exec(pattern.slice(i))![0]
      if (head === '(' && pattern[i + 1] === '?') {
        throw unsupported(op, `the pattern ${show(pattern)}`, 'groups (…), (?:…), (?i:…), (?>…) and lookaround')
      }
      if (head === '(?i)') {
        fold = true
        i += head.length
        continue
      }
      groups.push({ at: out.length, fold, atomic: head === '(?>', risky: false })
      if (head === '(?i:') fold = true
      if (head === '(?-i:') fold = false
      out += head === '(' || head === '(?i:' || head === '(?-i:' || head === '(?>' ? '(?:' : head
      i += head.length
    } else if (c === ')') {
      const group = groups.pop()
      if (group === undefined) throw unsupported(op, `the pattern ${show(pattern)}`, 'balanced parentheses')
      out += ')'
      fold = group.fold
      atomAt = group.at
      atomRisky = group.risky && !group.atomic
      if (atomRisky) markRisky()
      if (group.atomic) possessive(group.at, out.slice(group.at))
      i++
    } else if (c === '*' || c === '+' || c === '?' || (c === '{' && /^\{\d*,?\d*\}/.test(pattern.slice(i)))) {
      const quantifier = c === '{' ? /^\{\d*,?\d*\}/.exec(pattern.slice(i))![0] : c
      i += quantifier.length
      const most =
        c === '?' ? 1 : c === '{' ? Number(/(\d*)\}$/.exec(quantifier)![1] || Number.POSITIVE_INFINITY) : Infinity
      const possessing = pattern[i] === '+' && c !== '{'
      if (most > 3 && atomRisky && !possessing) {
        throw unsupported(
          op,
          `the pattern ${show(pattern)}`,
          'no repetition of a choice or repetition, which may never end',
        )
      }
      if (most > 3 && !possessing) markRisky()
      out += quantifier.startsWith('{,') ? `{0${quantifier.slice(1)}` : quantifier
      if (possessing) {
        possessive(atomAt, out.slice(atomAt))
        i++
      } else if (pattern[i] === '?') {
        out += '?'
        i++
      }
    } else if (c === '\\') {
      atomAt = out.length
      atomRisky = false
      const [text, next] = translateEscape(pattern, i, false, op)
      out += text
      i = next
    } else {
      atomAt = out.length
      const ch = String.fromCodePoint(pattern.codePointAt(i)!)
      if (c === '|') markRisky()
      atomRisky = false
      if (c === '.') out += '[^\\n]'
      else out += c === '|' || c === '^' || c === '$' ? c : foldChar(ch, fold, false)
      i += ch.length
    }
  }
  try {
    return new RegExp(out, 'gv')
  } catch (cause) {
    throw unsupported(
      op,
      `the pattern ${show(pattern)} (${(cause as Error).message})`,
      'a pattern JavaScript can express',
    )
  }
}

/** Symbols that Unicode 17 added. */
const LATER_SYMBOLS =
  /[\u20c1\u2b96\ufbc3-\ufbd2\ufd90\ufd91\ufdc8-\ufdce\u{1ccfa}-\u{1ccfc}\u{1ceba}-\u{1cef0}\u{1f6d8}\u{1f777}-\u{1f77a}\u{1f8d0}-\u{1f8d8}\u{1fa54}-\u{1fa57}\u{1fa8a}-\u{1fa8e}\u{1fac8}-\u{1facd}\u{1faea}-\u{1faef}\u{1fbfa}]/u

/** A set of characters, or with `not` all others, in Unicode 16. For regular expressions with the flag `v`. */
export function in16(set: string, not = ''): string {
  return `[${not}${set}--${LATER.source}--${LATER_SYMBOLS.source}]`
}

/** A character that stands for itself. */
function quote(ch: string, inClass: boolean): string {
  return (inClass ? /[!#-&(-/:-@[-^`{-~]/ : /[\\^$.*+?()[\]{}|/]/).test(ch) ? `\\${ch}` : ch
}

/** One character, or in a case-blind part all its case variants. */
function foldChar(ch: string, fold: boolean, inClass: boolean): string {
  if (!fold) return quote(ch, inClass)
  const variants = new Set([ch, ch.toLowerCase(), ch.toUpperCase()].filter(s => [...s].length === 1))
  if (variants.has('s')) variants.add('\u017f')
  if (variants.has('k')) variants.add('\u212a')
  if (variants.size === 1) return quote(ch, inClass)
  const all = [...variants].join('')
  return inClass ? all : `[${all}]`
}

function translateEscape(pattern: string, at: number, inClass: boolean, op: string): [string, number] {
  const c = pattern[at + 1]
  if (c === undefined) throw unsupported(op, `the pattern ${show(pattern)}`, 'no backslash at the end')
  switch (c) {
    case 's':
      return ['\\p{White_Space}', at + 2]
    case 'S':
      return ['\\P{White_Space}', at + 2]
    case 'd':
      return [in16('\\p{Nd}'), at + 2]
    case 'D':
      return [in16('\\p{Nd}', '^'), at + 2]
    case 'w':
      return [in16('[\\p{L}\\p{M}\\p{N}\\p{Pc}]'), at + 2]
    case 'p':
    case 'P': {
      const name = /^\{\^?[^}]*\}|^\w/.exec(pattern.slice(at + 2))?.[0]
      if (name === undefined) throw unsupported(op, `the pattern ${show(pattern)}`, 'a property name after \\p')
      const bare = name.replace(/[{}^]/g, '')
      const negative = (c === 'P') !== name.startsWith('{^')
      const scripts = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Latin', 'Cyrillic', 'Greek', 'Thai', 'Arabic']
      const known = scripts.includes(bare) ? `Script=${bare}` : bare
      // U+0295 became a letter without case in Unicode 17.
      const set = known === 'Ll' ? '[\\p{Ll}\\u0295]' : `\\p{${known}}${known === 'Lo' ? '--\\u0295' : ''}`
      // To Unicode 16 they are not assigned.
      if (/^(?:C|Cn|Other|Unassigned)$/.test(bare))
        return [`[${negative ? '^' : ''}${set}${LATER.source}${LATER_SYMBOLS.source}]`, at + 2 + name.length]
      return [in16(set, negative ? '^' : ''), at + 2 + name.length]
    }
    case 'x': {
      const hex = /^\{([0-9A-Fa-f]+)\}|^([0-9A-Fa-f]{2})/.exec(pattern.slice(at + 2))
      if (hex === null) throw unsupported(op, `the pattern ${show(pattern)}`, 'hexadecimal digits after \\x')
      return [`\\u{${hex[1] ?? hex[2]}}`, at + 2 + hex[0].length]
    }
    case 'A':
      if (!inClass) return ['^', at + 2]
      break
    case 'z':
      if (!inClass) return ['$', at + 2]
      break
    case 'b':
    case 'B':
      if (!inClass) return [`\\${c}`, at + 2]
      break
    default:
  }
  if (/[nrtfv0]/.test(c)) return [`\\${c}`, at + 2]
  if (/[A-Za-z1-9]/.test(c))
    throw unsupported(op, `\\${c} in the pattern ${show(pattern)}`, 'an escape that is known here')
  const ch = String.fromCodePoint(pattern.codePointAt(at + 1)!)
  return [quote(ch, inClass), at + 1 + ch.length]
}

function translateClass(pattern: string, at: number, fold: boolean, op: string): [string, number] {
  let out = '['
  let i = at + 1
  if (pattern[i] === '^') {
    out += '^'
    i++
  }
  for (let first = true; ; first = false) {
    const c = pattern[i]
    if (c === undefined) throw unsupported(op, `the pattern ${show(pattern)}`, 'closed brackets')
    if (c === ']' && !first) return [`${out}]`, i + 1]
    if ((c === '&' && pattern[i + 1] === '&') || c === '[') {
      throw unsupported(op, `the pattern ${show(pattern)}`, 'no nested or intersected character classes')
    }
    if (c === '\\') {
      const [text, next] = translateEscape(pattern, i, true, op)
      out += text
      i = next
      continue
    }
    const ch = String.fromCodePoint(pattern.codePointAt(i)!)
    const rangeEnd = pattern[i + ch.length] === '-' && pattern[i + ch.length + 1] !== ']'
    if (c === '-') {
      // A range only where both sides stand; otherwise the character itself.
      const isRange = !first && pattern[i + 1] !== ']' && !out.endsWith('[^') && !/(?:\}|\]\]|[^\\]-\\?.)$/su.test(out)
      out += isRange ? '-' : '\\-'
    } else out += foldChar(ch, fold && !rangeEnd && !out.endsWith('-'), true)
    i += ch.length
  }
}

/** Isolates the matches of any pattern. */
export const splitByRegex: OtherSplit = (pattern, op) => new RegexScanner(translate(pattern, op), 'Isolated')

/** A scanner that runs a regular expression over each range it is given. */
export class RegexScanner implements Scanner {
  readonly pattern: RegExp
  readonly behavior: SplitBehavior
  readonly #invert: boolean
  #ends: number[] = []
  #at = 0

  constructor(pattern: RegExp, behavior: SplitBehavior, invert = false) {
    this.pattern = pattern
    this.behavior = behavior
    this.#invert = invert
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    const text = textOf(bytes, start, end)
    const cuts = split(text, this.pattern, this.behavior, this.#invert)
    // Positions in the string become positions in the bytes.
    this.#ends = []
    this.#at = 0
    let unit = 0
    let byte = start
    for (const cut of cuts) {
      const stop = cut < 0 ? ~cut : cut
      while (unit < stop) {
        const size = sizeOf(bytes[byte]!)
        byte += size
        unit += size === 4 ? 2 : 1
      }
      this.#ends.push(cut < 0 ? ~byte : byte)
    }
  }

  next(): number {
    return this.#ends[this.#at++]!
  }
}

/** Ends of the pieces of `text` in UTF-16 units; `~end` for a piece that is dropped. */
export function split(text: string, pattern: RegExp, behavior: SplitBehavior, invert: boolean): number[] {
  /** Alternating pieces as `[end, is a match]`. */
  const parts: { end: number; match: boolean }[] = []
  let last = 0
  pattern.lastIndex = 0
  for (let m = pattern.exec(text); m !== null; m = pattern.exec(text)) {
    if (m[0] === '') {
      pattern.lastIndex += (text.codePointAt(pattern.lastIndex) ?? 0) > 0xffff ? 2 : 1
      continue
    }
    if (m.index > last) parts.push({ end: m.index, match: invert })
    last = m.index + m[0].length
    parts.push({ end: last, match: !invert })
  }
  if (last < text.length) parts.push({ end: text.length, match: invert })
  const ends: number[] = []
  for (let i = 0; i < parts.length; i++) {
    const { end, match } = parts[i]!
    const next = parts[i + 1]
    if (behavior === 'Removed') ends.push(match ? ~end : end)
    else if (behavior === 'Isolated') ends.push(end)
    else if (behavior === 'Contiguous') {
      if (next?.match !== match) ends.push(end)
    } else if (behavior === 'MergedWithPrevious') {
      if (match || next === undefined || !next.match) ends.push(end)
    } else if (!match || next === undefined || next.match) ends.push(end)
  }
  return ends
}
