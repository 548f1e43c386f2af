/** Activations and other one-argument functions, each with its definition in primitives. */
import type { Tensor } from '../tensor.js'
import {
  abs,
  add,
  cast,
  div,
  erf,
  exp,
  greater,
  less,
  log,
  maximum,
  mul,
  neg,
  none,
  select,
  sqrt,
  sub,
  tanh,
  unary,
} from './primitives.js'

const squareOp = unary('square', { ints: true, definition: x => mul(x, x) })
const rsqrtOp = unary('rsqrt', { definition: x => div(1, sqrt(x)) })
const sigmoidOp = unary('sigmoid', {
  definition: x => div(1, add(exp(neg(x)), 1)),
  grad: (_, y, g) => mul(g, mul(y, sub(1, y))),
})
const siluOp = unary('silu', {
  definition: x => mul(x, sigmoid(x)),
  grad(x, _, g) {
    const s = sigmoid(x)
    return mul(g, mul(s, add(mul(x, sub(1, s)), 1)))
  },
})
const reluOp = unary('relu', { definition: x => maximum(x, 0), grad: (x, _, g) => select(greater(x, 0), g, 0) })
const softplusOp = unary('softplus', {
  definition: x => add(maximum(x, 0), log(add(exp(neg(abs(x))), 1))),
  grad: (x, _, g) => mul(g, sigmoid(x)),
})
const geluTanhOp = unary('gelu_tanh', {
  definition: x =>
    mul(mul(x, 0.5), add(tanh(mul(add(x, mul(mul(x, square(x)), 0.044715)), Math.sqrt(2 / Math.PI))), 1)),
})
const geluErfOp = unary('gelu_erf', { definition: x => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)) })
const signOp = unary('sign', {
  definition: x => sub(cast(greater(x, 0), x.dtype), cast(less(x, 0), x.dtype)),
  differentiable: false,
})

/** x². */
export const square = (x: Tensor): Tensor => squareOp([x], none)
/** 1/√x. */
export const rsqrt = (x: Tensor): Tensor => rsqrtOp([x], none)
/** 1/(1+e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => sigmoidOp([x], none)
/** x·σ(x), also called swish. */
export const silu = (x: Tensor): Tensor => siluOp([x], none)
/** max(x, 0). */
export const relu = (x: Tensor): Tensor => reluOp([x], none)
/** log(1+eˣ), without overflow. */
export const softplus = (x: Tensor): Tensor => softplusOp([x], none)
/** −1, 0 or 1. No gradient. */
export const sign = (x: Tensor): Tensor => signOp([x], none)
/** GELU; `approximate: 'tanh'` is GPT-2's, the default 'none' uses erf (PyTorch's default). */
export const gelu = (x: Tensor, { approximate = 'none' }: { approximate?: 'none' | 'tanh' } = {}): Tensor =>
  (approximate === 'tanh' ? geluTanhOp : geluErfOp)([x], none)
