/**
 * Specs: what a tensor is without its data. A spec is plain data (shape and dtype), so rules, traces and backends
 * share it without knowing each other.
 */
import { type BlockDType, blockFormats } from './blocks/index.js'
import { ArgumentError, DTypeError, ShapeError } from './errors.js'

export type FloatDType = 'f32' | 'f16' | 'bf16'
export type IntDType = 'i32' | 'u32' | 'i8' | 'u8'
/** Dense dtypes hold one number an element; block dtypes are ggml's quantised formats. */
export type DenseDType = FloatDType | IntDType
export type DType = DenseDType | BlockDType

/** Row-major, contiguous, outermost axis first. `[]` is a scalar. */
export type Shape = readonly number[]

export interface Spec {
  readonly shape: Shape
  readonly dtype: DType
}

const denseBytes: Record<DenseDType, number> = { f32: 4, f16: 2, bf16: 2, i32: 4, u32: 4, i8: 1, u8: 1 }

export const isBlock = (dtype: DType): dtype is BlockDType => dtype in blockFormats
export const isFloat = (dtype: DType): dtype is FloatDType => dtype === 'f32' || dtype === 'f16' || dtype === 'bf16'
export const isInt = (dtype: DType): dtype is IntDType => !isFloat(dtype) && !isBlock(dtype)

/** Makes a spec and checks it. `spec('f32', [2, 3])`. */
export function spec(dtype: DType, shape: Shape): Spec {
  if (!(dtype in denseBytes) && !isBlock(dtype)) {
    throw new DTypeError(
      `spec: got dtype ${String(dtype)}, expected one of ${Object.keys(denseBytes).join(', ')} or a ggml block format`,
    )
  }
  for (const n of shape) {
    if (!Number.isSafeInteger(n) || n < 0)
      throw new ShapeError(`spec: got shape [${shape}], expected whole numbers >= 0`, { got: shape })
  }
  if (isBlock(dtype)) {
    const { block } = blockFormats[dtype]
    const cols = shape.at(-1)
    if (cols === undefined || cols % block !== 0) {
      throw new ShapeError(
        `spec: got ${dtype} with shape [${shape}], expected the last axis to be a multiple of ${block}`,
        { got: shape, expected: block },
      )
    }
  }
  return { shape, dtype }
}

export const f32 = (shape: Shape = []): Spec => spec('f32', shape)
export const f16 = (shape: Shape = []): Spec => spec('f16', shape)
export const bf16 = (shape: Shape = []): Spec => spec('bf16', shape)
export const i32 = (shape: Shape = []): Spec => spec('i32', shape)
export const u32 = (shape: Shape = []): Spec => spec('u32', shape)
/** A number that changes between replays of a plan: position, token count, learning rate. */
export const scalar = (dtype: DenseDType): Spec => spec(dtype, [])

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/** Bytes of the canonical (row-major, ggml) layout. A backend's own layout may differ. */
export function byteLength({ shape, dtype }: Spec): number {
  if (isBlock(dtype)) {
    const { block, bytes } = blockFormats[dtype]
    return (sizeOf(shape) / block) * bytes
  }
  return sizeOf(shape) * denseBytes[dtype]
}

/** `[2,3] f32`, as errors and listings print it. */
export const format = ({ shape, dtype }: Spec): string => `[${shape.join(',')}] ${dtype}`

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i])
export const sameSpec = (a: Spec, b: Spec): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape)

/** Resolves a negative axis and checks its range. */
export function axisOf(op: string, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new ArgumentError(`${op}: got axis ${axis}, expected -${rank} … ${rank - 1} for rank ${rank}`, {
      op,
      got: axis,
      expected: rank,
    })
  }
  return resolved
}

/** NumPy's broadcasting of two shapes. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1
    const n = b[b.length - i] ?? 1
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `${op}: got shapes [${a}] and [${b}], expected axes that are equal or 1 (${m} ≠ ${n} at axis -${i})`,
        { op, got: [a, b] },
      )
    }
    out[rank - i] = m === 1 ? n : m
  }
  return out
}
