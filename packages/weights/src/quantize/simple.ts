/**
 * Encoders of the plain formats: one scale (and minimum) for 32 values, from the block's extreme values.
 * Every step is rounded to float32, so that the bytes equal those of ggml's reference quantisers.
 */
import { type BlockEncoder, peak, putHalf, round } from './block.js'

const f = Math.fround

/** 1/d in float32; 0 where there is no usable inverse. */
function inverse(d: number): number {
  const id = d === 0 ? 0 : f(1 / d)
  return Number.isFinite(id) ? id : 0
}

export const q8_0: BlockEncoder = (x, o, out, at) => {
  const d = f(Math.abs(peak(x, o, 32)) / 127)
  const id = inverse(d)
  putHalf(out, at, d)
  for (let i = 0; i < 32; i++) out[at + 2 + i] = round(f(x[o + i]! * id))
}

/** `_0`: the value of largest magnitude becomes the lowest code, so that its sign costs nothing. */
function symmetric(bits: 4 | 5): BlockEncoder {
  const half = 1 << (bits - 1)
  return (x, o, out, at) => {
    const d = f(peak(x, o, 32) / -half)
    const id = inverse(d)
    putHalf(out, at, d)
    const code = (i: number): number => Math.min(2 * half - 1, Math.trunc(f(f(x[o + i]! * id) + half + 0.5)))
    pack(code, bits, out, at + 2)
  }
}

/** `_1`: codes run from the minimum to the maximum. */
function affine(bits: 4 | 5): BlockEncoder {
  const top = (1 << bits) - 1
  return (x, o, out, at) => {
    let min = x[o]!
    let max = x[o]!
    for (let i = 1; i < 32; i++) {
      if (x[o + i]! < min) min = x[o + i]!
      if (x[o + i]! > max) max = x[o + i]!
    }
    const d = f(f(max - min) / top)
    const id = inverse(d)
    putHalf(out, at, d)
    putHalf(out, at + 2, min)
    const code = (i: number): number => Math.min(top, Math.trunc(f(f(f(x[o + i]! - min) * id) + 0.5)))
    pack(code, bits, out, at + 4)
  }
}

/** Nibbles of values i and i + 16 share a byte; fifth bits come before, as one 32-bit mask. */
function pack(code: (i: number) => number, bits: 4 | 5, out: Uint8Array, at: number): void {
  const nibbles = bits === 5 ? at + 4 : at
  for (let i = 0; i < 32; i++) {
    const q = code(i)
    out[nibbles + (i & 15)]! |= (q & 15) << (i < 16 ? 0 : 4)
    if (bits === 5) out[at + (i >> 3)]! |= (q >> 4) << (i & 7)
  }
}

export const q4_0: BlockEncoder = symmetric(4)
export const q5_0: BlockEncoder = symmetric(5)
export const q4_1: BlockEncoder = affine(4)
export const q5_1: BlockEncoder = affine(5)
