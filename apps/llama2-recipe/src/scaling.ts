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

/** The line log L = intercept + slope · log x. */
export interface Fit {
  readonly intercept: number
  readonly slope: number
  /** Of the points it was fitted to. */
  readonly points: number
}

/** Least squares through the points in logarithms. */
export function fit(points: readonly { readonly x: number; readonly loss: number }[]): Fit {
  const xs = points.map(p => Math.log(p.x))
  const ys = points.map(p => Math.log(p.loss))
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length
  const [mx, my] = [mean(xs), mean(ys)]
  const slope = xs.reduce((a, x, i) => a + (x - mx) * (ys[i]! - my), 0) / xs.reduce((a, x) => a + (x - mx) ** 2, 0)
  return { intercept: my - slope * mx, slope, points: points.length }
}

/** The runs that no cheaper one beats: what the compute can buy. */
export const frontier = (rungs: readonly Rung[]): Rung[] =>
  rungs.filter(r => !rungs.some(other => other.flops <= r.flops && other.loss < r.loss))
