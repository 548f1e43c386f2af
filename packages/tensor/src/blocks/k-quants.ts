/**
 * The k-quants: super-blocks of 256 values, cut into groups of 16 or 32 whose scales (and minima) are themselves
 * quantised against one f16 pair for the super-block.
 */
import { type BlockDecoder, f16, i8 } from './decoder.js'

/** 16 groups of 16. Bytes: 16 scale/minimum nibbles, 64 of two-bit values, f16 d, f16 dmin. */
export const q2_k: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at + 80)
  const dmin = f16(bytes, at + 82)
  for (let i = 0; i < 256; i++) {
    const scale = bytes[at + (i >> 4)]!
    // Each 32 bytes hold four runs of 32 values, one in every pair of bits.
    const packed = bytes[at + 16 + (i >> 7) * 32 + (i & 31)]!
    const q = (packed >> (((i >> 5) & 3) * 2)) & 3
    out[o + i] = d * (scale & 15) * q - dmin * (scale >> 4)
  }
}

/** The 16 six-bit scales of q3_k: eight bytes of low nibbles, then four of high bit pairs; biased by 32. */
export function q3Scale(bytes: Uint8Array, at: number, group: number): number {
  const low = group < 8 ? bytes[at + group]! & 15 : bytes[at + group - 8]! >> 4
  const high = (bytes[at + 8 + (group & 3)]! >> ((group >> 2) * 2)) & 3
  return (low | (high << 4)) - 32
}

/** 16 groups of 16. Bytes: 32 of third bits (clear means −4), 64 of two-bit values, 12 of scales, f16 d. */
export const q3_k: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at + 108)
  for (let i = 0; i < 256; i++) {
    const packed = bytes[at + 32 + (i >> 7) * 32 + (i & 31)]!
    const low = (packed >> (((i >> 5) & 3) * 2)) & 3
    const high = (bytes[at + (i & 31)]! >> (i >> 5)) & 1
    out[o + i] = d * q3Scale(bytes, at + 96, i >> 4) * (low - (high ? 0 : 4))
  }
}

/** The eight six-bit scales of q4_k and q5_k; the upper four keep their two high bits above the lower four's. */
export const k4Scale = (bytes: Uint8Array, at: number, group: number): number =>
  group < 4 ? bytes[at + group]! & 63 : (bytes[at + 4 + group]! & 15) | ((bytes[at + group - 4]! >> 6) << 4)

/** The eight six-bit minima of q4_k and q5_k. */
export const k4Min = (bytes: Uint8Array, at: number, group: number): number =>
  group < 4 ? bytes[at + 4 + group]! & 63 : (bytes[at + 4 + group]! >> 4) | ((bytes[at + group]! >> 6) << 4)

/** 8 groups of 32. Bytes: f16 d, f16 dmin, 12 of scales and minima, 128 of nibbles (32 low, the same 32 high). */
export const q4_k: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  const dmin = f16(bytes, at + 2)
  for (let group = 0; group < 8; group++) {
    const scale = d * k4Scale(bytes, at + 4, group)
    const min = dmin * k4Min(bytes, at + 4, group)
    for (let i = 0; i < 32; i++) {
      const q = (bytes[at + 16 + (group >> 1) * 32 + i]! >> ((group & 1) * 4)) & 15
      out[o + group * 32 + i] = scale * q - min
    }
  }
}

/** As q4_k with 32 bytes of fifth bits, bit `group` for that group, before the nibbles. */
export const q5_k: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  const dmin = f16(bytes, at + 2)
  for (let group = 0; group < 8; group++) {
    const scale = d * k4Scale(bytes, at + 4, group)
    const min = dmin * k4Min(bytes, at + 4, group)
    for (let i = 0; i < 32; i++) {
      const low = (bytes[at + 48 + (group >> 1) * 32 + i]! >> ((group & 1) * 4)) & 15
      const high = (bytes[at + 16 + i]! >> group) & 1
      out[o + group * 32 + i] = scale * (low | (high << 4)) - min
    }
  }
}

/** 16 groups of 16. Bytes: 128 of low nibbles, 64 of high bit pairs, 16 signed scales, f16 d. */
export const q6_k: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at + 208)
  for (let i = 0; i < 256; i++) {
    const half = i >> 7
    const low = (bytes[at + half * 64 + (i & 63)]! >> (((i >> 6) & 1) * 4)) & 15
    const high = (bytes[at + 128 + half * 32 + (i & 31)]! >> (((i >> 5) & 3) * 2)) & 3
    out[o + i] = d * i8(bytes, at + 192 + (i >> 4)) * ((low | (high << 4)) - 32)
  }
}

const float = new DataView(new ArrayBuffer(4))

/** f32 d, 256 signed bytes, 16 group sums; an activation format, not found in files. */
export const q8_k: BlockDecoder = (bytes, at, out, o) => {
  for (let i = 0; i < 4; i++) float.setUint8(i, bytes[at + i]!)
  const d = float.getFloat32(0, true)
  for (let i = 0; i < 256; i++) out[o + i] = d * i8(bytes, at + 4 + i)
}
