/** Four-bit floats (e2m1) under a shared scale: OCP's MXFP4 and NVIDIA's NVFP4. */
import type { BlockDecoder } from './decoder.js'

/** The e2m1 values, doubled so that they are whole; the scales below are halved to match. */
export const e2m1Doubled: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

/** 32 values: one power-of-two scale (e8m0), 16 bytes of nibbles, low nibbles first. */
export const mxfp4: BlockDecoder = (bytes, at, out, o) => {
  const d = 2 ** (bytes[at]! - 128)
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 1 + i]!
    out[o + i] = d * e2m1Doubled[q & 15]!
    out[o + 16 + i] = d * e2m1Doubled[q >> 4]!
  }
}

/** Half of an unsigned e4m3 number; 0x7F would be NaN and counts as zero, as in ggml. */
function halfUe4m3(x: number): number {
  if (x === 0x7f) return 0
  const exponent = (x >> 3) & 15
  return (exponent === 0 ? (x & 7) * 2 ** -9 : (1 + (x & 7) / 8) * 2 ** (exponent - 7)) / 2
}

/** 64 values: four e4m3 scales, then for each group of 16 eight bytes of nibbles, low nibbles first. */
export const nvfp4: BlockDecoder = (bytes, at, out, o) => {
  for (let group = 0; group < 4; group++) {
    const d = halfUe4m3(bytes[at + group]!)
    for (let i = 0; i < 8; i++) {
      const q = bytes[at + 4 + group * 8 + i]!
      out[o + group * 16 + i] = d * e2m1Doubled[q & 15]!
      out[o + group * 16 + 8 + i] = d * e2m1Doubled[q >> 4]!
    }
  }
}
