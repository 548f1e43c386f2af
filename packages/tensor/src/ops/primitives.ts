/**
 * The primitives that move, combine and sum elements. Their gradients call one another, so they share one room. Every
 * backend has kernels for these (in f32, and in the integers where it makes sense); all else can be defined by them.
 */
import type { Device } from '../device.js'
import { ArgumentError, DTypeError, ShapeError } from '../errors.js'
import { castOp, defineOp, type Op } from '../op.js'
import {
  axisOf,
  broadcastShapes,
  type DenseDType,
  type DType,
  format,
  isBlock,
  isFloat,
  type Shape,
  type Spec,
  sameShape,
  sizeOf,
  spec,
} from '../spec.js'
import { isTensor, type Tensor } from '../tensor.js'

/** A tensor, or a number that becomes a scalar of the other side's dtype. */
export type Operand = Tensor | number

export type Unary = Op<[Tensor], Record<never, never>>
type Binary = Op<[Tensor, Tensor], Record<never, never>>
export const none: Record<never, never> = {}

export function numeric(op: string, s: Spec): void {
  if (isBlock(s.dtype))
    throw new DTypeError(`${op}: got ${format(s)}, expected a dense dtype. Use dequantize() first`, {
      op,
      got: s.dtype,
    })
}

function floating(op: string, s: Spec): void {
  if (!isFloat(s.dtype))
    throw new DTypeError(`${op}: got ${format(s)}, expected f32, f16 or bf16. Use cast(x, 'f32') first`, {
      op,
      got: s.dtype,
    })
}

// --- unary ---

export function unary(
  name: string,
  rules: {
    grad?: (x: Tensor, y: Tensor, g: Tensor) => Tensor
    definition?: (x: Tensor) => Tensor
    ints?: boolean
    differentiable?: boolean
  },
): Unary {
  const { grad, definition, ints, differentiable } = rules
  return defineOp<[Tensor], Record<never, never>>({
    name,
    infer([x]) {
      ;(ints ? numeric : floating)(name, x)
      return { shape: x.shape, dtype: x.dtype }
    },
    widens: true,
    ...(definition && { definition: ([x]) => definition(x) }),
    ...(grad && { grad: ({ inputs: [x], outputs, grad: g }) => [grad(x, outputs[0]!, g)] }),
    ...(differentiable === false && { differentiable }),
  })
}

const negOp = unary('neg', { ints: true, grad: (_, __, g) => neg(g) })
const absOp = unary('abs', {
  ints: true,
  grad: (x, _, g) => mul(g, sub(cast(greater(x, 0), x.dtype), cast(less(x, 0), x.dtype))),
})
const expOp = unary('exp', { grad: (_, y, g) => mul(g, y) })
const logOp = unary('log', { grad: (x, _, g) => div(g, x) })
const sqrtOp = unary('sqrt', { grad: (_, y, g) => div(mul(g, 0.5), y) })
const sinOp = unary('sin', { grad: (x, _, g) => mul(g, cos(x)) })
const cosOp = unary('cos', { grad: (x, _, g) => neg(mul(g, sin(x))) })
const tanhOp = unary('tanh', { grad: (_, y, g) => mul(g, sub(1, mul(y, y))) })
const erfOp = unary('erf', { grad: (x, _, g) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))) })
const floorOp = unary('floor', { differentiable: false })

/** −x. */
export const neg = (x: Tensor): Tensor => negOp([x], none)
/** |x|. The gradient at 0 is 0. */
export const abs = (x: Tensor): Tensor => absOp([x], none)
/** eˣ. */
export const exp = (x: Tensor): Tensor => expOp([x], none)
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => logOp([x], none)
/** √x. */
export const sqrt = (x: Tensor): Tensor => sqrtOp([x], none)
/** sin x, in radians. */
export const sin = (x: Tensor): Tensor => sinOp([x], none)
/** cos x, in radians. */
export const cos = (x: Tensor): Tensor => cosOp([x], none)
/** tanh x. */
export const tanh = (x: Tensor): Tensor => tanhOp([x], none)
/** The error function. */
export const erf = (x: Tensor): Tensor => erfOp([x], none)
/** The largest whole number ≤ x. No gradient. */
export const floor = (x: Tensor): Tensor => floorOp([x], none)

// --- binary ---

function binary(
  name: string,
  rules: {
    grad?: (a: Tensor, b: Tensor, g: Tensor, y: Tensor) => [Tensor, Tensor]
    definition?: (a: Tensor, b: Tensor) => Tensor
    result?: DType
  },
): Binary {
  const { grad, definition, result } = rules
  return defineOp<[Tensor, Tensor], Record<never, never>>({
    name,
    infer([a, b]) {
      numeric(name, a)
      numeric(name, b)
      if (a.dtype !== b.dtype) {
        throw new DTypeError(`${name}: got ${format(a)} and ${format(b)}, expected one dtype. Use cast() on one side`, {
          op: name,
          got: [a.dtype, b.dtype],
        })
      }
      return { shape: broadcastShapes(name, a.shape, b.shape), dtype: result ?? a.dtype }
    },
    widens: true,
    ...(definition && { definition: ([a, b]) => definition(a, b) }),
    ...(grad && {
      grad({ inputs: [a, b], outputs, grad: g }) {
        const [da, db] = grad(a, b, g, outputs[0]!)
        return [sumTo(da, a.shape), sumTo(db, b.shape)]
      },
    }),
    ...(result && { differentiable: false }),
  })
}

const addOp = binary('add', { grad: (_, __, g) => [g, g] })
const subOp = binary('sub', { grad: (_, __, g) => [g, neg(g)] })
const mulOp = binary('mul', { grad: (a, b, g) => [mul(g, b), mul(g, a)] })
const divOp = binary('div', { grad: (_, b, g, y) => [div(g, b), neg(div(mul(g, y), b))] })
const powOp = binary('pow', {
  // log of a negative base has no meaning; there the exponent gets no gradient.
  grad: (a, b, g, y) => [mul(g, mul(b, pow(a, sub(b, 1)))), mul(g, mul(y, log(select(greater(a, 0), a, 1))))],
})
const maximumOp = binary('maximum', { grad: (a, b, g) => [select(greaterEqual(a, b), g, 0), select(less(a, b), g, 0)] })
const minimumOp = binary('minimum', {
  definition: (a, b) => neg(maximum(neg(a), neg(b))),
  grad: (a, b, g) => [select(lessEqual(a, b), g, 0), select(greater(a, b), g, 0)],
})
const equalOp = binary('equal', { result: 'i32' })
const lessOp = binary('less', { result: 'i32' })
const lessEqualOp = binary('less_equal', { result: 'i32' })

/** Numbers become scalars of the other side's dtype. */
function call(op: Binary, a: Operand, b: Operand): Tensor {
  if (isTensor(a)) return op([a, isTensor(b) ? b : a.device.constant(b, a.dtype)], none)
  if (isTensor(b)) return op([b.device.constant(a, b.dtype), b], none)
  throw new ArgumentError(`${op.declaration.name}: got two numbers, expected at least one tensor`, {
    op: op.declaration.name,
  })
}

/**
 * a + b, with broadcasting.
 *
 * @example
 * add(device.tensor([1, 2]), 10) // [11, 12]
 */
export const add = (a: Operand, b: Operand): Tensor => call(addOp, a, b)
/** a − b. */
export const sub = (a: Operand, b: Operand): Tensor => call(subOp, a, b)
/** a · b, elementwise. */
export const mul = (a: Operand, b: Operand): Tensor => call(mulOp, a, b)
/** a / b. Integers divide towards zero; by 0 they give 0. */
export const div = (a: Operand, b: Operand): Tensor => call(divOp, a, b)
/** aᵇ. */
export const pow = (a: Operand, b: Operand): Tensor => call(powOp, a, b)
/** The larger of a and b. */
export const maximum = (a: Operand, b: Operand): Tensor => call(maximumOp, a, b)
/** The smaller of a and b. */
export const minimum = (a: Operand, b: Operand): Tensor => call(minimumOp, a, b)
/** a = b, as i32 0 or 1. */
export const equal = (a: Operand, b: Operand): Tensor => call(equalOp, a, b)
/** a < b, as i32 0 or 1. */
export const less = (a: Operand, b: Operand): Tensor => call(lessOp, a, b)
/** a ≤ b, as i32 0 or 1. */
export const lessEqual = (a: Operand, b: Operand): Tensor => call(lessEqualOp, a, b)
/** a > b, as i32 0 or 1. */
export const greater = (a: Operand, b: Operand): Tensor => call(lessOp, b, a)
/** a ≥ b, as i32 0 or 1. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => call(lessEqualOp, b, a)

// --- select and cast ---

const selectOp: Op<[Tensor, Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'select',
  infer([condition, a, b]) {
    if (condition.dtype !== 'i32')
      throw new DTypeError(`select: got a condition of ${format(condition)}, expected i32 as comparisons give`, {
        op: 'select',
      })
    if (a.dtype !== b.dtype)
      throw new DTypeError(`select: got ${format(a)} and ${format(b)}, expected one dtype. Use cast() on one side`, {
        op: 'select',
      })
    numeric('select', a)
    return {
      shape: broadcastShapes('select', broadcastShapes('select', condition.shape, a.shape), b.shape),
      dtype: a.dtype,
    }
  },
  widens: true,
  grad: ({ inputs: [condition, a, b], grad: g }) => [
    undefined,
    sumTo(select(condition, g, 0), a.shape),
    sumTo(select(condition, 0, g), b.shape),
  ],
})

/** Where the i32 condition is not 0: a, else b. Broadcasts all three. */
export function select(condition: Tensor, a: Operand, b: Operand): Tensor {
  const dtype = isTensor(a) ? a.dtype : isTensor(b) ? b.dtype : 'f32'
  const tensor = (x: Operand): Tensor => (isTensor(x) ? x : condition.device.constant(x, dtype))
  return selectOp([condition, tensor(a), tensor(b)], none)
}

/**
 * Converts the dtype. Floats to integers truncate towards zero and saturate; f32 to halves rounds to nearest even.
 * Block formats are refused: see `dequantize`.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x
  for (const s of [x, { shape: x.shape, dtype }]) numeric('cast', s)
  return castOp([x], { dtype })
}

/** Sums a gradient over the axes that broadcasting had stretched. */
function sumTo(g: Tensor, shape: Shape): Tensor {
  let out = g
  for (let extra = g.shape.length - shape.length; extra > 0; extra--) out = sum(out, 0)
  shape.forEach((n, axis) => {
    if (n === 1 && out.shape[axis] !== 1) out = sum(out, axis, { keep: true })
  })
  return out.shape.length === shape.length ? out : reshape(out, shape)
}

// --- shape ---

const reshapeOp: Op<[Tensor], { shape: Shape }> = defineOp({
  name: 'reshape',
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  alias: true,
  grad: ({ inputs: [x], grad }) => [reshape(grad, x.shape)],
})

/**
 * The same elements under another shape; no copy. One axis may be -1: it takes what is left.
 *
 * @example
 * reshape(device.tensor([1, 2, 3, 4]), [2, -1]) // [2,2]
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.reduce((a, n) => (n === -1 ? a : a * n), 1)
  const full = shape.map(n => (n === -1 ? x.size / known : n))
  if (
    shape.filter(n => n === -1).length > 1 ||
    full.some(n => !Number.isInteger(n) || n < 0) ||
    sizeOf(full) !== x.size
  ) {
    throw new ShapeError(
      `reshape: got ${format(x)} to [${shape}], expected a shape of ${x.size} elements with at most one -1`,
      { op: 'reshape', got: shape, expected: x.size },
    )
  }
  if (isBlock(x.dtype) && !sameShape(full, x.shape)) {
    throw new DTypeError(
      `reshape: got ${format(x)} to [${shape}], expected a dense dtype. Rows of block formats stay whole`,
      { op: 'reshape' },
    )
  }
  return reshapeOp([x], { shape: full })
}

const detachOp: Op<[Tensor], Record<never, never>> = defineOp({
  name: 'stop_gradient',
  infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  alias: true,
  differentiable: false,
})

/** The same values, as a constant for gradients; no copy. */
export const stopGradient = (x: Tensor): Tensor => detachOp([x], {})

const transposeOp: Op<[Tensor], { perm: readonly number[] }> = defineOp({
  name: 'transpose',
  infer([x], { perm }) {
    numeric('transpose', x)
    if (perm.length !== x.shape.length || [...perm].sort((a, b) => a - b).some((p, i) => p !== i)) {
      throw new ArgumentError(
        `transpose: got axes [${perm}] for ${format(x)}, expected each of 0 … ${x.shape.length - 1} once`,
        { op: 'transpose', got: perm },
      )
    }
    return { shape: perm.map(p => x.shape[p]!), dtype: x.dtype }
  },
  grad({ attrs: { perm }, grad }) {
    const inverse = new Array<number>(perm.length)
    perm.forEach((p, i) => {
      inverse[p] = i
    })
    return [transpose(grad, inverse)]
  },
})

/** Reorders axes: result axis i is input axis `perm[i]`. Without `perm` the last two are swapped. */
export function transpose(x: Tensor, perm?: readonly number[]): Tensor {
  const r = x.shape.length
  const swapped = Array.from({ length: r }, (_, i) => (i === r - 1 ? r - 2 : i === r - 2 ? r - 1 : i))
  return transposeOp([x], { perm: perm?.map(p => axisOf('transpose', p, r)) ?? swapped })
}

const sliceOp: Op<[Tensor], { axis: number; start: number; end: number }> = defineOp({
  name: 'slice',
  infer([x], { axis, start, end }) {
    numeric('slice', x)
    const n = x.shape[axis]!
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > n || start > end) {
      throw new ArgumentError(
        `slice: got ${start} … ${end} on axis ${axis} of ${format(x)}, expected 0 ≤ start ≤ end ≤ ${n}`,
        { op: 'slice', got: [start, end], expected: n },
      )
    }
    return { shape: x.shape.map((m, i) => (i === axis ? end - start : m)), dtype: x.dtype }
  },
  grad({ inputs: [x], attrs: { axis, start, end }, grad }) {
    const zeros = (n: number): Tensor =>
      full(
        grad.device,
        x.shape.map((m, i) => (i === axis ? n : m)),
        0,
        grad.dtype as DenseDType,
      )
    const n = x.shape[axis]!
    return [concat([...(start > 0 ? [zeros(start)] : []), grad, ...(end < n ? [zeros(n - end)] : [])], axis)]
  },
})

/** Elements `start … end` (exclusive) of one axis; negative indices count from its end. */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  const a = axisOf('slice', axis, x.shape.length)
  const n = x.shape[a]!
  const at = (i: number): number => (i < 0 ? i + n : i)
  return sliceOp([x], { axis: a, start: at(start), end: at(end ?? n) })
}

const concatOp: Op<[Tensor, Tensor], { axis: number }> = defineOp({
  name: 'concat',
  infer([a, b], { axis }) {
    numeric('concat', a)
    if (
      a.dtype !== b.dtype ||
      a.shape.length !== b.shape.length ||
      a.shape.some((n, i) => i !== axis && n !== b.shape[i])
    ) {
      throw new ShapeError(
        `concat: got ${format(a)} and ${format(b)} along axis ${axis}, expected equal dtypes and axes save that one`,
        { op: 'concat', got: [a, b] },
      )
    }
    return { shape: a.shape.map((n, i) => (i === axis ? n + b.shape[i]! : n)), dtype: a.dtype }
  },
  grad({ inputs: [a], attrs: { axis }, grad }) {
    const n = a.shape[axis]!
    return [slice(grad, axis, 0, n), slice(grad, axis, n)]
  },
})

/** Joins tensors along an axis, pairwise from the left in a balanced tree. */
export function concat(parts: readonly Tensor[], axis = 0): Tensor {
  const [first] = parts
  if (first === undefined) throw new ArgumentError('concat: got no tensors, expected at least one', { op: 'concat' })
  if (parts.length === 1) return first
  const a = axisOf('concat', axis, first.shape.length)
  const half = parts.length >> 1
  return concatOp([concat(parts.slice(0, half), a), concat(parts.slice(half), a)], { axis: a })
}

/** Repeats axes of length 1 (and adds leading ones) until the shape is reached. */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : add(x, full(x.device, shape, 0, x.dtype as DenseDType))

const fullOp: Op<[], { shape: Shape; value: number; dtype: DType }> = defineOp({
  name: 'full',
  infer: (_, { shape, dtype }) => spec(dtype, shape),
  differentiable: false,
})
const iotaOp: Op<[], { length: number; dtype: DType }> = defineOp({
  name: 'iota',
  infer: (_, { length, dtype }) => spec(dtype, [length]),
  differentiable: false,
})

/** A tensor of one value. */
export const full = (device: Device, shape: Shape, value: number, dtype: DenseDType = 'f32'): Tensor =>
  fullOp.on(device, { shape, value, dtype })
/** Zeros. */
export const zeros = (device: Device, shape: Shape, dtype: DenseDType = 'f32'): Tensor => full(device, shape, 0, dtype)
/** Ones. */
export const ones = (device: Device, shape: Shape, dtype: DenseDType = 'f32'): Tensor => full(device, shape, 1, dtype)
/** 0, 1, …, length−1. */
export const iota = (device: Device, length: number, dtype: DenseDType = 'i32'): Tensor =>
  iotaOp.on(device, { length, dtype })

// --- sum ---

const sumOp: Op<[Tensor], { axis: number }> = defineOp({
  name: 'sum',
  infer([x], { axis }) {
    numeric('sum', x)
    return { shape: x.shape.filter((_, i) => i !== axis), dtype: x.dtype }
  },
  widens: true,
  grad: ({ inputs: [x], attrs: { axis }, grad: g }) => [broadcastTo(reshape(g, keptShape(x.shape, axis)), x.shape)],
})

/** A reduced shape with the axis kept as 1, so that it broadcasts against the input. */
export const keptShape = (shape: Shape, axis: number): Shape => shape.map((n, i) => (i === axis ? 1 : n))

/** Calls a reduction along an axis, or over all elements without one. */
export function reduce<A extends { axis: number }>(
  op: Op<[Tensor], A>,
  x: Tensor,
  axis: number | undefined,
  keep: boolean | undefined,
  rest: Omit<A, 'axis'>,
): Tensor {
  if (axis === undefined) return op([reshape(x, [x.size])], { ...rest, axis: 0 } as A)
  const a = axisOf(op.declaration.name, axis, x.shape.length)
  const y = op([x], { ...rest, axis: a } as A)
  return keep ? reshape(y, keptShape(x.shape, a)) : y
}

export interface Keep {
  /** Keep the axis with length 1. Default false. */
  readonly keep?: boolean
}

/** Σx along an axis; without an axis, of all elements. */
export const sum = (x: Tensor, axis?: number, { keep }: Keep = {}): Tensor => reduce(sumOp, x, axis, keep, {})
