/** What a conformance case is: an op, inputs made from a seed, a call, and how closely results must agree. */
import {
  type BlockDType,
  byteLength,
  type DenseDType,
  encode,
  type FloatDType,
  type IntDType,
  type Shape,
  type Spec,
  spec,
  type Tensor,
} from '@cria/tensor'
import { randomBlocks } from './blocks.js'
import type { Bound } from './compare.js'
import { shuffle, stream } from './random.js'

/** An input: its spec and how to fill it from a seed. */
export interface Input {
  readonly spec: Spec
  readonly fill: (next: () => number) => Uint8Array
}

export interface Case {
  /** The op under test, by its declared name. */
  readonly op: string
  readonly title: string
  readonly inputs: readonly Input[]
  readonly run: (...inputs: Tensor[]) => Tensor | readonly Tensor[] | undefined
  readonly bound: Bound
  /** Inputs to differentiate by; empty where no gradient flows. */
  readonly gradients: readonly number[]
  /** Inputs that the call changes; they are compared as results. */
  readonly changes: readonly number[]
}

export interface CaseOptions {
  readonly title?: string
  /** Default `rounded`. */
  readonly bound?: Bound
  /** False: no gradient. Default: by every float input, unless the case has effects. */
  readonly gradients?: boolean | readonly number[]
  readonly changes?: readonly number[]
}

/** One row of a table of cases. */
export function check(
  op: string,
  inputs: readonly Input[],
  run: Case['run'],
  { title = '', bound = 'rounded', gradients = true, changes = [] }: CaseOptions = {},
): Case {
  const floats = inputs.flatMap(({ spec: s }, i) => (['f32', 'f16', 'bf16'].includes(s.dtype) ? [i] : []))
  return {
    op,
    title: [inputs.map(i => `[${i.spec.shape}] ${i.spec.dtype}`).join(' '), title].filter(Boolean).join(' · '),
    inputs,
    run,
    bound,
    gradients: changes.length > 0 || gradients === false ? [] : gradients === true ? floats : gradients,
    changes,
  }
}

const numbers = (s: Spec, fill: (next: () => number, n: number) => ArrayLike<number>): Input => ({
  spec: s,
  fill: next =>
    encode(
      s,
      fill(
        next,
        s.shape.reduce((a, b) => a * b, 1),
      ),
      'case',
    ),
})

/** Numbers between `min` and `max`, −2 … 2 by default. */
export const real = (shape: Shape, dtype: FloatDType = 'f32', min = -2, max = 2): Input =>
  numbers(spec(dtype, shape), (next, n) => Float32Array.from({ length: n }, () => min + (max - min) * next()))

/** Numbers well above zero. */
export const positive = (shape: Shape, dtype: FloatDType = 'f32'): Input => real(shape, dtype, 0.25, 3)

/** Distinct numbers, none near zero and no two near each other: for functions with kinks and ties. */
export const apart = (shape: Shape, dtype: FloatDType = 'f32'): Input =>
  numbers(spec(dtype, shape), (next, n) =>
    shuffle(
      Array.from({ length: n }, (_, i) => (i - (n >> 1) + 0.5) * 0.25),
      next,
    ),
  )

/** Multiples of a quarter: never near a number that `apart` gives. */
export const quarters = (shape: Shape, dtype: FloatDType = 'f32'): Input =>
  numbers(spec(dtype, shape), (next, n) => Float32Array.from({ length: n }, () => Math.floor(16 * next() - 8) / 4))

/** Whole numbers from `min` up to, not including, `max`. */
export const whole = (shape: Shape, min: number, max: number, dtype: IntDType = 'i32'): Input =>
  numbers(spec(dtype, shape), (next, n) =>
    Float64Array.from({ length: n }, () => min + Math.floor((max - min) * next())),
  )

/** Fixed values. */
export const given = (dtype: DenseDType, shape: Shape, values: readonly number[]): Input =>
  numbers(spec(dtype, shape), () => values)

/** Random weights in a block format. */
export const blocks = (dtype: BlockDType, shape: Shape): Input => ({
  spec: spec(dtype, shape),
  fill: next => randomBlocks(dtype, shape, next),
})

/** Zeros of any dtype. */
export const nothing = (s: Spec): Input => ({ spec: s, fill: () => new Uint8Array(byteLength(s)) })

/** Canonical bytes of every input of a case; another `round` gives other numbers. */
export const fill = (c: Case, round = 0): Uint8Array[] =>
  c.inputs.map((input, i) => input.fill(stream(`${c.op} ${c.title} ${i} ${round}`)))
