/**
 * Searches for the scale (and minimum) that fit a group of values best on a grid of whole codes. Rounding is not
 * smooth, so both try a row of starting scales, round, and solve the weighted least squares for the codes they got.
 */
import { clamp } from './block.js'

/** Groups below this magnitude are zero: their inverse scale would overflow. */
const tiny = 1e-15

export interface AffineFit {
  scale: number
  /** Subtracted: values are `scale · code − min`, and `min ≥ 0`. */
  min: number
}

/**
 * Fits `x ≈ scale · code − min` with codes 0 … `top`.
 *
 * @param weights importance of each of the `n` values
 * @param steps   starting scales are those that spread the range over `top + from` … codes, `steps` of them, 0.1 apart
 */
export function fitAffine(
  x: Float32Array,
  o: number,
  n: number,
  weights: Float64Array,
  top: number,
  from: number,
  steps: number,
): AffineFit {
  let low = 0
  let high = x[o]!
  let sumW = 0
  let sumX = 0
  for (let i = 0; i < n; i++) {
    const v = x[o + i]!
    if (v < low) low = v
    if (v > high) high = v
    sumW += weights[i]!
    sumX += weights[i]! * v
  }
  const range = high - low
  if (range < tiny) return { scale: 0, min: -low }
  let best: AffineFit = { scale: 0, min: 0 }
  let bestError = Number.POSITIVE_INFINITY
  for (let step = 0; step <= steps; step++) {
    const inverse = (top + from + 0.1 * step) / range
    let sumL = 0
    let sumL2 = 0
    let sumXL = 0
    for (let i = 0; i < n; i++) {
      const v = x[o + i]!
      const near = (inverse * (v - low) + 0.5) | 0 // never negative
      const code = Math.min(near, top)
      const wl = weights[i]! * code
      sumL += wl
      sumL2 += wl * code
      sumXL += wl * v
    }
    const determinant = sumW * sumL2 - sumL * sumL
    if (!(determinant > 0)) continue
    let scale = (sumW * sumXL - sumX * sumL) / determinant
    let min = (sumL * sumXL - sumL2 * sumX) / determinant
    if (min < 0) {
      min = 0
      scale = sumXL / sumL2
    }
    if (!(scale > 0)) continue
    // Σ w · (scale · code − min − x)², less the part Σ w · x² that all share.
    const error = scale * (scale * sumL2 - 2 * (min * sumL + sumXL)) + min * (min * sumW + 2 * sumX)
    if (error < bestError) {
      bestError = error
      best = { scale, min }
    }
  }
  // Groups of one repeated value have no such fit; two codes represent them.
  return bestError === Number.POSITIVE_INFINITY ? { scale: range / top, min: -low } : best
}

/**
 * Fits `x ≈ scale · code` with codes −`half` … `half` − 1, weighing values by their square. The scale may be negative:
 * the grid reaches further below than above.
 */
export function fitSymmetric(x: Float32Array, o: number, n: number, half: number, peak: number): number {
  if (Math.abs(peak) < tiny) return 0
  let best = 0
  let scale = 0
  for (let step = -9; step <= 9; step++) {
    const inverse = -(half + 0.1 * step) / peak
    let sumXL = 0
    let sumL2 = 0
    for (let i = 0; i < n; i++) {
      const v = x[o + i]!
      const code = clamp(Math.floor(inverse * v + 0.5), -half, half - 1)
      const w = v * v
      sumXL += w * v * code
      sumL2 += w * code * code
    }
    // The error is Σw·x² − sumXL²/sumL2: the larger the quotient, the better.
    if (sumL2 > 0 && sumXL * sumXL > best * sumL2) {
      scale = sumXL / sumL2
      best = sumXL * scale
    }
  }
  return scale
}
