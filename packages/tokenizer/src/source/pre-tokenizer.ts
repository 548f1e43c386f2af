// Hugging Face's `pre_tokenizer` section, turned into scanners (byte-level models) or a prefix rule (Metaspace).

import { badFile, FULL, show, unsupported } from '../errors.js'
import { arrayOf, isObject, type JsonObject, objectOf } from '../json-value.js'
import { NUMBER } from '../scan/classes.js'
import { isolate, knownScanner, type OtherSplit } from '../scan/known.js'
import { ClassRunScanner, Gpt2Scanner } from '../scan/patterns.js'
import { chain, type Scanner } from '../scan/scanner.js'
import type { Abilities } from './assemble.js'

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

/** Adds a pre-tokenizer that is not known here, or returns false. */
export type OtherPreTokenizer = (section: JsonObject, out: PreTokenizer, op: string) => boolean

/** No pre-tokenizer. */
export const noPreTokenizer: PreTokenizer = {
  scanners: [],
  spaceSplits: new Set(),
  byteLevel: false,
  prefixSpace: false,
  metaspace: undefined,
}

/** Reads the section; null means no pre-tokenizer. */
export function readPreTokenizer(
  section: unknown,
  op: string,
  { split, preTokenizer }: Pick<Abilities, 'split' | 'preTokenizer'>,
): PreTokenizer {
  const out: PreTokenizer = { ...noPreTokenizer, scanners: [], spaceSplits: new Set() }
  if (section !== null && section !== undefined)
    add(objectOf(section, 'pre_tokenizer', op), out, op, 0, split, preTokenizer)
  return out
}

/** The one scanner that runs them all; the whole text is one word when there is none. */
export function scannerOf(pre: PreTokenizer): Scanner {
  return pre.scanners.length === 0 ? { next: (_b, _s, end) => end } : chain(pre.scanners)
}

/** Metaspace with `split`: every space begins a word. */
const wordStarts: Scanner = {
  next(b: Uint8Array, start: number, end: number): number {
    let p = start + 1
    while (p < end && b[p] !== 0x20) p++
    return p
  },
}

/** Cuts inside a model that reads spaces as they are, or undefined where the text is one piece. */
export function innerScanner(pre: PreTokenizer, metaspace: boolean, op: string): Scanner | undefined {
  // Once spaces are `▁`, a split at spaces finds nothing (Gemma has one).
  const scanners = metaspace ? pre.scanners.filter(s => !pre.spaceSplits.has(s)) : pre.scanners
  if (pre.metaspace?.split !== true) {
    if (metaspace && scanners.length > 0) throw unsupported(op, 'a split besides Metaspace', 'Metaspace alone')
    return scanners.length > 0 ? chain(scanners) : undefined
  }
  return chain([...scanners, wordStarts])
}

function add(
  section: JsonObject,
  out: PreTokenizer,
  op: string,
  depth: number,
  split: OtherSplit,
  other: OtherPreTokenizer,
): void {
  const type = section.type
  if (depth > 8) throw badFile(op, 'pre_tokenizer nested deeper than 8', 'a sane pre_tokenizer')
  // After ByteLevel, text is in the byte alphabet; only splits that see ASCII alone are the same there as before.
  switch (type) {
    case 'Sequence':
      for (const part of arrayOf(section.pretokenizers, 'pretokenizers', op)) {
        add(objectOf(part, 'pre_tokenizer', op), out, op, depth + 1, split, other)
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
      if (addKnownSplit(section, out, op, split)) return
      break
    case 'Digits':
      if (out.byteLevel) break
      out.scanners.push(new ClassRunScanner(NUMBER, section.individual_digits === true ? 1 : Number.POSITIVE_INFINITY))
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
  }
  if (!other(section, out, op)) throw unsupported(op, `pre_tokenizer ${show(section)}`, 'one that is known here', FULL)
}

/** A split that a hand-written scanner does; false for any other. */
function addKnownSplit(section: JsonObject, out: PreTokenizer, op: string, split: OtherSplit): boolean {
  const { pattern, behavior, invert } = section
  if (!isObject(pattern) || typeof pattern.Regex !== 'string' || typeof behavior !== 'string') return false
  const isolated = behavior === 'Isolated' && invert !== true
  // A known pattern's matches cover any text, so isolating them and dropping what is between are the same.
  const scanner = isolated || (behavior === 'Removed' && invert === true) ? knownScanner(pattern.Regex) : undefined
  if (scanner !== undefined) out.scanners.push(scanner)
  else if (isolated && !out.byteLevel && pattern.Regex !== '') out.scanners.push(isolate(pattern.Regex, op, split))
  else return false
  return true
}
