/** What a training step needs after the gradients: their global norm, the clip, and AdamW in place. */
import { ArgumentError, ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { format, sameShape } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { square } from './activations.js'
import { assign } from './indexing.js'
import { add, div, equal, minimum, mul, pow, select, sqrt, sub, sum } from './primitives.js'

const sumSquaresOp: Op<[Tensor], Record<never, never>> = defineOp({
  name: 'sum_squares',
  infer: ([x]) => ({ shape: [], dtype: x.dtype }),
  widens: true,
  definition: ([x]) => sum(square(x)),
})

/** √Σx² over all tensors: a scalar. */
export function globalNorm(tensors: readonly Tensor[]): Tensor {
  const [first, ...rest] = tensors.map(t => sumSquaresOp([t], {}))
  if (first === undefined)
    throw new ArgumentError('global_norm: got no tensors, expected at least one', { op: 'global_norm' })
  return sqrt(rest.reduce(add, first))
}

/** The factor that brings gradients of this norm under `max`: min(1, max / (norm + 1e-6)), as PyTorch clips. */
export const clipFactor = (norm: Tensor, max: number): Tensor => minimum(div(max, add(norm, 1e-6)), 1)

type AdamWAttrs = { beta1: number; beta2: number; eps: number; weightDecay: number }

const adamwOp: Op<[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], AdamWAttrs> = defineOp({
  name: 'adamw',
  infer([p, g, m, v, lr, step, scale]) {
    for (const t of [g, m, v]) {
      if (!sameShape(t.shape, p.shape))
        throw new ShapeError(`adamw: got ${format(t)} beside a parameter of ${format(p)}, expected equal shapes`, {
          op: 'adamw',
        })
    }
    for (const t of [lr, step, scale]) {
      if (t.shape.length !== 0 || t.dtype !== 'f32')
        throw new ShapeError(`adamw: got ${format(t)} for lr, step or scale, expected a scalar f32`, { op: 'adamw' })
    }
    return []
  },
  mutates: [0, 2, 3],
  definition([p, g, m, v, lr, step, scale], { beta1, beta2, eps, weightDecay }) {
    const scaled = mul(g, scale)
    const m1 = add(mul(m, beta1), mul(scaled, 1 - beta1))
    const v1 = add(mul(v, beta2), mul(square(scaled), 1 - beta2))
    // Bias corrections in f32: 1 − βᵗ.
    const mHat = div(m1, sub(1, pow(base(step, beta1), step)))
    const vHat = div(v1, sub(1, pow(base(step, beta2), step)))
    const decayed = mul(p, sub(1, mul(lr, weightDecay)))
    const next = sub(decayed, mul(lr, div(mHat, add(sqrt(vHat), eps))))
    const write = (target: Tensor, x: Tensor): void => assign(target, select(equal(scale, 0), target, x))
    write(p, next)
    write(m, m1)
    write(v, v1)
    return undefined
  },
})

const base = (step: Tensor, beta: number): Tensor => step.device.constant(beta, 'f32')

export interface AdamWOptions {
  /** Scalar f32: the learning rate of this step. */
  readonly lr: Tensor
  /** Scalar f32: the step's number, from 1. */
  readonly step: Tensor
  /**
   * Scalar f32 on the gradient: the clip factor. Default 1. A scale of 0 skips the step: parameter and moments stay as
   * they are, even where the gradient is NaN.
   */
  readonly scale?: Tensor
  /** Defaults 0.9 and 0.95 (LLaMA §2.3). */
  readonly beta1?: number
  readonly beta2?: number
  /** Default 1e-5 (Llama 2 §2.2). */
  readonly eps?: number
  /** Decoupled weight decay. Default 0: which parameters decay is the caller's choice. */
  readonly weightDecay?: number
}

/** Effect: one AdamW step (Loshchilov & Hutter; PyTorch's order) on a parameter and its two moments, all f32. */
export function adamw(parameter: Tensor, gradient: Tensor, m: Tensor, v: Tensor, options: AdamWOptions): void {
  const { lr, step, scale, beta1 = 0.9, beta2 = 0.95, eps = 1e-5, weightDecay = 0 } = options
  adamwOp.all([parameter, gradient, m, v, lr, step, scale ?? lr.device.constant(1, 'f32')], {
    beta1,
    beta2,
    eps,
    weightDecay,
  })
}
