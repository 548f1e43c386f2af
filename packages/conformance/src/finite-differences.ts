/** Slopes without calculus: what gradients are held against. */
import { add, cast, isFloat, mul, reshape, sum, type Tensor, type TensorData } from '@cria/tensor'
import type { Case } from './case.js'
import { stream } from './random.js'

/** Fixed weights that turn the outputs of a case into one number, so that every output element matters. */
export function weightsFor(c: Case, output: number, n: number): Float32Array {
  const next = stream(`weights ${c.op} ${c.title} ${output}`)
  return Float32Array.from({ length: n }, () => (next() < 0.5 ? -1 : 1) * (0.5 + next()))
}

/** Σ weights · outputs as a tensor, for the backward pass. */
export function weighted(c: Case, outputs: readonly Tensor[]): Tensor {
  const parts = outputs
    .filter(t => isFloat(t.dtype))
    .map((t, i) => sum(mul(cast(reshape(t, [t.size]), 'f32'), t.device.tensor(weightsFor(c, i, t.size)))))
  return parts.reduce(add)
}

/** The same sum in double precision, for the differences. */
export function dot(pairs: readonly (readonly [TensorData, Float32Array])[]): number {
  let total = 0
  for (const [x, w] of pairs) for (let i = 0; i < x.length; i++) total += x[i]! * w[i]!
  return total
}

/**
 * Slopes of `loss` at `x` along some coordinates, by the five-point rule: its error falls with h⁴, so that a step
 * large enough for f32 is still small enough.
 */
export async function numericGradients(
  loss: (x: Float32Array) => Promise<number>,
  x: Float32Array,
  { samples = 10, step = 0.02 }: { samples?: number; step?: number } = {},
): Promise<{ at: number; slope: number }[]> {
  const count = Math.min(samples, x.length)
  const slopes: { at: number; slope: number }[] = []
  for (let k = 0; k < count; k++) {
    const at = Math.floor(((k + 0.5) * x.length) / count)
    const moved = async (steps: number): Promise<number> => {
      const y = x.slice()
      y[at] = x[at]! + steps * step
      return loss(y)
    }
    const near = (await moved(1)) - (await moved(-1))
    const far = (await moved(2)) - (await moved(-2))
    slopes.push({ at, slope: (8 * near - far) / (12 * step) })
  }
  return slopes
}
