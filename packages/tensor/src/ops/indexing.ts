/** Reading and writing by index, and the two effects that change state in place. */
import { DTypeError, ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { type DenseDType, format, isBlock, type Shape, sameShape } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { equal, full, iota, reshape, select, sum } from './primitives.js'

function indices(op: string, t: { shape: Shape; dtype: string }): void {
  if (t.dtype !== 'i32')
    throw new DTypeError(`${op}: got indices of dtype ${t.dtype}, expected i32. Use cast()`, { op, got: t.dtype })
}

const gatherOp: Op<[Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'gather',
  infer([x, index]) {
    indices('gather', index)
    if (x.shape.length < 1 || isBlock(x.dtype))
      throw new ShapeError(`gather: got ${format(x)}, expected a dense tensor with rows`, { op: 'gather' })
    return { shape: [...index.shape, ...x.shape.slice(1)], dtype: x.dtype }
  },
  grad: ({ inputs: [x, index], grad: g }) => [
    // A table of embeddings is large, and where it is the output layer's weight too its gradient is there already.
    sum => scatterAdd(sum ?? full(g.device, x.shape, 0, g.dtype as DenseDType), index, g),
    undefined,
  ],
})

/** Rows (entries of the first axis) by index: x [N, ...rest], index i32 [...] → [..., ...rest]. Indices out of range give zeros. */
export const gather = (x: Tensor, index: Tensor): Tensor => gatherOp([x, index], {})

const scatterAddOp: Op<[Tensor, Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'scatter_add',
  infer([x, index, updates]) {
    indices('scatter_add', index)
    if (!sameShape(updates.shape, [...index.shape, ...x.shape.slice(1)]) || updates.dtype !== x.dtype) {
      throw new ShapeError(
        `scatter_add: got updates ${format(updates)} for x ${format(x)} and index ${format(index)}, expected [...index, ...rest of x] of x's dtype`,
        { op: 'scatter_add' },
      )
    }
    return { shape: x.shape, dtype: x.dtype }
  },
  widens: true,
  grad: ({ inputs: [, index], grad: g }) => [g, undefined, gather(g, index)],
})

/** A copy of x with updates added to its rows; equal indices add up, in order. Indices out of range add nothing. */
export const scatterAdd = (x: Tensor, index: Tensor, updates: Tensor): Tensor => scatterAddOp([x, index, updates], {})

const pickOp: Op<[Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'pick',
  infer([x, index]) {
    indices('pick', index)
    if (!sameShape(index.shape, x.shape.slice(0, -1))) {
      throw new ShapeError(
        `pick: got index ${format(index)} for ${format(x)}, expected one index for each row of the last axis`,
        { op: 'pick' },
      )
    }
    return { shape: index.shape, dtype: x.dtype }
  },
  definition: ([x, index]) =>
    sum(select(equal(reshape(index, [...index.shape, 1]), iota(x.device, x.shape.at(-1)!)), x, 0), -1),
  grad: ({ inputs: [x, index], grad: g }) => [
    select(equal(reshape(index, [...index.shape, 1]), iota(x.device, x.shape.at(-1)!)), reshape(g, [...g.shape, 1]), 0),
    undefined,
  ],
})

/** One element of each row: x [..., N], index i32 [...] → [...]. An index out of range picks 0. */
export const pick = (x: Tensor, index: Tensor): Tensor => pickOp([x, index], {})

const assignOp: Op<[Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'assign',
  infer([target, x]) {
    if (!sameShape(target.shape, x.shape) || target.dtype !== x.dtype) {
      throw new ShapeError(`assign: got ${format(x)} for ${format(target)}, expected the same shape and dtype`, {
        op: 'assign',
        got: x,
        expected: target,
      })
    }
    return []
  },
  mutates: [0],
})

/** Effect: overwrites the target's elements. */
export function assign(target: Tensor, x: Tensor): void {
  assignOp.all([target, x], {})
}

const writeRowsOp: Op<[Tensor, Tensor, Tensor], Record<never, never>> = defineOp({
  name: 'write_rows',
  infer([target, rows, index]) {
    indices('write_rows', index)
    if (!sameShape(rows.shape, [...index.shape, ...target.shape.slice(1)]) || rows.dtype !== 'f32') {
      throw new ShapeError(
        `write_rows: got rows ${format(rows)} for ${format(target)} and index ${format(index)}, expected f32 [...index, ...rest of target]`,
        { op: 'write_rows' },
      )
    }
    return []
  },
  mutates: [0],
})

/**
 * Effect: overwrites rows of the target, converting f32 to its dtype (f32, f16, bf16 or q8_0). What writes a KV cache:
 * target [capacity, ...], rows [T, ...], index i32 [T]. Indices out of range write nothing.
 */
export function writeRows(target: Tensor, rows: Tensor, index: Tensor): void {
  writeRowsOp.all([target, rows, index], {})
}
