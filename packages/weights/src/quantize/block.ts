/** What a block encoder is, and the little-endian writes all of them share. */
import { f16ToF32, f32ToF16 } from '@cria/tensor'
import { WeightsError } from '../errors.js'

/** Encodes one block of values, from `x[o]` on, to `out[at]` on. The bytes there are zero before. */
export type BlockEncoder = (x: Float32Array, o: number, out: Uint8Array, at: number) => void

/** Writes a scale as binary16 and returns the value that a reader will see. */
export function putHalf(out: Uint8Array, at: number, value: number): number {
  const bits = f32ToF16(value)
  if ((bits & 0x7c00) === 0x7c00) {
    throw new WeightsError(
      'argument',
      `encodeBlocks: got values whose scale ${value} does not fit 16 bits, expected weights of ordinary size. Keep the tensor as f32 or bf16`,
      { got: value },
    )
  }
  out[at] = bits & 255
  out[at + 1] = bits >> 8
  return f16ToF32(bits)
}

export const clamp = (v: number, low: number, high: number): number => Math.min(Math.max(v, low), high)

/** Rounds half away from zero, as C's `roundf` does. */
export const round = (v: number): number => (v < 0 ? -Math.floor(0.5 - v) : Math.floor(v + 0.5))

/** The value of largest magnitude, with its sign. */
export function peak(x: Float32Array, o: number, n: number): number {
  let best = 0
  for (let i = 0; i < n; i++) if (Math.abs(x[o + i]!) > Math.abs(best)) best = x[o + i]!
  return best
}
