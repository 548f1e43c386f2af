/**
 * Codebook formats of two and three bits: codes name points of a book of magnitudes, signs are kept apart.
 * Super-blocks of 256 values; `iq1.ts` has the formats whose book is signed.
 */
import { type BlockDecoder, f16, u16, u32 } from './decoder.js'
import { type Codebook, iq2sBook, iq2xsBook, iq2xxsBook, iq3sBook, iq3xxsBook } from './iq-books.js'

/** Seven stored sign bits; the eighth makes the number of minus signs even. */
function evenSigns(seven: number): number {
  let parity = seven
  parity ^= parity >> 4
  parity ^= parity >> 2
  parity ^= parity >> 1
  return seven | ((parity & 1) << 7)
}

/** Writes one point, scaled, with its signs (bit set: minus). */
function point(book: Codebook, code: number, signs: number, d: number, out: Float32Array, o: number): void {
  const from = code * book.width
  for (let i = 0; i < book.width; i++) {
    const value = d * book.points[from + i]!
    out[o + i] = (signs >> i) & 1 ? -value : value
  }
}

/** f16 d, then 8 groups of 32: four byte codes, and 28 sign bits below a four-bit scale. */
export const iq2_xxs: BlockDecoder = (bytes, at, out, o) => {
  const book = iq2xxsBook()
  const d = f16(bytes, at)
  for (let group = 0; group < 8; group++) {
    const from = at + 2 + group * 8
    const tail = u32(bytes, from + 4)
    const scale = d * (0.5 + (tail >>> 28)) * 0.25
    for (let i = 0; i < 4; i++) {
      point(book, bytes[from + i]!, evenSigns((tail >>> (7 * i)) & 127), scale, out, o + group * 32 + i * 8)
    }
  }
}

/** f16 d, 32 codes of nine bits with seven sign bits above them, 16 four-bit scales. */
export const iq2_xs: BlockDecoder = (bytes, at, out, o) => {
  const book = iq2xsBook()
  const d = f16(bytes, at)
  for (let i = 0; i < 32; i++) {
    const code = u16(bytes, at + 2 + i * 2)
    const scale = d * (0.5 + nibble(bytes, at + 66, i >> 1)) * 0.25
    point(book, code & 511, evenSigns(code >> 9), scale, out, o + i * 8)
  }
}

/** f16 d, 32 low code bytes, 32 sign bytes, 8 bytes of high code pairs, 16 four-bit scales. */
export const iq2_s: BlockDecoder = (bytes, at, out, o) => {
  const book = iq2sBook()
  const d = f16(bytes, at)
  for (let i = 0; i < 32; i++) {
    const high = (bytes[at + 66 + (i >> 2)]! >> ((i & 3) * 2)) & 3
    const scale = d * (0.5 + nibble(bytes, at + 74, i >> 1)) * 0.25
    point(book, bytes[at + 2 + i]! | (high << 8), bytes[at + 34 + i]!, scale, out, o + i * 8)
  }
}

/** f16 d, 64 byte codes of four values, then per group of 32: 28 sign bits below a four-bit scale. */
export const iq3_xxs: BlockDecoder = (bytes, at, out, o) => {
  const book = iq3xxsBook()
  const d = f16(bytes, at)
  for (let i = 0; i < 32; i++) {
    const tail = u32(bytes, at + 66 + (i >> 2) * 4)
    const scale = d * (0.5 + (tail >>> 28)) * 0.5
    const signs = evenSigns((tail >>> (7 * (i & 3))) & 127)
    point(book, bytes[at + 2 + i * 2]!, signs, scale, out, o + i * 8)
    point(book, bytes[at + 3 + i * 2]!, signs >> 4, scale, out, o + i * 8 + 4)
  }
}

/** f16 d, 64 low code bytes, 64 ninth bits, 32 sign bytes, 8 four-bit scales. */
export const iq3_s: BlockDecoder = (bytes, at, out, o) => {
  const book = iq3sBook()
  const d = f16(bytes, at)
  for (let i = 0; i < 64; i++) {
    const ninth = (bytes[at + 66 + (i >> 3)]! >> (i & 7)) & 1
    const signs = bytes[at + 74 + (i >> 1)]! >> ((i & 1) * 4)
    const scale = d * (1 + 2 * nibble(bytes, at + 106, i >> 3))
    point(book, bytes[at + 2 + i]! | (ninth << 8), signs, scale, out, o + i * 4)
  }
}

const nibble = (bytes: Uint8Array, at: number, i: number): number => (bytes[at + (i >> 1)]! >> ((i & 1) * 4)) & 15
