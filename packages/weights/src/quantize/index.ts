/** Quantisation: float32 values to ggml's block formats. Decoding is `decodeBlocks` of @cria/tensor. */
import { blockFormats } from '@cria/tensor'
import { WeightsError } from '../errors.js'
import type { BlockEncoder } from './block.js'
import { iq4_nl } from './iq4.js'
import { q2_k, q3_k, q4_k, q5_k, q6_k } from './k-quants.js'
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from './simple.js'

/** The formats that can be written. */
export type QuantDType =
  | 'q8_0'
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'q2_k'
  | 'q3_k'
  | 'q4_k'
  | 'q5_k'
  | 'q6_k'
  | 'iq4_nl'

const encoders: Record<QuantDType, BlockEncoder> = {
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
}

export const quantDTypes = Object.keys(encoders) as readonly QuantDType[]

export const isQuantDType = (name: string): name is QuantDType => Object.hasOwn(encoders, name)

/**
 * Encodes values to whole blocks. q8_0, q4_0, q4_1, q5_0 and q5_1 give the bytes of ggml's reference quantisers; the
 * k-quants and iq4_nl search for the scale with the least squared error.
 *
 * @param values a multiple of the block's number of elements
 * @param out    exactly the bytes of those blocks
 * @throws WeightsError `argument` for lengths that do not fit, NaN, infinities, and scales beyond 16 bits
 * @example
 * const out = new Uint8Array(18)
 * encodeBlocks('q4_0', new Float32Array(32).fill(1), out)
 */
export function encodeBlocks(dtype: QuantDType, values: Float32Array, out: Uint8Array): void {
  const { block, bytes } = blockFormats[dtype]
  const count = values.length / block
  if (!Number.isInteger(count) || out.length !== count * bytes) {
    throw new WeightsError(
      'argument',
      `encodeBlocks: got ${values.length} values and room for ${out.length} bytes of ${dtype}, expected ${bytes} bytes for every ${block} values`,
    )
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new WeightsError(
        'argument',
        `encodeBlocks: got ${values[i]} at ${i}, expected finite values. The weights are damaged`,
      )
    }
  }
  const encode = encoders[dtype]
  out.fill(0)
  for (let i = 0; i < count; i++) encode(values, i * block, out, i * bytes)
}
