/** Causal grouped-query attention over keys and values that may be a cache longer than what is visible. */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { format, isBlock, type Spec, sameShape, sameSpec } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { dequantize, matmul } from './linear.js'
import { softmax } from './nn.js'
import { cast, iota, less, lessEqual, mul, reshape, select, sub, sum, transpose } from './primitives.js'
import { checkPositions } from './rope.js'

/** q, k, v, positions, and start where given. */
type AttentionInputs = readonly [Tensor, Tensor, Tensor, Tensor, ...Tensor[]]
type AttentionAttrs = { scale: number; window: number; start: boolean; halves: boolean }

const attentionOp: Op<AttentionInputs, AttentionAttrs> = defineOp({
  name: 'attention',
  infer(inputs, attrs) {
    const [q, k, v, positions, start] = inputs
    const fail = (): never => {
      throw new ShapeError(
        `attention: got q ${format(q)}, k ${format(k)}, v ${format(v)}, expected q f32 [..., T, H, D] and k, v [..., S, Hkv, D] with H a multiple of Hkv`,
        { op: 'attention', got: [q, k, v] },
      )
    }
    const rank = q.shape.length
    if (q.dtype !== 'f32') throw new DTypeError(`attention: got q ${format(q)}, expected f32`, { op: 'attention' })
    if (!isBlock(k.dtype) && !['f32', 'f16', 'bf16'].includes(k.dtype))
      throw new DTypeError(`attention: got k ${format(k)}, expected a float or block dtype`, { op: 'attention' })
    if (
      rank < 3 ||
      k.shape.length !== rank ||
      !sameSpec(k, v) ||
      !sameShape(q.shape.slice(0, -3), k.shape.slice(0, -3))
    )
      fail()
    if (k.shape[rank - 1] !== q.shape[rank - 1] || q.shape[rank - 2]! % k.shape[rank - 2]! !== 0) fail()
    checkPositions('attention', positions, q.shape.slice(0, -2))
    if (start !== undefined) checkPositions('attention', start, q.shape.slice(0, -2))
    if (!(attrs.window >= 0))
      throw new ArgumentError(`attention: got window ${attrs.window}, expected 0 (none) or a length`, {
        op: 'attention',
      })
    return { shape: q.shape, dtype: 'f32' }
  },
  definition: attend,
  grad({ inputs, attrs, grad: g }) {
    const [, k] = inputs
    const [dq, dk, dv] = attentionGradOp.all([g, ...inputs], attrs)
    // Gradients come in f32; frozen block formats take none.
    const back = (x: Tensor): Tensor | undefined => (isBlock(k.dtype) ? undefined : cast(x, k.dtype))
    return [dq, back(dk!), back(dv!)]
  },
})

/** The gradient of the result, then the inputs of `attention`. */
type AttentionGradInputs = readonly [Tensor, ...AttentionInputs]

/** Gradients of q, k and v in f32; the weights are computed again, and nothing need hold all of them at one time. */
const attentionGradOp: Op<AttentionGradInputs, AttentionAttrs> = defineOp({
  name: 'attention_grad',
  infer: ([, q, k]) => [
    { shape: q.shape, dtype: 'f32' },
    { shape: k.shape, dtype: 'f32' },
    { shape: k.shape, dtype: 'f32' },
  ],
  definition([g, ...inputs], attrs) {
    const [q, k, v] = inputs
    const [t, h, d] = q.shape.slice(-3) as [number, number, number]
    const [s, hkv] = k.shape.slice(-3) as [number, number]
    const batch = q.shape.slice(0, -3)
    const grouped = (x: Tensor): Tensor => reshape(transpose(x, headsFirst(x)), [...batch, hkv, (h / hkv) * t, d])
    const weights = reshape(weigh(inputs, attrs), [...batch, hkv, (h / hkv) * t, s])
    const gh = grouped(g)
    const kh = transpose(dequantize(k), headsFirst(k))
    const byWeight = matmul(gh, transpose(dequantize(v), headsFirst(v)), { transposeB: true })
    const kept = sum(mul(byWeight, weights), -1, { keep: true })
    const byScore = mul(mul(weights, sub(byWeight, kept)), attrs.scale)
    const dq = reshape(matmul(byScore, kh), [...batch, h, t, d])
    const dk = matmul(byScore, grouped(q), { transposeA: true })
    const dv = matmul(weights, gh, { transposeA: true })
    return [dq, dk, dv].map(x => transpose(x, headsFirst(x)))
  },
})

/** The formula: softmax(q kᵀ · scale, masked) v, head groups sharing one k and v. */
function attend(inputs: AttentionInputs, attrs: AttentionAttrs): Tensor {
  const [q, k, v] = inputs
  const [t, h, d] = q.shape.slice(-3) as [number, number, number]
  const [s, hkv] = k.shape.slice(-3) as [number, number]
  const batch = q.shape.slice(0, -3)
  const weights = reshape(weigh(inputs, attrs), [...batch, hkv, (h / hkv) * t, s])
  const mixed = matmul(weights, transpose(dequantize(v), headsFirst(v)))
  return transpose(reshape(mixed, [...batch, h, t, d]), headsFirst(q))
}

/** [..., T, H, D] ⇄ [..., H, T, D]. */
const headsFirst = ({ shape: { length: rank } }: Spec): number[] => [
  ...Array(rank - 3).keys(),
  rank - 2,
  rank - 3,
  rank - 1,
]

function weigh([given, k, , positions, start]: AttentionInputs, { scale, window, halves }: AttentionAttrs): Tensor {
  const rounded = (x: Tensor): Tensor => (halves ? cast(cast(x, 'f16'), 'f32') : x)
  const q = rounded(given)
  const [t, h, d] = q.shape.slice(-3) as [number, number, number]
  const [s, hkv] = k.shape.slice(-3) as [number, number]
  const batch = q.shape.slice(0, -3)
  const qh = reshape(transpose(q, headsFirst(q)), [...batch, hkv, (h / hkv) * t, d])
  const kh = transpose(dequantize(k), headsFirst(k))
  const scores = reshape(mul(matmul(qh, kh, { transposeB: true }), scale), [...batch, h, t, s])
  const column = (x: Tensor): Tensor => reshape(x, [...x.shape.slice(0, -1), ...(x.shape.length > 1 ? [1] : []), t, 1])
  const keys = iota(q.device, s)
  const hide = (x: Tensor, visible: Tensor): Tensor => select(visible, x, -1e30)
  let masked = hide(scores, lessEqual(keys, column(positions)))
  if (window > 0) masked = hide(masked, less(sub(column(positions), window), keys))
  if (start !== undefined) masked = hide(masked, lessEqual(column(start), keys))
  return rounded(softmax(masked))
}

export interface AttentionOptions {
  /** i32 [T] or [..., T]: the index among the keys up to which each query sees (its own). */
  readonly positions: Tensor
  /** i32 like `positions`: the first key each query sees; where packed documents begin. Default 0. */
  readonly start?: Tensor
  /** Factor on q·k. Default 1/√D. */
  readonly scale?: number
  /** Sliding window: a query sees this many keys, itself included. Default 0: all. */
  readonly window?: number
  /** Round queries and weights to f16, as llama.cpp does over an f16 cache. Default false. */
  readonly halves?: boolean
}

/**
 * Query t sees keys j with max(start, positions[t] − window + 1) ≤ j ≤ positions[t]. q [..., T, H, D] f32;
 * k, v [..., S, Hkv, D] in a float or block dtype; H/Hkv query heads share a key head in order. → f32 [..., T, H, D].
 */
export const attention = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor =>
  attentionOp(inputsOf(q, k, v, options), attrsOf(q, options))

/** The weights of `attention` alone, for looking at: f32 [..., H, T, S]; what a query does not see is 0. */
export const attentionWeights = (q: Tensor, k: Tensor, options: AttentionOptions): Tensor =>
  weigh(inputsOf(q, k, k, options), attrsOf(q, options))

const inputsOf = (q: Tensor, k: Tensor, v: Tensor, { positions, start }: AttentionOptions): AttentionInputs =>
  start === undefined ? [q, k, v, positions] : [q, k, v, positions, start]

const attrsOf = (q: Tensor, { scale, window = 0, start, halves = false }: AttentionOptions): AttentionAttrs => ({
  scale: scale ?? 1 / Math.sqrt(q.shape.at(-1) ?? 1),
  window,
  start: start !== undefined,
  halves,
})
