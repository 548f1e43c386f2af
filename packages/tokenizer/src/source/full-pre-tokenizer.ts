// The pre-tokenizers that few models use; each is a regular expression here.

import { badFile, show, unsupported } from '../errors.js'
import { escapePattern } from '../escape-pattern.js'
import { isObject, type JsonObject, stringOf } from '../json-value.js'
import { in16, RegexScanner, type SplitBehavior, translate } from '../scan/regex.js'
import type { PreTokenizer, ReadSection } from './pre-tokenizer.js'

const BEHAVIORS: readonly string[] = ['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']
/** ASCII's, and what Unicode 8 called so: less than later versions, but for two. */
const PUNCTUATION =
  '[[\\p{P}\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e\\u166d\\u{111c9}]--[\\u061d\\u09fd-\\u0a76\\u0c77-\\u0c84\\u1b4e\\u1b4f\\u1b7d-\\u1b7f\\u2e43-\\u2e5d\\u{10d6e}-\\u{10f89}\\u{113d4}-\\u{1145d}\\u{11660}-\\u{116b9}\\u{1183b}-\\u{11fff}\\u{12ff1}\\u{12ff2}\\u{16d6d}-\\u{16fe2}\\u{1e5ff}-\\u{1e95f}]]'

/** Every split, Digits behind ByteLevel, Punctuation, Whitespace and WhitespaceSplit. */
export const fullPreTokenizer: ReadSection = (section, out, op) => {
  switch (section.type) {
    case 'Split':
      addSplit(section, out, op)
      return true
    case 'Digits':
      // The byte alphabet shows six bytes as Latin-1 number characters.
      out.scanners.push(new RegexScanner(section.individual_digits === true ? /[0-9]/gu : /[0-9]+/gu, 'Isolated'))
      return true
    case 'Punctuation': {
      const behavior = behaviorOf(section.behavior ?? 'Isolated', op)
      if (behavior === 'Contiguous' && !out.byteLevel) {
        out.scanners.push(new RegexScanner(new RegExp(`${PUNCTUATION}+`, 'gv'), 'Isolated'))
      } else out.scanners.push(new RegexScanner(new RegExp(PUNCTUATION, 'gv'), behavior))
      return true
    }
    case 'WhitespaceSplit':
      out.scanners.push(new RegexScanner(/\p{White_Space}/gu, 'Removed'))
      return true
    case 'Whitespace': {
      const word = in16('[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]')
      out.scanners.push(new RegexScanner(new RegExp(`${word}+|[^${word}\\p{White_Space}]+`, 'gv'), 'Removed', true))
      return true
    }
    default:
      return false
  }
}

function behaviorOf(value: unknown, op: string): SplitBehavior {
  const name = typeof value === 'string' ? value : ''
  const known = BEHAVIORS.find(b => b.toLowerCase() === name.replaceAll('_', '').toLowerCase())
  if (known === undefined) throw badFile(op, `behavior ${show(value)}`, BEHAVIORS.join(', '))
  return known as SplitBehavior
}

function addSplit(section: JsonObject, out: PreTokenizer, op: string): void {
  const behavior = behaviorOf(section.behavior, op)
  const invert = section.invert === true
  const pattern = section.pattern
  if (!isObject(pattern)) throw badFile(op, `Split pattern ${show(pattern)}`, '{ Regex } or { String }')
  if (pattern.String !== undefined) {
    const text = stringOf(pattern.String, 'Split pattern', op)
    if (text === '') throw badFile(op, 'an empty Split pattern', 'a pattern')
    const scanner = new RegexScanner(new RegExp(escapePattern(text), 'gu'), behavior, invert)
    if (text === ' ') out.spaceSplits.add(scanner)
    out.scanners.push(scanner)
    return
  }
  const regex = stringOf(pattern.Regex, 'Split pattern', op)
  if (regex === '') throw badFile(op, 'an empty Split pattern', 'a pattern')
  if (out.byteLevel && !/^(\[0-9\])+$/.test(regex)) {
    throw unsupported(op, `Split ${show(regex)} behind ByteLevel`, 'Split before ByteLevel')
  }
  out.scanners.push(new RegexScanner(translate(regex, op), behavior, invert))
}
