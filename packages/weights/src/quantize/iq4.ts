/** The encoder of iq4_nl: 32 values on a non-linear grid of 16 levels under one scale. */
import { type BlockEncoder, peak, putHalf } from './block.js'

const levels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
const middles = levels.slice(1).map((level, i) => (level + levels[i]!) / 2)

/** The index of the nearest level. */
function nearest(v: number): number {
  let low = 0
  let high = 15
  while (low < high) {
    const middle = (low + high) >> 1
    if (v < middles[middle]!) high = middle
    else low = middle + 1
  }
  return low
}

export const iq4_nl: BlockEncoder = (x, o, out, at) => {
  const top = peak(x, o, 32)
  let best = 0
  let scale = 0
  // Scales that put the largest value on or near the lowest level, each refitted by least squares weighted by x².
  for (let step = -7; step <= 7 && Math.abs(top) >= 1e-15; step++) {
    const inverse = (step - 127) / top
    let sumXQ = 0
    let sumQ2 = 0
    for (let i = 0; i < 32; i++) {
      const v = x[o + i]!
      const q = levels[nearest(inverse * v)]!
      sumXQ += v * v * v * q
      sumQ2 += v * v * q * q
    }
    if (sumQ2 > 0 && sumXQ * sumXQ > best * sumQ2) {
      scale = sumXQ / sumQ2
      best = scale * sumXQ
    }
  }
  const d = putHalf(out, at, scale)
  for (let i = 0; i < 32; i++) {
    const q = d === 0 ? 8 : nearest(x[o + i]! / d)
    out[at + 2 + (i & 15)]! |= q << (i < 16 ? 0 : 4)
  }
}
