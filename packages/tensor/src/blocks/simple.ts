/**
 * The plain formats: 32 values with one scale (and, in the `_1` formats, one minimum).
 * Low nibbles hold the first 16 values, high nibbles the last 16; a fifth bit lies in a 32-bit mask.
 */
import { type BlockDecoder, f16, i8, u32 } from './decoder.js'

/** f16 scale, 16 bytes of nibbles: `d · (q − 8)`. */
export const q4_0: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 2 + i]!
    out[o + i] = d * ((q & 15) - 8)
    out[o + 16 + i] = d * ((q >> 4) - 8)
  }
}

/** f16 scale, f16 minimum, nibbles: `d · q + m`. */
export const q4_1: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  const m = f16(bytes, at + 2)
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 4 + i]!
    out[o + i] = d * (q & 15) + m
    out[o + 16 + i] = d * (q >> 4) + m
  }
}

/** f16 scale, 32 fifth bits, nibbles: `d · (q − 16)`. */
export const q5_0: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  const fifth = u32(bytes, at + 2)
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 6 + i]!
    out[o + i] = d * (((q & 15) | (((fifth >>> i) & 1) << 4)) - 16)
    out[o + 16 + i] = d * (((q >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) - 16)
  }
}

/** f16 scale, f16 minimum, 32 fifth bits, nibbles: `d · q + m`. */
export const q5_1: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  const m = f16(bytes, at + 2)
  const fifth = u32(bytes, at + 4)
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 8 + i]!
    out[o + i] = d * ((q & 15) | (((fifth >>> i) & 1) << 4)) + m
    out[o + 16 + i] = d * ((q >> 4) | (((fifth >>> (i + 16)) & 1) << 4)) + m
  }
}

/** f16 scale, 32 signed bytes: `d · q`. */
export const q8_0: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  for (let i = 0; i < 32; i++) out[o + i] = d * i8(bytes, at + 2 + i)
}

/** As q8_0, with `d · Σq` kept beside the scale for dot products; an activation format, not found in files. */
export const q8_1: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  for (let i = 0; i < 32; i++) out[o + i] = d * i8(bytes, at + 4 + i)
}
