/** Cross-entropy, from logits or straight from hidden states without ever holding all logits. */

import { recompute } from '../autograd.js'
import { ArgumentError, DTypeError, GradError, ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { format, sameShape } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { pick } from './indexing.js'
import { linear, matmul, type Products } from './linear.js'
import {
  add,
  broadcastTo,
  cast,
  concat,
  div,
  equal,
  exp,
  iota,
  lessEqual,
  maximum,
  mul,
  reshape,
  select,
  slice,
  stopGradient,
  sub,
  sum,
} from './primitives.js'
import { logsumexp } from './reduce.js'

const crossEntropyOp: Op<[Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'cross_entropy',
  infer([logits, targets]) {
    if (logits.dtype !== 'f32' || targets.dtype !== 'i32')
      throw new DTypeError(
        `cross_entropy: got logits ${format(logits)} and targets ${format(targets)}, expected f32 and i32`,
        { op: 'cross_entropy' },
      )
    if (!sameShape(targets.shape, logits.shape.slice(0, -1)))
      throw new ShapeError(
        `cross_entropy: got targets ${format(targets)} for logits ${format(logits)}, expected one target for each row`,
        { op: 'cross_entropy' },
      )
    return { shape: targets.shape, dtype: 'f32' }
  },
  // A negative target counts nothing: padding, or a prompt that is not trained on.
  definition: ([logits, targets]) => select(counted(targets), sub(logsumexp(logits), pick(logits, targets)), 0),
  grad: ({ inputs: [logits, targets], grad: g }) => [crossEntropyGradOp([logits, targets, g], {}), undefined],
})

const crossEntropyGradOp: Op<[Tensor, Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'cross_entropy_grad',
  infer: ([logits]) => ({ shape: logits.shape, dtype: 'f32' }),
  definition([logits, targets, g]) {
    const column = (x: Tensor): Tensor => reshape(x, [...x.shape, 1])
    const hot = cast(equal(column(targets), iota(logits.device, logits.shape.at(-1)!)), 'f32')
    const p = exp(sub(logits, logsumexp(logits, -1, { keep: true })))
    return mul(sub(p, hot), column(select(counted(targets), g, 0)))
  },
})

const counted = (targets: Tensor): Tensor => lessEqual(0, targets)

export type Reduction = 'mean' | 'sum' | 'none'

/**
 * −log softmax(logits)[target]: logits f32 [..., V], targets i32 [...]. Rows with a negative target (PyTorch's −100,
 * say) count nothing. `reduction: 'mean'`, the default, divides by the number of rows that count.
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  { reduction = 'mean' }: { reduction?: Reduction } = {},
): Tensor {
  const losses = crossEntropyOp([logits, targets], {})
  if (reduction === 'none') return losses
  return reduction === 'sum' ? sum(losses) : div(sum(losses), countOf(targets))
}

/** The number of rows that count, at least 1: an empty batch has loss 0, not NaN. */
const countOf = (targets: Tensor): Tensor => maximum(sum(cast(counted(targets), 'f32')), 1)

type LinearCrossEntropyAttrs = { chunk: number; products: Products }

/**
 * Σ `scale` · loss over the rows of `linear(hidden, weight)`, and its gradients by hidden and weight, made on the way:
 * the logits of a chunk are still there. Inputs hidden [N, D], weight [V, D], targets [N], scale [N], or [] for all rows.
 */
const linearCrossEntropyOp: Op<[Tensor, Tensor, Tensor, Tensor], LinearCrossEntropyAttrs> = defineOp({
  name: 'linear_cross_entropy',
  infer: ([hidden, weight]) => [
    { shape: [], dtype: 'f32' },
    { shape: hidden.shape, dtype: 'f32' },
    { shape: weight.shape, dtype: 'f32' },
  ],
  definition([hidden, weight, targets, scale], { chunk, products }) {
    const parts = chunks(targets.size, chunk).map(([at, end]) => {
      const x = slice(hidden, 0, at, end)
      const y = slice(targets, 0, at, end)
      const logits = linear(x, weight, undefined, { products })
      const each = scale.shape.length > 0 ? slice(scale, 0, at, end) : broadcastTo(scale, [end - at])
      const d = crossEntropyGradOp([logits, y, each], {})
      return [
        sum(mul(crossEntropy(logits, y, { reduction: 'none' }), each)),
        matmul(d, weight, { products }),
        matmul(d, x, { transposeA: true, products }),
      ] as const
    })
    return [parts.map(p => p[0]).reduce(add), concat(parts.map(p => p[1])), parts.map(p => p[2]).reduce(add)]
  },
  grad({ outputs: [, dHidden, dWeight], grads: [g, ...more] }) {
    if (g === undefined || more.some(x => x !== undefined))
      throw new GradError(
        'linear_cross_entropy: got a gradient of a gradient, expected one of the loss alone. Use crossEntropy(linear(hidden, weight), targets)',
        { op: 'linear_cross_entropy' },
      )
    return [mul(dHidden!, g), mul(dWeight!, g), undefined, undefined]
  },
})

const chunks = (n: number, size: number): [number, number][] =>
  Array.from({ length: Math.ceil(n / size) }, (_, i) => [i * size, Math.min(n, (i + 1) * size)])

export interface LinearCrossEntropyOptions {
  readonly reduction?: 'mean' | 'sum'
  /**
   * How much each row counts, f32 of the targets' shape; a mean divides by their sum over rows that count, as PyTorch's
   * class weights do. No gradient flows into them. Default: all the same.
   */
  readonly weights?: Tensor
  /**
   * Rows whose logits exist at one time. Default 1024, or what 2²⁵ logits (128 MiB, all that WebGPU promises to bind) are
   * enough for; TRL's is 256. Each chunk reads the weight twice, and reads and writes its gradient.
   */
  readonly chunk?: number
  /** How hidden and an f32 weight are multiplied: see `linear`. Default `f32`. */
  readonly products?: Products
}

const defaultChunk = (weight: Tensor): number =>
  Math.min(1024, Math.max(1, Math.floor(2 ** 25 / Math.max(1, weight.shape[0] ?? 1))))

/**
 * Cross-entropy of `linear(hidden, weight)` without materialising all logits: each chunk of rows is computed and
 * reduced, under a gradient to its part of the gradients at once. hidden f32 [..., D], weight [V, D], targets i32 [...].
 */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  options: LinearCrossEntropyOptions = {},
): Tensor {
  const { reduction = 'mean', weights, chunk = defaultChunk(weight), products = 'f32' } = options
  if (!Number.isInteger(chunk) || chunk < 1)
    throw new ArgumentError(`linear_cross_entropy: got chunk ${chunk}, expected a whole number ≥ 1`, {
      op: 'linear_cross_entropy',
      got: chunk,
    })
  const rows = reshape(hidden, [-1, hidden.shape.at(-1) ?? 0])
  const wanted = reshape(targets, [-1])
  const { device } = hidden
  const n = rows.shape[0]!
  if (n === 0 || n !== wanted.size)
    throw new ShapeError(
      `linear_cross_entropy: got hidden ${format(hidden)} and targets ${format(targets)}, expected at least one row and one target for each`,
      { op: 'linear_cross_entropy' },
    )
  if (weights !== undefined && (weights.size !== n || weights.dtype !== 'f32'))
    throw new ShapeError(
      `linear_cross_entropy: got weights ${format(weights)} for targets ${format(targets)}, expected f32, one for each target`,
      { op: 'linear_cross_entropy' },
    )
  const each = weights && stopGradient(reshape(weights, [-1]))
  const count = (): Tensor => (each ? sum(select(counted(wanted), each, 0)) : countOf(wanted))
  const mean = reduction === 'mean'
  const [tape, ...outer] = device.tapes
  if (
    tape !== undefined &&
    outer.length === 0 &&
    weight.dtype === 'f32' &&
    (tape.watches(hidden) || tape.watches(weight))
  ) {
    const whole = mean ? div(1, count()) : device.constant(1, 'f32')
    const scale = each ? mul(each, whole) : whole
    return linearCrossEntropyOp([rows, weight, wanted, scale], { chunk, products })
  }
  const total = chunks(n, chunk)
    .map(([at, end]) =>
      recompute(() => {
        const logits = linear(slice(rows, 0, at, end), weight, undefined, { products })
        const losses = crossEntropy(logits, slice(wanted, 0, at, end), { reduction: 'none' })
        return sum(each ? mul(losses, slice(each, 0, at, end)) : losses)
      }, device),
    )
    .reduce(add)
  return mean ? div(total, count()) : total
}
