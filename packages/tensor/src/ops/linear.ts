/** Matrix products, and layers on weights of any dtype. */
import { DTypeError, ShapeError } from '../errors.js'
import { defineOp, type Op, type OpDefinition } from '../op.js'
import { format, isBlock, isFloat, type Shape, type Spec, sameShape } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { gather } from './indexing.js'
import { add, cast, reshape, sum, transpose } from './primitives.js'

type MatmulAttrs = { transposeA: boolean; transposeB: boolean }

/** `f32`, the default, multiplies as it is; `bf16` rounds both sides to bf16 first, in the backward pass too. Sums are in f32. */
export type Products = 'f32' | 'bf16'

/** One declaration for both kinds of products. */
const product = (name: string, products: Products): OpDefinition<[Tensor, Tensor], MatmulAttrs> => ({
  name,
  infer([a, b], { transposeA, transposeB }) {
    const fail = (why: string): never => {
      throw new ShapeError(
        `matmul: got ${format(a)}${transposeA ? ' transposed' : ''} · ${format(b)}${transposeB ? ' transposed' : ''}, expected [..., M, K] · [..., K, N] with ${why}`,
        { op: 'matmul', got: [a, b] },
      )
    }
    if (a.dtype !== b.dtype || !isFloat(a.dtype))
      throw new DTypeError(
        `matmul: got ${format(a)} · ${format(b)}, expected one float dtype. Use cast(), or linear() on quantised weights`,
        { op: 'matmul' },
      )
    if (a.shape.length < 2 || b.shape.length < 2) fail('at least two axes each. Use reshape()')
    const [m, k] = matrix(a.shape, transposeA)
    const [k2, n] = matrix(b.shape, transposeB)
    if (k !== k2) fail(`equal inner axes (${k} ≠ ${k2}). Did you mean transposeB: true?`)
    const batchA = a.shape.slice(0, -2)
    const batchB = b.shape.slice(0, -2)
    if (batchB.length > 0 && !sameShape(batchA, batchB))
      fail('equal batch axes, or none on the right. Use broadcastTo()')
    return { shape: [...batchA, m, n], dtype: a.dtype }
  },
  widens: true,
  ...(products === 'bf16' && { definition: ([a, b], attrs) => matmul(rounded(a), rounded(b), attrs) }),
  grad({ inputs: [a, b], attrs: { transposeA: ta, transposeB: tb }, grad: g }) {
    const matmul = (x: Tensor, y: Tensor, attrs: Partial<MatmulAttrs> = {}): Tensor =>
      multiply(x, y, { ...attrs, products })
    // A right side without batch axes is shared by all: its gradient sums over them.
    const shared = b.shape.length === 2 && a.shape.length > 2
    const da = !ta
      ? matmul(g, b, { transposeB: !tb })
      : shared
        ? transposedShared(matmul, b, g, tb)
        : matmul(b, g, { transposeA: tb, transposeB: true })
    const db = shared
      ? weightGrad(matmul, a, g, ta, tb)
      : tb
        ? matmul(g, a, { transposeA: true, transposeB: ta })
        : matmul(a, g, { transposeA: !ta })
    return [da, db]
  },
})

const matmulOp: Op<[Tensor, Tensor], MatmulAttrs> = defineOp(product('matmul', 'f32'))
const matmulBf16Op: Op<[Tensor, Tensor], MatmulAttrs> = defineOp(product('matmul_bf16', 'bf16'))

const rounded = (x: Tensor): Tensor => cast(cast(x, 'bf16'), x.dtype)

type Multiply = (a: Tensor, b: Tensor, attrs?: Partial<MatmulAttrs>) => Tensor

const matrix = (shape: Shape, transposed: boolean): [number, number] => {
  const [r, c] = [shape.at(-2)!, shape.at(-1)!]
  return transposed ? [c, r] : [r, c]
}

/** dA for `Aᵀ B` with a shared B: (g Bᵀ)ᵀ, batch by batch. */
function transposedShared(multiply: Multiply, b: Tensor, g: Tensor, tb: boolean): Tensor {
  const gb = multiply(g, b, { transposeB: !tb })
  const perm = Array.from({ length: g.shape.length }, (_, i) => i)
  perm.push(perm.splice(-2, 1)[0]!)
  return transpose(gb, perm)
}

/** dB for a B that every batch shares: the batches stacked are one tall matrix. */
function weightGrad(multiply: Multiply, a: Tensor, g: Tensor, ta: boolean, tb: boolean): Tensor {
  if (ta) {
    const each = tb ? multiply(g, a, { transposeA: true, transposeB: true }) : multiply(a, g)
    return sum(reshape(each, [-1, ...each.shape.slice(-2)]), 0)
  }
  const rows = (x: Tensor): Tensor => reshape(x, [-1, x.shape.at(-1)!])
  return tb ? multiply(rows(g), rows(a), { transposeA: true }) : multiply(rows(a), rows(g), { transposeA: true })
}

export interface MatmulOptions extends Partial<MatmulAttrs> {
  /** Default `f32`. */
  readonly products?: Products
}

/**
 * Matrix product of the last two axes: [..., M, K] · [..., K, N] → [..., M, N]. Batch axes are equal, or absent on
 * the right. Sums in f32.
 */
export const matmul = (
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, products = 'f32' }: MatmulOptions = {},
): Tensor => (products === 'bf16' ? matmulBf16Op : matmulOp)([a, b], { transposeA, transposeB })

const multiply = matmul

const dequantizeOp: Op<[Tensor], Record<never, never>> = defineOp({
  name: 'dequantize',
  infer([x]) {
    if (!isBlock(x.dtype))
      throw new DTypeError(
        `dequantize: got ${format(x)}, expected a block format. Use cast(x, 'f32') on dense dtypes`,
        { op: 'dequantize' },
      )
    return { shape: x.shape, dtype: 'f32' }
  },
  differentiable: false,
})

/** The f32 values of a block format. Dense dtypes are cast. */
export const dequantize = (x: Tensor): Tensor => (isBlock(x.dtype) ? dequantizeOp([x], {}) : cast(x, 'f32'))

const linearOp: Op<[Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'linear',
  infer([x, w]) {
    if (x.dtype !== 'f32')
      throw new DTypeError(`linear: got x of ${format(x)}, expected f32. Use cast(x, 'f32')`, { op: 'linear' })
    if (!isFloat(w.dtype) && !isBlock(w.dtype))
      throw new DTypeError(`linear: got a weight of ${format(w)}, expected a float or block dtype`, { op: 'linear' })
    if (w.shape.length !== 2 || x.shape.length < 1 || x.shape.at(-1) !== w.shape[1]) {
      throw new ShapeError(
        `linear: got x ${format(x)} and weight ${format(w)}, expected x [..., in] and weight [out, in]`,
        { op: 'linear', got: [x, w] },
      )
    }
    return { shape: [...x.shape.slice(0, -1), w.shape[0]!], dtype: 'f32' }
  },
  definition([x, w]) {
    const y = matmul(reshape(x, [-1, x.shape.at(-1)!]), dequantize(w), { transposeB: true })
    return reshape(y, [...x.shape.slice(0, -1), w.shape[0]!])
  },
  grad({ inputs: [x, w], grad: g }) {
    const rows = (t: Tensor): Tensor => reshape(t, [-1, t.shape.at(-1)!])
    const dx = reshape(matmul(rows(g), dequantize(w)), x.shape)
    // Quantised weights are frozen: the gradient flows to x alone.
    return [dx, isBlock(w.dtype) ? undefined : cast(matmul(rows(g), rows(x), { transposeA: true }), w.dtype)]
  },
})

export interface LinearOptions {
  /** How an f32 weight is multiplied, in the backward pass too: default `f32`. Other dtypes are multiplied as they are. */
  readonly products?: Products
}

/**
 * x · Wᵀ (+ bias): x [..., in] f32, weight [out, in] in any float or block dtype, bias [out] f32.
 *
 * @example
 * linear(x, weight) // [..., out]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor, { products = 'f32' }: LinearOptions = {}): Tensor {
  const y = products === 'bf16' && weight.dtype === 'f32' ? linearBf16(x, weight) : linearOp([x, weight], {})
  return bias === undefined ? y : add(y, bias)
}

/** bf16 products over f32 weights: training keeps the weights exact and multiplies their nearest bf16. */
function linearBf16(x: Tensor, weight: Tensor): Tensor {
  const { shape } = linearOp.declaration.infer([x, weight], {}) as Spec
  const rows = reshape(x, [-1, weight.shape[1]!])
  return reshape(matmul(rows, weight, { transposeB: true, products: 'bf16' }), shape)
}

const embeddingOp: Op<[Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'embedding',
  infer([ids, table]) {
    if (ids.dtype !== 'i32')
      throw new DTypeError(`embedding: got ids of ${format(ids)}, expected i32`, { op: 'embedding' })
    if (table.shape.length !== 2)
      throw new ShapeError(`embedding: got a table of ${format(table)}, expected [vocabulary, width]`, {
        op: 'embedding',
      })
    return { shape: [...ids.shape, table.shape[1]!], dtype: 'f32' }
  },
  definition: ([ids, table]) => gather(dequantize(table), ids),
})

/** Rows of a table by id: ids i32 [...], table [vocabulary, width] of any dtype → f32 [..., width]. */
export const embedding = (ids: Tensor, table: Tensor): Tensor => embeddingOp([ids, table], {})
