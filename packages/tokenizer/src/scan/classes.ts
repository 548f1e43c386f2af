// What kind of character a code point is, as bits, in one table indexed by code point. Filled 256 code points at a time
// on first use, from the engine's own Unicode data.

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

const patterns: readonly (readonly [number, RegExp])[] = /* @__PURE__ */ [
  [UPPER, /[\p{Lu}\p{Lt}]+/gu],
  [LOWER, /\p{Ll}+/gu],
  [OTHER_LETTER, /[\p{Lm}\p{Lo}]+/gu],
  [MARK, /\p{M}+/gu],
  [NUMBER, /\p{N}+/gu],
  [PUNCTUATION, /\p{P}+/gu],
  [SPACE, /\p{White_Space}+/gu],
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
  const bits = table[codePoint]!
  return bits === 0 ? fill(table, codePoint) : bits
}

function fill(table: ClassTable, codePoint: number): number {
  const first = codePoint & ~255
  table.fill(KNOWN, first, first + 256)
  if (first < 0xd800 || first > 0xdfff) {
    let block = ''
    for (let c = first; c < first + 256; c++) block += String.fromCodePoint(c)
    const units = first > 0xffff ? 2 : 1
    for (const [bit, pattern] of patterns) {
      for (const match of block.matchAll(pattern)) {
        const from = first + match.index / units
        const to = from + match[0].length / units
        for (let c = from; c < to; c++) table[c]! |= bit
      }
    }
  }
  return table[codePoint]!
}
