/** The primitives as plain loops: an element of the output from its flat index wherever that says it all. */
import { type OpCall, sizeOf } from '@cria/tensor'
import { erf, threefry } from './page-math.js'

export type Values = ArrayLike<number>
export type Compute = (inputs: readonly Values[], call: OpCall) => readonly Values[]
/** An element of an output from its flat index: most primitives are no more than that. */
export type Element = (inputs: readonly Values[], call: OpCall, integer: boolean) => (i: number) => number

export const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const strides = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))

/** The flat index in `shape` of element i of `out`, stretched axes staying at 0. */
function under(out: readonly number[], shape: readonly number[]): (i: number) => number {
  const from = strides(shape)
  const to = strides(out).slice(out.length - shape.length)
  return i => shape.reduce((at, n, axis) => at + (n === 1 ? 0 : (Math.floor(i / to[axis]!) % n) * from[axis]!), 0)
}

const unary =
  (f: (x: number) => number): Element =>
  ([x]) =>
  i =>
    f(x![i]!)
const binary =
  (f: (a: number, b: number, integer: boolean) => number): Element =>
  ([a, b], { inputs, outputs }, integer) => {
    const [p, q] = inputs.map(s => under(outputs[0]!.shape, s.shape))
    return i => f(a![p!(i)]!, b![q!(i)]!, integer)
  }
/** Splits the axis of a reduction out of the flat index: `line(k)` reads element k of the line that result i sums. */
const reduction =
  (f: (line: (k: number) => number, n: number) => number): Element =>
  ([x], { inputs: [s], attrs }) => {
    const n = s!.shape[attrs.axis as number]!
    const inner = sizeOf(s!.shape.slice((attrs.axis as number) + 1))
    return i => f(k => x![(Math.floor(i / inner) * n + k) * inner + (i % inner)]!, n)
  }

const divide = (a: number, b: number, integer: boolean): number => (!integer ? a / b : b === 0 ? 0 : Math.trunc(a / b))
const best = (line: (k: number) => number, n: number): number =>
  indices(n).reduce((m, k) => (first(line(k), line(m)) ? k : m))

/** NaN is above every number: what is wrong is not dropped. */
const first = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b))

export const elements: Readonly<Record<string, Element>> = {
  ...Object.fromEntries(
    (['abs', 'exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'floor'] as const).map(f => [f, unary(Math[f])]),
  ),
  neg: unary(x => -x),
  erf: unary(erf),
  cast: unary(x => x),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b, integer) => (integer ? Math.imul(a, b) : a * b)),
  div: binary(divide),
  pow: binary((a, b) => a ** b),
  maximum: binary((a, b) => Math.max(a, b)),
  equal: binary((a, b) => Number(a === b)),
  less: binary((a, b) => Number(a < b)),
  less_equal: binary((a, b) => Number(a <= b)),
  select: ([c, a, b], { inputs, outputs }) => {
    const [p, q, r] = inputs.map(s => under(outputs[0]!.shape, s.shape))
    return i => (c![p!(i)] !== 0 ? a![q!(i)]! : b![r!(i)]!)
  },
  full:
    (_, { attrs }) =>
    () =>
      attrs.value as number,
  iota: () => i => i,
  dequantize: unary(x => x),
  sum: reduction((line, n) => indices(n).reduce((total, k) => total + line(k), 0)),
  max: reduction((line, n) => line(best(line, n))),
  argmax: reduction(best),
  cumsum:
    ([x], { inputs: [s] }) =>
    i =>
      indices((i % (s!.shape.at(-1) ?? 1)) + 1).reduce((t, k) => t + x![i - k]!, 0),
  transpose: ([x], { inputs: [s], outputs: [o], attrs }) => {
    const from = strides(s!.shape)
    const to = strides(o!.shape)
    return i =>
      x![
        (attrs.perm as number[]).reduce(
          (at, p, axis) => at + (Math.floor(i / to[axis]!) % o!.shape[axis]!) * from[p]!,
          0,
        )
      ]!
  },
  slice: ([x], { inputs: [s], outputs: [o], attrs }) => {
    const { axis, start } = attrs as { axis: number; start: number }
    const inner = sizeOf(s!.shape.slice(axis + 1))
    const run = o!.shape[axis]! * inner
    return i => x![Math.floor(i / run) * s!.shape[axis]! * inner + start * inner + (i % run)]!
  },
  concat: ([a, b], { inputs, attrs }) => {
    const [m, n] = inputs.map(s => sizeOf(s.shape.slice(attrs.axis as number)))
    return i => {
      const [row, at] = [Math.floor(i / (m! + n!)), i % (m! + n!)]
      return at < m! ? a![row * m! + at]! : b![row * n! + at - m!]!
    }
  },
  gather: ([x, index], { inputs: [s] }) => {
    const width = sizeOf(s!.shape.slice(1))
    return i => x![index![Math.floor(i / width)]! * width + (i % width)] ?? 0
  },
  matmul: ([a, b], { inputs: [x, y], outputs: [o], attrs }) => {
    const [m, n] = o!.shape.slice(-2) as [number, number]
    const k = x!.shape.at(attrs.transposeA ? -2 : -1)!
    const [rowA, stepA] = attrs.transposeA ? [1, m] : [k, 1]
    const [stepB, colB] = attrs.transposeB ? [1, k] : [n, 1]
    return i => {
      const [batch, row, col] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n]
      const [atA, atB] = [batch * m * k + row * rowA, (y!.shape.length > 2 ? batch * k * n : 0) + col * colB]
      return indices(k).reduce((t, j) => t + a![atA + j * stepA]! * b![atB + j * stepB]!, 0)
    }
  },
  random_bits:
    ([key]) =>
    i =>
      threefry(key![0]!, key![1]!, i >> 1, 0)[i & 1]!,
}

/** What is not one formula for each element, or changes an input. */
export const wholes: Readonly<Record<string, Compute>> = {
  top_k([x], { inputs: [s], attrs }) {
    const n = s!.shape.at(-1)!
    const winners = indices(sizeOf(s!.shape) / n).flatMap(row =>
      indices(n)
        .map(j => row * n + j)
        .sort((i, j) => Number(first(x![j]!, x![i]!)) - Number(first(x![i]!, x![j]!)) || i - j)
        .slice(0, attrs.k as number),
    )
    return [winners.map(i => x![i]!), winners.map(i => i % n)]
  },
  scatter_add([x, index, updates], { inputs: [s] }) {
    const width = sizeOf(s!.shape.slice(1))
    const y = Float64Array.from(x!)
    Array.from(updates!).forEach((u, i) => {
      const row = index![Math.floor(i / width)]!
      if (row >= 0 && row < s!.shape[0]!) y[row * width + (i % width)]! += u
    })
    return [y]
  },
  assign: ([, x]) => [x!],
  write_rows([target, rows, index], { inputs: [s] }) {
    const width = sizeOf(s!.shape.slice(1))
    const y = Float64Array.from(target!)
    Array.from(index!).forEach((row, i) => {
      if (row >= 0 && row < s!.shape[0]!) y.set(Array.from(rows!).slice(i * width, (i + 1) * width), row * width)
    })
    return [y]
  },
}
