/**
 * The frequencies of rotary embeddings under every scaling rule in use. Formulas as Hugging Face transformers and
 * Meta's llama-models compute them; the tests hold literal tables.
 */
import { ArgumentError } from './errors.js'

/** How a model stretches its rotary embedding to longer contexts. `originalContext` is the length it was trained on. */
export type RopeScaling =
  | { readonly type: 'default' }
  /** Positions divided by a factor (position interpolation, Chen et al. 2023). */
  | { readonly type: 'linear'; readonly factor: number }
  /** NTK-aware: the base grows with the length once it passes `originalContext`. */
  | { readonly type: 'dynamic'; readonly factor: number; readonly originalContext: number }
  /** Low frequencies interpolated, high ones kept (Peng et al. 2023). */
  | {
      readonly type: 'yarn'
      readonly factor: number
      readonly originalContext: number
      readonly attentionFactor?: number
      /** Default 32. */
      readonly betaFast?: number
      /** Default 1. */
      readonly betaSlow?: number
      readonly mscale?: number
      readonly mscaleAllDim?: number
      /** Round the correction range to whole dimensions. Default true. */
      readonly truncate?: boolean
      /**
       * What a ramp that ends before it begins is, which short original contexts and small bases make: transformers
       * lets it fall (`falling`, the default), llama.cpp makes a step of it where it begins (`step`).
       */
      readonly crossedRamp?: 'falling' | 'step'
    }
  /** Llama 3.1 to 3.3. */
  | {
      readonly type: 'llama3'
      readonly factor: number
      readonly lowFreqFactor: number
      readonly highFreqFactor: number
      readonly originalContext: number
    }
  /** One divisor for each frequency, other ones beyond `originalContext` (Ding et al. 2024). */
  | {
      readonly type: 'longrope'
      readonly shortFactor: readonly number[]
      readonly longFactor: readonly number[]
      readonly originalContext: number
      /** Default context / originalContext of the model. */
      readonly factor?: number
      readonly attentionFactor?: number
    }
  /** Divisors given outright: GGUF's `rope_freqs.weight`. */
  | { readonly type: 'divisors'; readonly divisors: ArrayLike<number> }

export interface RopeTable {
  /** Radians a position, one for each rotated pair: [R/2]. */
  readonly frequencies: Float32Array
  /** Factor on the rotated vectors; 1 but for yarn and longrope. */
  readonly attentionFactor: number
}

export interface RopeTableOptions {
  /** Rotated elements of a head, R. */
  readonly width: number
  /** Default 10000 (RoFormer, LLaMA). */
  readonly theta?: number
  readonly scaling?: RopeScaling
  /** Tokens in the sequence; matters to `dynamic` and `longrope` alone. Default: no longer than trained. */
  readonly length?: number
}

/**
 * The table for `rope()`.
 *
 * @example
 * const { frequencies } = ropeFrequencies({ width: 64, theta: 500_000 })
 * @throws ArgumentError for widths, factors and lists that do not fit.
 */
export function ropeFrequencies({
  width,
  theta = 10_000,
  scaling = { type: 'default' },
  length = 0,
}: RopeTableOptions): RopeTable {
  if (!Number.isInteger(width) || width < 2 || width % 2 !== 0)
    throw new ArgumentError(`rope_frequencies: got width ${width}, expected an even number ≥ 2`, {
      op: 'rope_frequencies',
      got: width,
    })
  positive('theta', theta)
  const half = width / 2
  const table = (base: number, divisor: (f: number, i: number) => number = () => 1): Float32Array =>
    Float32Array.from({ length: half }, (_, i) => {
      const f = base ** (-i / half)
      return f / divisor(f, i)
    })
  switch (scaling.type) {
    case 'default':
      return { frequencies: table(theta), attentionFactor: 1 }
    case 'linear':
      positive('factor', scaling.factor)
      return { frequencies: table(theta, () => scaling.factor), attentionFactor: 1 }
    case 'divisors':
      return { frequencies: table(theta, listed('divisors', scaling.divisors, half)), attentionFactor: 1 }
    case 'dynamic': {
      const { factor, originalContext } = scaling
      positive('factor', factor)
      positive('originalContext', originalContext)
      const stretch = (factor * Math.max(length, originalContext)) / originalContext - (factor - 1)
      return { frequencies: table(theta * stretch ** (width / (width - 2))), attentionFactor: 1 }
    }
    case 'llama3':
      return { frequencies: table(theta, llama3(scaling)), attentionFactor: 1 }
    case 'longrope': {
      const { originalContext, factor = 1 } = scaling
      const divisors = length > originalContext ? scaling.longFactor : scaling.shortFactor
      const natural = factor > 1 ? Math.sqrt(1 + Math.log(factor) / Math.log(originalContext)) : 1
      return {
        frequencies: table(theta, listed('longrope factors', divisors, half)),
        attentionFactor: scaling.attentionFactor ?? natural,
      }
    }
    case 'yarn':
      return { frequencies: table(theta, yarn(scaling, width, theta)), attentionFactor: yarnAttention(scaling) }
  }
}

function llama3({
  factor,
  lowFreqFactor: low,
  highFreqFactor: high,
  originalContext,
}: Extract<RopeScaling, { type: 'llama3' }>): (f: number) => number {
  positive('factor', factor)
  if (!(high > low))
    throw new ArgumentError(
      `rope_frequencies: got lowFreqFactor ${low} and highFreqFactor ${high}, expected low < high`,
      { op: 'rope_frequencies' },
    )
  return f => {
    const wavelength = (2 * Math.PI) / f
    if (wavelength < originalContext / high) return 1
    if (wavelength > originalContext / low) return factor
    const smooth = (originalContext / wavelength - low) / (high - low)
    return 1 / ((1 - smooth) / factor + smooth)
  }
}

type Yarn = Extract<RopeScaling, { type: 'yarn' }>

function yarn(
  { factor, originalContext, betaFast = 32, betaSlow = 1, truncate = true, crossedRamp = 'falling' }: Yarn,
  width: number,
  theta: number,
): (f: number, i: number) => number {
  positive('factor', factor)
  // The dimension that turns `turns` times over the original context.
  const dimension = (turns: number): number =>
    (width * Math.log(originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const [from, to] = [dimension(betaFast), dimension(betaSlow)]
  const low = Math.max(truncate ? Math.floor(from) : from, 0)
  const high = Math.min(truncate ? Math.ceil(to) : to, width - 1)
  // Both take 0.001 for a ramp without width.
  const span = high === low || (high < low && crossedRamp === 'step') ? 0.001 : high - low
  return (_, i) => {
    const interpolated = Math.min(1, Math.max(0, (i - low) / span))
    return 1 / (interpolated / factor + (1 - interpolated))
  }
}

function yarnAttention({ factor, attentionFactor, mscale, mscaleAllDim }: Yarn): number {
  const natural = (m: number): number => (factor > 1 ? 0.1 * m * Math.log(factor) + 1 : 1)
  if (attentionFactor !== undefined) return attentionFactor
  return mscale && mscaleAllDim ? natural(mscale) / natural(mscaleAllDim) : natural(1)
}

function listed(what: string, divisors: ArrayLike<number>, half: number): (f: number, i: number) => number {
  if (divisors.length !== half)
    throw new ArgumentError(`rope_frequencies: got ${divisors.length} ${what}, expected ${half}, one for each pair`, {
      op: 'rope_frequencies',
      got: divisors.length,
      expected: half,
    })
  return (_, i) => divisors[i]!
}

function positive(what: string, value: number): void {
  if (!(value > 0))
    throw new ArgumentError(`rope_frequencies: got ${what} ${value}, expected a number above 0`, {
      op: 'rope_frequencies',
      got: value,
    })
}
