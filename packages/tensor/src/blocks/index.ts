/**
 * ggml's block formats: their sizes and their exact decoding to float32. This is the oracle for every kernel that
 * reads quantised weights; speed is not its business. Encoding lives in `@cria/weights`.
 */
import { ArgumentError } from '../errors.js'
import type { BlockDecoder } from './decoder.js'
import { mxfp4, nvfp4 } from './fp4.js'
import { iq2_s, iq2_xs, iq2_xxs, iq3_s, iq3_xxs } from './iq.js'
import { iq1_m, iq1_s } from './iq1.js'
import { iq4_nl, iq4_xs } from './iq4.js'
import { q2_k, q3_k, q4_k, q5_k, q6_k, q8_k } from './k-quants.js'
import { q4_0, q4_1, q5_0, q5_1, q8_0, q8_1 } from './simple.js'
import { q1_0, q2_0, tq1_0, tq2_0 } from './ternary.js'

/** The dtype names of ggml's block formats, in lower case. */
export type BlockDType =
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'q8_0'
  | 'q8_1'
  | 'q2_k'
  | 'q3_k'
  | 'q4_k'
  | 'q5_k'
  | 'q6_k'
  | 'q8_k'
  | 'iq2_xxs'
  | 'iq2_xs'
  | 'iq2_s'
  | 'iq3_xxs'
  | 'iq3_s'
  | 'iq1_s'
  | 'iq1_m'
  | 'iq4_nl'
  | 'iq4_xs'
  | 'tq1_0'
  | 'tq2_0'
  | 'mxfp4'
  | 'nvfp4'
  | 'q1_0'
  | 'q2_0'

export interface BlockFormat {
  /** Elements in a block. */
  readonly block: number
  /** Bytes of a block. */
  readonly bytes: number
}

/** Size of every block format: `blockFormats.q4_0` is `{ block: 32, bytes: 18 }`. */
export const blockFormats: Readonly<Record<BlockDType, BlockFormat>> = {
  q4_0: { block: 32, bytes: 18 },
  q4_1: { block: 32, bytes: 20 },
  q5_0: { block: 32, bytes: 22 },
  q5_1: { block: 32, bytes: 24 },
  q8_0: { block: 32, bytes: 34 },
  q8_1: { block: 32, bytes: 36 },
  q2_k: { block: 256, bytes: 84 },
  q3_k: { block: 256, bytes: 110 },
  q4_k: { block: 256, bytes: 144 },
  q5_k: { block: 256, bytes: 176 },
  q6_k: { block: 256, bytes: 210 },
  q8_k: { block: 256, bytes: 292 },
  iq2_xxs: { block: 256, bytes: 66 },
  iq2_xs: { block: 256, bytes: 74 },
  iq2_s: { block: 256, bytes: 82 },
  iq3_xxs: { block: 256, bytes: 98 },
  iq3_s: { block: 256, bytes: 110 },
  iq1_s: { block: 256, bytes: 50 },
  iq1_m: { block: 256, bytes: 56 },
  iq4_nl: { block: 32, bytes: 18 },
  iq4_xs: { block: 256, bytes: 136 },
  tq1_0: { block: 256, bytes: 54 },
  tq2_0: { block: 256, bytes: 66 },
  mxfp4: { block: 32, bytes: 17 },
  nvfp4: { block: 64, bytes: 36 },
  q1_0: { block: 128, bytes: 18 },
  q2_0: { block: 64, bytes: 18 },
}

const decoders: Record<BlockDType, BlockDecoder> = {
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q8_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  q8_k,
  iq2_xxs,
  iq2_xs,
  iq2_s,
  iq3_xxs,
  iq3_s,
  iq1_s,
  iq1_m,
  iq4_nl,
  iq4_xs,
  tq1_0,
  tq2_0,
  mxfp4,
  nvfp4,
  q1_0,
  q2_0,
}

/**
 * Decodes whole blocks to float32, exactly as ggml's reference does.
 *
 * @param dtype the block format
 * @param bytes whole blocks in ggml's layout, little-endian
 * @param out   exactly one number for every element of those blocks
 * @throws ArgumentError when the lengths do not fit each other
 * @example
 * const out = new Float32Array(32)
 * decodeBlocks('q8_0', bytes, out) // bytes.length === 34
 */
export function decodeBlocks(dtype: BlockDType, bytes: Uint8Array, out: Float32Array): void {
  const { block, bytes: size } = blockFormats[dtype]
  const count = bytes.length / size
  if (!Number.isInteger(count) || out.length !== count * block) {
    throw new ArgumentError(
      `decodeBlocks: got ${bytes.length} bytes of ${dtype} and room for ${out.length} values, expected blocks of ${size} bytes for ${block} values each`,
      { op: 'decodeBlocks', got: [bytes.length, out.length], expected: [size, block] },
    )
  }
  const decode = decoders[dtype]
  for (let i = 0; i < count; i++) decode(bytes, i * size, out, i * block)
}
