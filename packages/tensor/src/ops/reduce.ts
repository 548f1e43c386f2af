/** Reductions, scans and top-k. */
import { ArgumentError, DTypeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { type DType, format, isBlock, type Shape, type Spec } from '../spec.js'
import type { Tensor } from '../tensor.js'
import {
  abs,
  add,
  cast,
  div,
  equal,
  exp,
  iota,
  type Keep,
  keptShape,
  lessEqual,
  log,
  mul,
  neg,
  reduce,
  reshape,
  select,
  sub,
  sum,
} from './primitives.js'

type Axis = { axis: number }

const without = (shape: Shape, axis: number): Shape => shape.filter((_, i) => i !== axis)

function reduced(op: string, x: Spec, axis: number, dtype: DType = x.dtype): Spec {
  if (isBlock(x.dtype))
    throw new DTypeError(`${op}: got ${format(x)}, expected a dense dtype. Use dequantize() first`, { op })
  return { shape: without(x.shape, axis), dtype }
}

const maxOp: Op<[Tensor], Axis> = defineOp({
  name: 'max',
  infer: ([x], { axis }) => reduced('max', x, axis),
  widens: true,
  // Ties share the gradient equally, as PyTorch's amax does.
  grad({ inputs: [x], outputs, attrs: { axis }, grad }) {
    const wide = keptShape(x.shape, axis)
    const hit = cast(equal(x, reshape(outputs[0]!, wide)), x.dtype)
    return [mul(div(hit, sum(hit, axis, { keep: true })), reshape(grad, wide))]
  },
})
const argmaxOp: Op<[Tensor], Axis> = defineOp({
  name: 'argmax',
  infer: ([x], { axis }) => reduced('argmax', x, axis, 'i32'),
  widens: true,
  differentiable: false,
})
const meanOp: Op<[Tensor], Axis> = defineOp({
  name: 'mean',
  infer: ([x], { axis }) => reduced('mean', x, axis),
  widens: true,
  definition: ([x], { axis }) => mul(sum(x, axis), 1 / x.shape[axis]!),
})
/** The largest f32. */
const largest = (2 - 2 ** -23) * 2 ** 127

const logsumexpOp: Op<[Tensor], Axis> = defineOp({
  name: 'logsumexp',
  infer: ([x], { axis }) => reduced('logsumexp', x, axis),
  widens: true,
  definition([x], { axis }) {
    // Infinities are not subtracted: ∞ − ∞ would make NaN of them.
    const most = max(x, axis, { keep: true })
    const top = select(lessEqual(abs(most), largest), most, 0)
    return reshape(add(log(sum(exp(sub(x, top)), axis, { keep: true })), top), without(x.shape, axis))
  },
  grad({ inputs: [x], outputs, attrs: { axis }, grad }) {
    const wide = keptShape(x.shape, axis)
    return [mul(exp(sub(x, reshape(outputs[0]!, wide))), reshape(grad, wide))]
  },
})

/** The largest value along an axis, NaN if any is; without an axis, of all. */
export const max = (x: Tensor, axis?: number, { keep }: Keep = {}): Tensor => reduce(maxOp, x, axis, keep, {})
/** The smallest value along an axis, NaN if any is. */
export const min = (x: Tensor, axis?: number, { keep }: Keep = {}): Tensor => neg(reduce(maxOp, neg(x), axis, keep, {}))
/** Index (i32) of the largest value along an axis; the first of equals. NaN counts as the largest. */
export const argmax = (x: Tensor, axis = -1, { keep }: Keep = {}): Tensor => reduce(argmaxOp, x, axis, keep, {})
/** The mean along an axis; without an axis, of all. */
export const mean = (x: Tensor, axis?: number, { keep }: Keep = {}): Tensor => reduce(meanOp, x, axis, keep, {})
/** log Σeˣ along an axis, without overflow. */
export const logsumexp = (x: Tensor, axis = -1, { keep }: Keep = {}): Tensor => reduce(logsumexpOp, x, axis, keep, {})

const cumsumOp: Op<[Tensor], Record<never, never>> = defineOp({
  name: 'cumsum',
  infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  widens: true,
  // The gradient is the sum of what comes after: total − cumsum + itself.
  grad: ({ grad }) => [add(sub(sum(grad, -1, { keep: true }), cumsum(grad)), grad)],
})

/** Running sum along the last axis. */
export const cumsum = (x: Tensor): Tensor => cumsumOp([x], {})

const topKOp: Op<[Tensor], { k: number }> = defineOp({
  name: 'top_k',
  infer([x], { k }) {
    const n = x.shape.at(-1) ?? 0
    if (!Number.isInteger(k) || k < 1 || k > n)
      throw new ArgumentError(`top_k: got k = ${k} for ${format(x)}, expected 1 … ${n}`, {
        op: 'top_k',
        got: k,
        expected: n,
      })
    const shape = [...x.shape.slice(0, -1), k]
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'i32' },
    ]
  },
  grad({ inputs: [x], outputs: [, index], grads: [g] }) {
    if (g === undefined) return [undefined]
    // One row of the one-hot matrix for each winner, weighted by its gradient.
    const n = x.shape.at(-1)!
    const hot = equal(reshape(index!, [...index!.shape, 1]), iota(x.device, n))
    return [sum(select(hot, reshape(g, [...g.shape, 1]), 0), -2)]
  },
})

/** The k largest values along the last axis, in falling order, and their indices (i32); the first of equals. NaN comes first. */
export function topK(x: Tensor, k: number): { values: Tensor; indices: Tensor } {
  const [values, indices] = topKOp.all([x], { k })
  return { values: values!, indices: indices! }
}
