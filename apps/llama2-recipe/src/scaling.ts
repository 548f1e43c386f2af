/** What the runs of the ladder say together: the frontier, and the line through it. */
import type { PretrainResult } from './pretrain.js'

/** A finished run. */
export interface Rung extends Omit<PretrainResult, 'gguf'> {
  /** As asked for: `SIZE:TOKENS`. `tokens` is what was read, a tenth more. */
  readonly run: string
  /** Operations of the whole training. */
  readonly flops: number
  /** On what, when, and with which version. */
  readonly measured: Readonly<Record<string, string | number>>
}

/** The curve L = floor + e^intercept · x^slope: what more of x buys, above what no model of the text can know. */
export interface Fit {
  readonly floor: number
  readonly intercept: number
  readonly slope: number
}

interface Point {
  readonly x: number
  readonly loss: number
}

/** Least squares of log(L - floor) against log x. */
function line(points: readonly Point[], floor: number): Fit & { readonly error: number } {
  const xs = points.map(p => Math.log(p.x))
  const ys = points.map(p => Math.log(p.loss - floor))
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length
  const [mx, my] = [mean(xs), mean(ys)]
  const slope = xs.reduce((a, x, i) => a + (x - mx) * (ys[i]! - my), 0) / xs.reduce((a, x) => a + (x - mx) ** 2, 0)
  const intercept = my - slope * mx
  const made = points.map(p => floor + Math.exp(intercept + slope * Math.log(p.x)))
  return { floor, intercept, slope, error: made.reduce((a, l, i) => a + Math.log(l / points[i]!.loss) ** 2, 0) }
}

/** The curve whose losses are nearest in logarithms; with fewer than four points its floor is 0, a straight line there. */
export function fit(points: readonly Point[]): Fit {
  const least = Math.min(...points.map(p => p.loss))
  const floors = points.length < 4 ? [0] : Array.from({ length: 1000 }, (_, i) => (least * i) / 1000)
  const { error: _, ...best } = floors.map(f => line(points, f)).reduce((a, b) => (b.error < a.error ? b : a))
  return best
}

export const lossAt = ({ floor, intercept, slope }: Fit, x: number): number =>
  floor + Math.exp(intercept + slope * Math.log(x))

/** The runs that no cheaper one beats: what the compute can buy. */
export const frontier = (rungs: readonly Rung[]): Rung[] =>
  rungs.filter(r => !rungs.some(other => other.flops <= r.flops && other.loss < r.loss))
