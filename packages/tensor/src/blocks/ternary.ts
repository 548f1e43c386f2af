/** One-bit, ternary and four-level formats: every value is −d, 0, d (or 2d) of one scale. */
import { type BlockDecoder, f16 } from './decoder.js'

const powers = [1, 3, 9, 27, 81]

/** A byte is a fraction in base 3, scaled to 256: shifting digits up and taking the top one gives −1, 0 or 1. */
const trit = (byte: number, digit: number): number => ((((byte * powers[digit]!) & 255) * 3) >> 8) - 1

/** 256 values: 48 bytes of five digits (a run of 32 bytes, one of 16), 4 bytes of four digits, f16 d. */
export const tq1_0: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at + 52)
  let at3 = o
  for (const [from, width, digits] of [
    [0, 32, 5],
    [32, 16, 5],
    [48, 4, 4],
  ] as const) {
    for (let digit = 0; digit < digits; digit++) {
      for (let i = 0; i < width; i++) out[at3++] = d * trit(bytes[at + from + i]!, digit)
    }
  }
}

/** 256 values: 64 bytes of two-bit values biased by one, f16 d. */
export const tq2_0: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at + 64)
  for (let i = 0; i < 256; i++) {
    const packed = bytes[at + (i >> 7) * 32 + (i & 31)]!
    out[o + i] = d * (((packed >> (((i >> 5) & 3) * 2)) & 3) - 1)
  }
}

/** 128 values: f16 d, 128 bits; a set bit is d, a clear one −d. */
export const q1_0: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  for (let i = 0; i < 128; i++) out[o + i] = (bytes[at + 2 + (i >> 3)]! >> (i & 7)) & 1 ? d : -d
}

/** 64 values: f16 d, 16 bytes of two-bit values: −d, 0, d, 2d. */
export const q2_0: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  for (let i = 0; i < 64; i++) out[o + i] = d * (((bytes[at + 2 + (i >> 2)]! >> ((i & 3) * 2)) & 3) - 1)
}
