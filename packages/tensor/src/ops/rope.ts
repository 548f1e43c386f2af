/** Rotary position embedding (Su et al., RoFormer), with the frequencies as a tensor so that any scaling rule fits. */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { format, type Shape, type Spec, sameShape } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { add, cast, concat, cos, mul, neg, reshape, sin, slice, sub } from './primitives.js'

type RopeAttrs = { interleaved: boolean; scale: number; inverse: boolean }

const ropeOp: Op<[Tensor, Tensor, Tensor], RopeAttrs> = defineOp({
  name: 'rope',
  infer([x, positions, frequencies]) {
    if (x.dtype !== 'f32' || frequencies.dtype !== 'f32')
      throw new DTypeError(`rope: got x ${format(x)} and frequencies ${format(frequencies)}, expected f32`, {
        op: 'rope',
      })
    const width = x.shape.at(-1) ?? 0
    if (frequencies.shape.length !== 1 || frequencies.shape[0]! * 2 > width) {
      throw new ShapeError(
        `rope: got frequencies ${format(frequencies)} for x ${format(x)}, expected [R/2] with R ≤ ${width}, the width of a head`,
        { op: 'rope' },
      )
    }
    checkPositions('rope', positions, x.shape.slice(0, -2))
    return { shape: x.shape, dtype: 'f32' }
  },
  definition([x, positions, frequencies], { interleaved, scale, inverse }) {
    const half = frequencies.shape[0]!
    const width = x.shape.at(-1)!
    // [..., T, 1, R/2]: one angle for each position and pair, shared by all heads.
    const angles = mul(reshape(cast(positions, 'f32'), [...positions.shape, 1, 1]), frequencies)
    const c = mul(cos(angles), scale)
    const s = mul(inverse ? neg(sin(angles)) : sin(angles), scale)
    const rotated = interleaved ? rotatePairs(x, half, c, s) : rotateHalves(x, half, c, s)
    return width === 2 * half ? rotated : concat([rotated, slice(x, -1, 2 * half)], -1)
  },
  // A rotation's gradient is the rotation back; a scale stays a scale.
  grad: ({ inputs: [, positions, frequencies], attrs, grad: g }) => [
    ropeOp([g, positions, frequencies], { ...attrs, inverse: !attrs.inverse }),
    undefined,
    undefined,
  ],
})

/** Element i turns with element i + R/2 (Hugging Face's layout). */
function rotateHalves(x: Tensor, half: number, c: Tensor, s: Tensor): Tensor {
  const a = slice(x, -1, 0, half)
  const b = slice(x, -1, half, 2 * half)
  return concat([sub(mul(a, c), mul(b, s)), add(mul(b, c), mul(a, s))], -1)
}

/** Element 2i turns with element 2i + 1 (Meta's layout). */
function rotatePairs(x: Tensor, half: number, c: Tensor, s: Tensor): Tensor {
  const pairs = reshape(slice(x, -1, 0, 2 * half), [...x.shape.slice(0, -1), half, 2])
  const flat = [...x.shape.slice(0, -1), half]
  const a = reshape(slice(pairs, -1, 0, 1), flat)
  const b = reshape(slice(pairs, -1, 1, 2), flat)
  const turned = [sub(mul(a, c), mul(b, s)), add(mul(b, c), mul(a, s))].map(t => reshape(t, [...flat, 1]))
  return reshape(concat(turned, -1), [...x.shape.slice(0, -1), 2 * half])
}

/** Positions are i32 over the axes before [heads, width], or over the last of them. */
export function checkPositions(op: string, positions: Spec, before: Shape): void {
  const matches = sameShape(positions.shape, before) || sameShape(positions.shape, before.slice(-1))
  if (positions.dtype !== 'i32' || before.length === 0 || !matches) {
    throw new ShapeError(
      `${op}: got positions ${format(positions)}, expected i32 [${before.slice(-1)}]${before.length > 1 ? ` or [${before}]` : ''}`,
      { op, got: positions, expected: before },
    )
  }
}

export interface RopeOptions {
  /** True: pairs are neighbours (Meta, GGUF of arch llama). False, the default: pairs are half a head apart (Hugging Face). */
  readonly interleaved?: boolean
  /** Factor on the result: yarn and longrope's attention factor. Default 1. */
  readonly scale?: number
}

/**
 * Turns the first R elements of each head by position · frequency: x [..., T, H, D] f32, positions i32 [T] or
 * [..., T], frequencies f32 [R/2] (see `ropeFrequencies`).
 */
export function rope(
  x: Tensor,
  positions: Tensor,
  frequencies: Tensor,
  { interleaved = false, scale = 1 }: RopeOptions = {},
): Tensor {
  if (!(scale > 0))
    throw new ArgumentError(`rope: got scale ${scale}, expected a number above 0`, { op: 'rope', got: scale })
  return ropeOp([x, positions, frequencies], { interleaved, scale, inverse: false })
}
