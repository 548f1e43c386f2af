/** The layers of a transformer as ops: norms, softmax, SwiGLU. Each is its formula; kernels make them fast. */
import { DTypeError, ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { format, isFloat, type Spec, sameSpec } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { rsqrt, sigmoid, silu, square } from './activations.js'
import { add, div, exp, mul, reshape, sub, sum } from './primitives.js'
import { logsumexp, max, mean } from './reduce.js'

type None = Record<never, never>

function floats(op: string, s: Spec): void {
  if (!isFloat(s.dtype)) throw new DTypeError(`${op}: got ${format(s)}, expected a float dtype`, { op, got: s.dtype })
}

const softmaxOp: Op<[Tensor], None> = defineOp({
  name: 'softmax',
  infer([x]) {
    floats('softmax', x)
    return { shape: x.shape, dtype: x.dtype }
  },
  widens: true,
  definition([x]) {
    const e = exp(sub(x, max(x, -1, { keep: true })))
    return div(e, sum(e, -1, { keep: true }))
  },
  grad: ({ outputs: [y], grad: g }) => [mul(y!, sub(g, sum(mul(g, y!), -1, { keep: true })))],
})

/** eˣ / Σeˣ along the last axis, without overflow. */
export const softmax = (x: Tensor): Tensor => softmaxOp([x], {})

const logSoftmaxOp: Op<[Tensor], None> = defineOp({
  name: 'log_softmax',
  infer([x]) {
    floats('log_softmax', x)
    return { shape: x.shape, dtype: x.dtype }
  },
  widens: true,
  definition: ([x]) => sub(x, logsumexp(x, -1, { keep: true })),
  grad: ({ outputs: [y], grad: g }) => [sub(g, mul(exp(y!), sum(g, -1, { keep: true })))],
})

/** log softmax along the last axis. */
export const logSoftmax = (x: Tensor): Tensor => logSoftmaxOp([x], {})

function normed(op: string, x: Spec, ...weights: readonly Spec[]): Spec {
  floats(op, x)
  for (const w of weights) {
    if (w.shape.length !== 1 || w.shape[0] !== x.shape.at(-1) || w.dtype !== x.dtype) {
      throw new ShapeError(
        `${op}: got weight ${format(w)} for x ${format(x)}, expected [${x.shape.at(-1)}] ${x.dtype}, the last axis of x`,
        { op, got: w, expected: x },
      )
    }
  }
  return { shape: x.shape, dtype: x.dtype }
}

const rmsNormOp: Op<[Tensor, Tensor], { eps: number }> = defineOp({
  name: 'rms_norm',
  infer: ([x, w]) => normed('rms_norm', x, w),
  widens: true,
  definition: ([x, w], { eps }) => mul(mul(x, rsqrt(add(mean(square(x), -1, { keep: true }), eps))), w),
  grad: ({ inputs: [x, w], attrs, grad: g }) => rmsNormGradOp.all([x, w, g], attrs),
})

const rmsNormGradOp: Op<[Tensor, Tensor, Tensor], { eps: number }> = defineOp({
  name: 'rms_norm_grad',
  infer: ([x, w]) => [
    { shape: x.shape, dtype: x.dtype },
    { shape: w.shape, dtype: w.dtype },
  ],
  widens: true,
  definition([x, w, g], { eps }) {
    const r = rsqrt(add(mean(square(x), -1, { keep: true }), eps))
    const unit = mul(x, r)
    const gw = mul(g, w)
    const dx = mul(r, sub(gw, mul(unit, mean(mul(gw, unit), -1, { keep: true }))))
    return [dx, sum(reshape(mul(g, unit), [-1, w.shape[0]!]), 0)]
  },
})

/** x / √(mean(x²) + eps) · weight over the last axis; eps defaults to 1e-5 (Llama 2; LLaMA 7B–33B used 1e-6). */
export const rmsNorm = (x: Tensor, weight: Tensor, { eps = 1e-5 }: { eps?: number } = {}): Tensor =>
  rmsNormOp([x, weight], { eps })

const layerNormOp: Op<[Tensor, Tensor, Tensor], { eps: number }> = defineOp({
  name: 'layer_norm',
  infer: ([x, w, b]) => normed('layer_norm', x, w, b),
  widens: true,
  definition([x, w, b], { eps }) {
    const centred = sub(x, mean(x, -1, { keep: true }))
    return add(mul(mul(centred, rsqrt(add(mean(square(centred), -1, { keep: true }), eps))), w), b)
  },
})

/** (x − mean) / √(variance + eps) · weight + bias over the last axis; eps defaults to 1e-5 (PyTorch). */
export const layerNorm = (x: Tensor, weight: Tensor, bias: Tensor, { eps = 1e-5 }: { eps?: number } = {}): Tensor =>
  layerNormOp([x, weight, bias], { eps })

const swigluOp: Op<[Tensor, Tensor], None> = defineOp({
  name: 'swiglu',
  infer([gate, up]) {
    floats('swiglu', gate)
    if (!sameSpec(gate, up))
      throw new ShapeError(`swiglu: got gate ${format(gate)} and up ${format(up)}, expected equal shapes and dtypes`, {
        op: 'swiglu',
      })
    return { shape: gate.shape, dtype: gate.dtype }
  },
  widens: true,
  definition: ([gate, up]) => mul(silu(gate), up),
  grad: ({ inputs: [gate, up], grad: g }) => swigluGradOp.all([gate, up, g], {}),
})

const swigluGradOp: Op<[Tensor, Tensor, Tensor], None> = defineOp({
  name: 'swiglu_grad',
  infer: ([{ shape, dtype }]) => [
    { shape, dtype },
    { shape, dtype },
  ],
  widens: true,
  definition([gate, up, g]) {
    const s = sigmoid(gate)
    const slope = mul(s, add(mul(gate, sub(1, s)), 1))
    return [mul(mul(g, up), slope), mul(g, mul(gate, s))]
  },
})

/** silu(gate) · up, the LLaMA feed-forward's gate. */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => swigluOp([gate, up], {})
