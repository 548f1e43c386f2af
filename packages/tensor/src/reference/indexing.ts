/** Reference kernels that read and write by index, and the random bits. */
import { f32ToBf16, f32ToF16 } from '../half.js'
import { sizeOf } from '../spec.js'
import type { Elements, KernelMaker } from './index.js'

const rowOf = (shape: readonly number[]): number => sizeOf(shape.slice(1))

const gather: KernelMaker = ({ inputs: [x] }) => {
  const width = rowOf(x!.shape)
  const n = x!.shape[0]!
  return ([a, index], [y]) => {
    y!.fill(0)
    index!.forEach((row, i) => {
      if (row >= 0 && row < n) y!.set(a!.subarray(row * width, (row + 1) * width), i * width)
    })
  }
}

const scatterAdd: KernelMaker = ({ inputs: [x] }) => {
  if (x!.dtype === 'f16' || x!.dtype === 'bf16') return undefined
  const width = rowOf(x!.shape)
  const n = x!.shape[0]!
  return ([a, index, updates], [y]) => {
    y!.set(a!)
    index!.forEach((row, i) => {
      if (row < 0 || row >= n) return
      for (let j = 0; j < width; j++) y![row * width + j]! += updates![i * width + j]!
    })
  }
}

/** Writes one f32 row in the target's dtype. */
type Put = (target: Elements, at: number, row: Float32Array) => void

const puts: Partial<Record<string, Put>> = {
  f32: (target, at, row) => target.set(row, at),
  f16: (target, at, row) => target.set(Uint16Array.from(row, f32ToF16), at),
  bf16: (target, at, row) => target.set(Uint16Array.from(row, f32ToBf16), at),
  q8_0: (target, at, row) => putQ8(target as Uint8Array, (at / 32) * 34, row),
}

/** ggml's q8_0: per 32 elements an f16 scale (largest magnitude / 127) and 32 rounded bytes. */
function putQ8(target: Uint8Array, start: number, row: Float32Array): void {
  const view = new DataView(target.buffer, target.byteOffset)
  for (let block = 0, at = start; block < row.length; block += 32, at += 34) {
    const x = row.subarray(block, block + 32)
    const largest = x.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
    const scale = Math.fround(largest / 127)
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
    view.setUint16(at, f32ToF16(scale), true)
    x.forEach((v, i) => {
      const q = Math.fround(v * inverse)
      view.setInt8(at + 2 + i, Math.sign(q) * Math.floor(Math.abs(q) + 0.5))
    })
  }
}

const writeRows: KernelMaker = ({ inputs: [target] }) => {
  const put = puts[target!.dtype]
  if (put === undefined) return undefined
  const width = rowOf(target!.shape)
  const n = target!.shape[0]!
  return ([into, values, index]) => {
    index!.forEach((row, i) => {
      if (row >= 0 && row < n) put(into!, row * width, values!.subarray(i * width, (i + 1) * width) as Float32Array)
    })
  }
}

/** Threefry-2x32, 20 rounds. */
function threefry(k0: number, k1: number, c0: number, c1: number): [number, number] {
  const keys = [k0, k1, (k0 ^ k1 ^ 0x1bd11bda) >>> 0]
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24]
  let x0 = (c0 + k0) >>> 0
  let x1 = (c1 + k1) >>> 0
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8]!
    x0 = (x0 + x1) >>> 0
    x1 = (((x1 << r) | (x1 >>> (32 - r))) ^ x0) >>> 0
    if (round % 4 === 3) {
      const group = (round + 1) / 4
      x0 = (x0 + keys[group % 3]!) >>> 0
      x1 = (x1 + keys[(group + 1) % 3]! + group) >>> 0
    }
  }
  return [x0, x1]
}

const randomBits: KernelMaker =
  () =>
  ([key], [y]) => {
    for (let i = 0; i < y!.length; i += 2) {
      const [a, b] = threefry(key![0]!, key![1]!, i / 2, 0)
      y![i] = a
      if (i + 1 < y!.length) y![i + 1] = b
    }
  }

export const indexing: Readonly<Record<string, KernelMaker>> = {
  gather,
  scatter_add: scatterAdd,
  write_rows: writeRows,
  random_bits: randomBits,
}
