/** The three pieces of arithmetic that JavaScript's Math lacks: erf, Threefry's bits and the q8_0 rounding. */
import { f32ToF16 } from '@cria/tensor'

/** erf by its Taylor series near 0 and a continued fraction far from it. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    let term = x
    let total = x
    for (let n = 1; Math.abs(term) > 1e-17; n++) {
      term *= (-x * x) / n
      total += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * total
  }
  let fraction = a
  for (let k = 40; k > 0; k--) fraction = a + k / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)))
}

/** Threefry-2x32 with 20 rounds (Salmon et al. 2011). */
export function threefry(k0: number, k1: number, c0: number, c1: number): readonly [number, number] {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda]
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24]
  let [a, b] = [(c0 + k0) | 0, (c1 + k1) | 0]
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8]!
    a = (a + b) | 0
    b = ((b << r) | (b >>> (32 - r))) ^ a
    if (round % 4 === 3) {
      const group = (round + 1) / 4
      a = (a + keys[group % 3]!) | 0
      b = (b + keys[(group + 1) % 3]! + group) | 0
    }
  }
  return [a >>> 0, b >>> 0]
}

/** Numbers as q8_0 blocks: 32 elements share an f16 scale of their largest magnitude / 127. */
export function q8Row(values: ArrayLike<number>): Uint8Array {
  const blocks = values.length / 32
  const view = new DataView(new ArrayBuffer(blocks * 34))
  for (let b = 0; b < blocks; b++) {
    const block = Array.from({ length: 32 }, (_, i) => values[b * 32 + i]!)
    const scale = Math.max(...block.map(Math.abs)) / 127
    view.setUint16(b * 34, f32ToF16(scale), true)
    block.forEach((v, i) => {
      view.setInt8(b * 34 + 2 + i, scale === 0 ? 0 : Math.round(v / scale))
    })
  }
  return new Uint8Array(view.buffer)
}
