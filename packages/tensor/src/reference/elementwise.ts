/** Reference kernels: one number in, one number out; broadcasting by strides. */

import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../half.js'
import type { DType, Shape } from '../spec.js'
import { sizeOf } from '../spec.js'
import type { Elements, KernelMaker } from './index.js'

const unaries: Record<string, (x: number) => number> = {
  neg: x => -x,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  floor: Math.floor,
  erf,
}

const binaries: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: Math.pow,
  maximum: Math.max,
  equal: (a, b) => (a === b ? 1 : 0),
  less: (a, b) => (a < b ? 1 : 0),
  less_equal: (a, b) => (a <= b ? 1 : 0),
}

/** Integers wrap as 32-bit hardware does; division truncates, and by zero gives zero. */
const integers: Record<string, (a: number, b: number) => number> = {
  ...binaries,
  mul: Math.imul,
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
}

const isHalf = (dtype: DType): boolean => dtype === 'f16' || dtype === 'bf16'

/** Strides of a shape seen under a broadcast shape: 0 where an axis is stretched. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0)
  let step = 1
  for (let i = 1; i <= from.length; i++) {
    const n = from[from.length - i]!
    if (n !== 1) strides[to.length - i] = step
    step *= n
  }
  return strides
}

/** Calls `visit(position, offsets)` for every element of a shape in order, keeping one running offset a stride list. */
export function walk(
  shape: Shape,
  strides: readonly (readonly number[])[],
  visit: (i: number, offsets: readonly number[]) => void,
): void {
  const index = new Array<number>(shape.length).fill(0)
  const offsets = new Array<number>(strides.length).fill(0)
  const n = sizeOf(shape)
  for (let i = 0; i < n; i++) {
    visit(i, offsets)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const wrapped = ++index[axis]! === shape[axis]!
      const steps = wrapped ? 1 - shape[axis]! : 1
      for (let s = 0; s < strides.length; s++) offsets[s]! += steps * strides[s]![axis]!
      if (!wrapped) break
      index[axis] = 0
    }
  }
}

function unaryMaker(f: (x: number) => number): KernelMaker {
  return ({ inputs: [x] }) => {
    if (isHalf(x!.dtype)) return undefined
    return ([a], [y]) => {
      for (let i = 0; i < y!.length; i++) y![i] = f(a![i]!)
    }
  }
}

function binaryMaker(name: string): KernelMaker {
  return ({ inputs: [a, b], outputs: [out] }) => {
    if (isHalf(a!.dtype)) return undefined
    const f = (a!.dtype === 'f32' ? binaries : integers)[name]!
    const strides = [broadcastStrides(a!.shape, out!.shape), broadcastStrides(b!.shape, out!.shape)]
    return ([x, y], [z]) =>
      walk(out!.shape, strides, (i, [p, q]) => {
        z![i] = f(x![p!]!, y![q!]!)
      })
  }
}

const select: KernelMaker = ({ inputs: [condition, a, b], outputs: [out] }) => {
  if (isHalf(a!.dtype)) return undefined
  const strides = [condition!, a!, b!].map(s => broadcastStrides(s.shape, out!.shape))
  return ([c, x, y], [z]) =>
    walk(out!.shape, strides, (i, [p, q, r]) => {
      z![i] = c![p!] !== 0 ? x![q!]! : y![r!]!
    })
}

const limits: Partial<Record<DType, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i8: [-128, 127],
  u8: [0, 255],
}

const cast: KernelMaker = ({ inputs: [from], outputs: [to] }) => {
  const load = loader(from!.dtype)
  const store = storer(to!.dtype)
  return ([x], [y]) => {
    for (let i = 0; i < y!.length; i++) y![i] = store(load(x!, i))
  }
}

/** Reads an element as a number. */
export function loader(dtype: DType): (a: Elements, i: number) => number {
  if (dtype === 'f16') return (a, i) => f16ToF32(a[i]!)
  if (dtype === 'bf16') return (a, i) => bf16ToF32(a[i]!)
  return (a, i) => a[i]!
}

/** Turns a number into what is stored: rounded for halves, truncated and saturated for integers. */
export function storer(dtype: DType): (x: number) => number {
  if (dtype === 'f16') return x => f32ToF16(Math.fround(x))
  if (dtype === 'bf16') return x => f32ToBf16(Math.fround(x))
  const range = limits[dtype]
  if (range === undefined) return x => x
  const [low, high] = range
  return x => (Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))))
}

/** erf by its series near zero and the continued fraction of erfc beyond: accurate to double rounding. */
function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    let term = x
    let total = x
    for (let n = 1; n < 80; n++) {
      term *= (-x * x) / n
      total += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * total
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction)
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)))
}

export const elementwise: Readonly<Record<string, KernelMaker>> = {
  ...Object.fromEntries(Object.entries(unaries).map(([name, f]) => [name, unaryMaker(f)])),
  ...Object.fromEntries(Object.keys(binaries).map(name => [name, binaryMaker(name)])),
  select,
  cast,
}
