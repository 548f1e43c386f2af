// Hugging Face's `pre_tokenizer` section, turned into scanners (byte-level models) or a prefix rule (Metaspace).

import { badFile, show, unsupported } from '../errors.js'
import { arrayOf, isObject, type JsonObject, objectOf, stringOf } from '../json-value.js'
import { NUMBER } from '../scan/classes.js'
import { isolate, knownScanner } from '../scan/known.js'
import { ClassRunScanner, Gpt2Scanner } from '../scan/patterns.js'
import { RegexScanner, type SplitBehavior, translate } from '../scan/regex.js'
import { chain, type Scanner } from '../scan/scanner.js'

/** What a pre-tokenizer does. */
export interface PreTokenizer {
  readonly scanners: Scanner[]
  /** Those scanners that split at the space character and nothing else. */
  readonly spaceSplits: Set<Scanner>
  byteLevel: boolean
  /** `ByteLevel.add_prefix_space`. */
  prefixSpace: boolean
  /** Metaspace: when a `▁` is put before a stretch of text, and whether every `▁` begins a new word. */
  metaspace: { scheme: 'always' | 'first' | 'never'; split: boolean } | undefined
}

const BEHAVIORS: readonly string[] = ['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']
const ASCII_PUNCTUATION = '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e'

/** Reads the section; null means no pre-tokenizer. */
export function readPreTokenizer(section: unknown, op: string): PreTokenizer {
  const out: PreTokenizer = {
    scanners: [],
    spaceSplits: new Set(),
    byteLevel: false,
    prefixSpace: false,
    metaspace: undefined,
  }
  if (section !== null && section !== undefined) add(objectOf(section, 'pre_tokenizer', op), out, op, 0)
  return out
}

/** The one scanner that runs them all; the whole text is one word when there is none. */
export function scannerOf(pre: PreTokenizer): Scanner {
  return pre.scanners.length === 0 ? { next: (_b, _s, end) => end } : chain(pre.scanners)
}

function add(section: JsonObject, out: PreTokenizer, op: string, depth: number): void {
  const type = section.type
  if (depth > 8) throw badFile(op, 'pre_tokenizer nested deeper than 8', 'a sane pre_tokenizer')
  // After ByteLevel, text is in the byte alphabet; only splits that see ASCII alone are the same there as before.
  switch (type) {
    case 'Sequence':
      for (const part of arrayOf(section.pretokenizers, 'pretokenizers', op)) {
        add(objectOf(part, 'pre_tokenizer', op), out, op, depth + 1)
      }
      return
    case 'ByteLevel':
      out.byteLevel = true
      if (section.add_prefix_space === true) {
        if (out.scanners.length > 0)
          throw unsupported(op, 'add_prefix_space behind another split', 'it on the first split')
        out.prefixSpace = true
      }
      if (section.use_regex !== false) out.scanners.push(new Gpt2Scanner())
      return
    case 'Split':
      addSplit(section, out, op)
      return
    case 'Digits': {
      const most = section.individual_digits === true ? 1 : Number.POSITIVE_INFINITY
      out.scanners.push(
        // The byte alphabet shows six bytes as Latin-1 number characters.
        out.byteLevel
          ? new RegexScanner(most === 1 ? /[0-9]/gu : /[0-9]+/gu, 'Isolated')
          : new ClassRunScanner(NUMBER, most),
      )
      return
    }
    case 'Punctuation': {
      const behavior = behaviorOf(section.behavior ?? 'Isolated', op)
      if (behavior === 'Contiguous' && !out.byteLevel) {
        out.scanners.push(new RegexScanner(new RegExp(`[\\p{P}${ASCII_PUNCTUATION}]+`, 'gu'), 'Isolated'))
      } else out.scanners.push(new RegexScanner(new RegExp(`[\\p{P}${ASCII_PUNCTUATION}]`, 'gu'), behavior))
      return
    }
    case 'WhitespaceSplit':
      out.scanners.push(new RegexScanner(/\p{White_Space}/gu, 'Removed'))
      return
    case 'Whitespace':
      out.scanners.push(
        new RegexScanner(
          /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
          'Removed',
          true,
        ),
      )
      return
    case 'Metaspace': {
      const replacement = section.replacement ?? '\u2581'
      if (replacement !== '\u2581') throw unsupported(op, `Metaspace replacement ${show(replacement)}`, '▁')
      const old = section.add_prefix_space === false ? 'never' : 'always'
      const scheme = section.prepend_scheme ?? old
      if (scheme !== 'always' && scheme !== 'first' && scheme !== 'never') {
        throw badFile(op, `prepend_scheme ${show(scheme)}`, 'always, first or never')
      }
      out.metaspace = { scheme, split: section.split !== false }
      return
    }
    default:
      throw unsupported(
        op,
        `pre_tokenizer ${show(type)}`,
        'Sequence, ByteLevel, Split, Digits, Punctuation, Whitespace, WhitespaceSplit or Metaspace',
      )
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
    const scanner = new RegexScanner(new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'gu'), behavior, invert)
    if (text === ' ') out.spaceSplits.add(scanner)
    out.scanners.push(scanner)
    return
  }
  const regex = stringOf(pattern.Regex, 'Split pattern', op)
  if (regex === '') throw badFile(op, 'an empty Split pattern', 'a pattern')
  // A known pattern's matches cover any text, so isolating them and dropping what is between are the same.
  const covers = (behavior === 'Isolated' && !invert) || (behavior === 'Removed' && invert)
  const byHand = covers ? knownScanner(regex) : undefined
  if (byHand !== undefined) out.scanners.push(byHand)
  else if (out.byteLevel && !/^(\[0-9\])+$/.test(regex)) {
    throw unsupported(op, `Split ${show(regex)} behind ByteLevel`, 'Split before ByteLevel')
  } else if (behavior === 'Isolated' && !invert) out.scanners.push(isolate(regex, op))
  else out.scanners.push(new RegexScanner(translate(regex, op), behavior, invert))
}
