// Split patterns as they stand in files, and the hand-written scanner for each. A pattern that is not here runs as a
// regular expression.

import { FULL, show, unsupported } from '../errors.js'
import { NUMBER, PUNCTUATION } from './classes.js'
import { Cl100kScanner, ClassRunScanner, Gpt2Scanner, O200kScanner } from './patterns.js'
import { chain, type Scanner } from './scanner.js'

const SUFFIXES = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const TAIL = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'

/** The splits of well-known encodings, as patterns. */
const RUNS = ' ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+'
export const GPT2: string = `'s|'t|'re|'ve|'m|'ll|'d|${RUNS}`

const cl100k = (digits: string): string =>
  `${SUFFIXES}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${TAIL}`

export const CL100K: string = cl100k('\\p{N}{1,3}')
export const QWEN2: string = cl100k('\\p{N}')
export const O200K: string = [
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+${SUFFIXES}?`,
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${SUFFIXES}?`,
  `\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${TAIL}`,
].join('|')

const known: readonly (readonly [string, () => Scanner])[] = /* @__PURE__ */ [
  [GPT2, () => new Gpt2Scanner()],
  [`'(?:[sdmt]|ll|ve|re)|${RUNS}`, () => new Gpt2Scanner()],
  [CL100K, () => new Cl100kScanner(3)],
  [QWEN2, () => new Cl100kScanner(1)],
  [O200K, () => new O200kScanner()],
]

/** The scanner for a pattern that isolates every match and whose matches cover any text. */
export function knownScanner(pattern: string): Scanner | undefined {
  // Line breaks stand in some files as themselves.
  const normal = pattern.replaceAll('\r', '\\r').replaceAll('\n', '\\n')
  return known.find(([text]) => text === normal)?.[1]()
}

/** Makes a scanner that isolates the matches of a pattern that is not known here. */
export type OtherSplit = (pattern: string, op: string) => Scanner

/** Refuses: for bundles that hold the known splits alone. */
export const knownOnly: OtherSplit = (pattern, op) => {
  throw unsupported(op, `the split ${show(pattern)}`, 'a well-known one', FULL)
}

/** A scanner that isolates the matches of `pattern`. */
export function isolate(pattern: string, op: string, other: OtherSplit): Scanner {
  const byHand = knownScanner(pattern)
  if (byHand !== undefined) return byHand
  const run = /^\\p\{([NP])\}(\+|\{1,3\})?$/.exec(pattern)
  if (run === null) return other(pattern, op)
  const most = run[2] === '+' ? Number.POSITIVE_INFINITY : run[2] === undefined ? 1 : 3
  return new ClassRunScanner(run[1] === 'N' ? NUMBER : PUNCTUATION, most)
}

/** Splits one inside the other. */
export function splitScanner(patterns: readonly string[], op: string, other: OtherSplit): Scanner {
  return chain(patterns.map(pattern => isolate(pattern, op, other)))
}

/** Hugging Face's name for bytes in GPT-2's alphabet, as a decoder. */
export const BYTE_LEVEL: unknown = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }

/** The same splits as a `pre_tokenizer` section. */
export function splitSection(patterns: readonly string[]): unknown {
  const splits = patterns.map(Regex => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }))
  return { type: 'Sequence', pretokenizers: [...splits, BYTE_LEVEL] }
}
