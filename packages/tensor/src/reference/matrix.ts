/** Reference kernels for matrix products and block formats. */
import { type BlockDType, decodeBlocks } from '../blocks/index.js'
import { sizeOf } from '../spec.js'
import type { KernelMaker } from './index.js'

const matmul: KernelMaker = ({ inputs: [a, b], outputs: [out], attrs: { transposeA, transposeB } }) => {
  if (a!.dtype !== 'f32') return undefined
  const [m, n] = out!.shape.slice(-2) as [number, number]
  const k = a!.shape.at(transposeA ? -2 : -1)!
  // Steps between neighbours along M (or N) and along K.
  const [am, ak] = transposeA ? [1, m] : [k, 1]
  const [bn, bk] = transposeB ? [k, 1] : [1, n]
  const batches = sizeOf(out!.shape.slice(0, -2))
  const shared = b!.shape.length === 2
  return ([x, y], [z]) => {
    for (let batch = 0; batch < batches; batch++) {
      const px = batch * m * k
      const py = shared ? 0 : batch * k * n
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let total = 0
          for (let l = 0; l < k; l++) total += x![px + i * am + l * ak]! * y![py + j * bn + l * bk]!
          z![(batch * m + i) * n + j] = total
        }
      }
    }
  }
}

const dequantize: KernelMaker =
  ({ inputs: [x] }) =>
  ([bytes], [y]) => {
    decodeBlocks(x!.dtype as BlockDType, bytes as Uint8Array, y as Float32Array)
  }

export const matrix: Readonly<Record<string, KernelMaker>> = { matmul, dequantize }
