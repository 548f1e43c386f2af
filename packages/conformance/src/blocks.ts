/** Random bytes that are sane blocks of a ggml format: every code occurs, every scale is a small finite number. */
import { type BlockDType, blockFormats, sizeOf } from '@cria/tensor'

/** Where a block keeps its f16 scales and minimums; formats with other scales are handled by name below. */
const halves: Partial<Record<BlockDType, readonly number[]>> = {
  q4_1: [0, 2],
  q5_1: [0, 2],
  q8_1: [0, 2],
  q2_k: [80, 82],
  q3_k: [108],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
  tq1_0: [52],
  tq2_0: [64],
}

/** Scales between 0.01 and 0.03 keep the decoded values near 1 for every format. */
const base: Partial<Record<BlockDType, number>> = { q4_0: 0x2c00, q5_0: 0x2800, q1_0: 0x3800, q2_0: 0x3400 }

/** Canonical bytes of `shape` in a block format. */
export function randomBlocks(dtype: BlockDType, shape: readonly number[], next: () => number): Uint8Array {
  const { block, bytes } = blockFormats[dtype]
  const count = sizeOf(shape) / block
  const out = Uint8Array.from({ length: count * bytes }, () => next() * 256)
  const view = new DataView(out.buffer)
  for (let at = 0; at < out.length; at += bytes) {
    const scale = (base[dtype] ?? 0x2000) + Math.floor(next() * 0x300)
    if (dtype === 'q8_k') view.setFloat32(at, 0.005 + 0.005 * next(), true)
    else if (dtype === 'mxfp4') out[at] = 124 + Math.floor(next() * 3)
    else if (dtype === 'nvfp4') for (let i = 0; i < 4; i++) out[at + i] = 0x28 + Math.floor(next() * 16)
    else if (dtype === 'iq1_m') {
      // The f16 scale is spread over the top four bits of four words.
      for (let i = 0; i < 4; i++) {
        const nibble = (0x2c00 >> (4 * i)) & 0xf
        out[at + 49 + 2 * i] = (out[at + 49 + 2 * i]! & 0x0f) | (nibble << 4)
      }
    } else for (const offset of halves[dtype] ?? [0]) view.setUint16(at + offset, scale, true)
  }
  return out
}
