/** Codebook formats below two bits: points of −1, 0, 1, moved by ±1/8, under three-bit odd scales. */
import { f16ToF32 } from '../half.js'
import { type BlockDecoder, f16, u16 } from './decoder.js'
import { iq1Book } from './iq-books.js'

function point(code: number, shift: number, d: number, out: Float32Array, o: number): void {
  const { points } = iq1Book()
  for (let i = 0; i < 8; i++) out[o + i] = d * (points[code * 8 + i]! + shift)
}

/** f16 d, 32 low code bytes, then per group of 32: four high triples, a three-bit scale and the sign of the shift. */
export const iq1_s: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  for (let i = 0; i < 32; i++) {
    const head = u16(bytes, at + 34 + (i >> 2) * 2)
    const code = bytes[at + 2 + i]! | (((head >> (3 * (i & 3))) & 7) << 8)
    point(code, head & 0x8000 ? -0.125 : 0.125, d * (2 * ((head >> 12) & 7) + 1), out, o + i * 8)
  }
}

/** 32 low code bytes, 32 nibbles (high triple, sign of the shift), 4 words of scales whose top nibbles spell d. */
export const iq1_m: BlockDecoder = (bytes, at, out, o) => {
  let bits = 0
  for (let i = 0; i < 4; i++) bits |= (u16(bytes, at + 48 + i * 2) >> 12) << (4 * i)
  const d = f16ToF32(bits)
  for (let i = 0; i < 32; i++) {
    const head = (bytes[at + 32 + (i >> 1)]! >> ((i & 1) * 4)) & 15
    const group = i >> 1
    const scale = (u16(bytes, at + 48 + (group >> 2) * 2) >> (3 * (group & 3))) & 7
    point(bytes[at + i]! | ((head & 7) << 8), head & 8 ? -0.125 : 0.125, d * (2 * scale + 1), out, o + i * 8)
  }
}
