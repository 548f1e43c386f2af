// What kind of character a code point is, as bits, in one table indexed by code point. Filled 256 code points at a time
// on first use, from the engine's own Unicode data but for what Unicode 16 does not have.

import { LATER } from './later.js'

export const UPPER: number = 1 // Lu, Lt
export const LOWER: number = 2 // Ll
export const OTHER_LETTER: number = 4 // Lm, Lo
export const LETTER: number = 7
export const MARK: number = 8
export const NUMBER: number = 16
export const PUNCTUATION: number = 32
export const SPACE: number = 128 // White_Space, which is `\s` in Rust and Oniguruma; JavaScript's own `\s` differs
const KNOWN = 256

/** Class bits by code point; zero means not filled yet, see {@link classOf}. */
export type ClassTable = Uint16Array

/** The first that has a code point gives its class. */
const patterns: readonly (readonly [number, RegExp])[] = /* @__PURE__ */ [
  [0, LATER],
  [LOWER, /[\p{Ll}\u0295]/u], // U+0295 became a letter without case in Unicode 17
  [OTHER_LETTER, /[\p{Lm}\p{Lo}]/u],
  [UPPER, /[\p{Lu}\p{Lt}]/u],
  [MARK, /\p{M}/u],
  [NUMBER, /\p{N}/u],
  [PUNCTUATION, /\p{P}/u],
  [SPACE, /\p{White_Space}/u],
]

let shared: ClassTable | undefined

/** The table, with ASCII filled; one for all tokenizers. */
export function classTable(): ClassTable {
  if (shared === undefined) {
    shared = new Uint16Array(0x110000)
    fill(shared, 0)
  }
  return shared
}

/** The class bits of a code point, filling its block of the table when needed. */
export function classOf(table: ClassTable, codePoint: number): number {
  return table[codePoint]! || fill(table, codePoint)
}

function fill(table: ClassTable, codePoint: number): number {
  const first = codePoint & ~255
  for (let c = first; c < first + 256; c++) {
    const character = String.fromCodePoint(c)
    table[c] = KNOWN | (patterns.find(([, pattern]) => pattern.test(character))?.[0] ?? 0)
  }
  return table[codePoint]!
}
