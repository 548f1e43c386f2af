// Split patterns as they stand in files, and the hand-written scanner for each. A pattern that is not here runs as a
// regular expression.

import { Cl100kScanner, Gpt2Scanner, O200kScanner } from './patterns.js'
import type { Scanner } from './scanner.js'

const SUFFIXES = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const TAIL = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'

const cl100k = (digits: string): string =>
  `${SUFFIXES}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${TAIL}`

const o200k = [
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+${SUFFIXES}?`,
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${SUFFIXES}?`,
  `\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${TAIL}`,
].join('|')

const known: readonly (readonly [string, () => Scanner])[] = /* @__PURE__ */ [
  ["'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", () => new Gpt2Scanner()],
  ["'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", () => new Gpt2Scanner()],
  [cl100k('\\p{N}{1,3}'), () => new Cl100kScanner(3)],
  [cl100k('\\p{N}'), () => new Cl100kScanner(1)],
  [o200k, () => new O200kScanner()],
]

/** The scanner for a pattern that isolates every match and whose matches cover any text. */
export function knownScanner(pattern: string): Scanner | undefined {
  // Line breaks stand in some files as themselves.
  const normal = pattern.replaceAll('\r', '\\r').replaceAll('\n', '\\n')
  return known.find(([text]) => text === normal)?.[1]()
}
