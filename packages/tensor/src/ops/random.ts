/**
 * Random numbers as a function of a key: Threefry-2x32 with 20 rounds (Salmon et al. 2011), the same bits on every
 * backend. There is no hidden state: a new key gives new numbers.
 */
import type { Device } from '../device.js'
import { ShapeError } from '../errors.js'
import { defineOp, type Op } from '../op.js'
import { format, type Shape, spec } from '../spec.js'
import type { Tensor } from '../tensor.js'
import { cast, cos, div, log, mul, reshape, slice, sqrt, sub } from './primitives.js'

const randomBitsOp: Op<[Tensor], { shape: Shape }> = defineOp({
  name: 'random_bits',
  infer([key], { shape }) {
    if (key.dtype !== 'u32' || key.shape.length !== 1 || key.shape[0] !== 2)
      throw new ShapeError(`random_bits: got key ${format(key)}, expected u32 [2]`, { op: 'random_bits', got: key })
    return spec('u32', shape)
  },
  differentiable: false,
})

/**
 * u32 bits: element i is the first (even i) or second (odd i) word of Threefry(key, [⌊i/2⌋, 0]).
 * The key is u32 [2]: a seed and a counter, say.
 */
export const randomBits = (key: Tensor, shape: Shape): Tensor => randomBitsOp([key], { shape })

/** A key from a seed and a counter (both whole numbers below 2³²). */
export const randomKey = (device: Device, seed: number, counter = 0): Tensor =>
  device.tensor([seed, counter], [2], 'u32')

/** f32 in [0, 1): the top 24 bits. */
export const uniform = (key: Tensor, shape: Shape): Tensor =>
  mul(cast(div(randomBits(key, shape), 256), 'f32'), 2 ** -24)

/** f32 from N(0, 1), by Box and Muller on two independent uniforms. */
export function normal(key: Tensor, shape: Shape): Tensor {
  const pair = uniform(key, [2, ...shape])
  const part = (i: number): Tensor => reshape(slice(pair, 0, i, i + 1), shape)
  // 1 − u lies in (0, 1], where the logarithm is finite.
  const radius = sqrt(mul(log(sub(1, part(0))), -2))
  return mul(radius, cos(mul(part(1), 2 * Math.PI)))
}
