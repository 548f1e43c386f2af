/** Cross-entropy, from logits or straight from hidden states without ever holding all logits. */

import { recompute } from '../autograd.js'
import { ArgumentError, DTypeError, ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { format, sameShape } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { pick } from './indexing.js'
import { linear } from './linear.js'
import {
  add,
  cast,
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
  grad({ inputs: [logits, targets], grad: g }) {
    const column = (x: Tensor): Tensor => reshape(x, [...x.shape, 1])
    const hot = cast(equal(column(targets), iota(logits.device, logits.shape.at(-1)!)), 'f32')
    const p = exp(sub(logits, logsumexp(logits, -1, { keep: true })))
    return [mul(sub(p, hot), column(select(counted(targets), g, 0))), undefined]
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

export interface LinearCrossEntropyOptions {
  readonly reduction?: 'mean' | 'sum'
  /** Rows whose logits exist at one time. Default 256 (TRL's chunked loss). */
  readonly chunk?: number
}

/**
 * Cross-entropy of `linear(hidden, weight)` without materialising all logits: each chunk of rows is computed, reduced
 * and, in the backward pass, computed again. hidden f32 [..., D], weight [V, D], targets i32 [...].
 */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  { reduction = 'mean', chunk = 256 }: LinearCrossEntropyOptions = {},
): Tensor {
  if (!Number.isInteger(chunk) || chunk < 1)
    throw new ArgumentError(`linear_cross_entropy: got chunk ${chunk}, expected a whole number ≥ 1`, {
      op: 'linear_cross_entropy',
      got: chunk,
    })
  const rows = reshape(hidden, [-1, hidden.shape.at(-1) ?? 0])
  const wanted = reshape(targets, [-1])
  const n = wanted.size
  let total: Tensor | undefined
  for (let at = 0; at < n; at += chunk) {
    const end = Math.min(at + chunk, n)
    const part = recompute(
      () => crossEntropy(linear(slice(rows, 0, at, end), weight), slice(wanted, 0, at, end), { reduction: 'sum' }),
      hidden.device,
    )
    total = total === undefined ? part : add(total, part)
  }
  if (total === undefined)
    throw new ShapeError(`linear_cross_entropy: got hidden ${format(hidden)}, expected at least one row`, {
      op: 'linear_cross_entropy',
    })
  return reduction === 'sum' ? total : div(total, countOf(wanted))
}
