/**
 * How closely two results must agree. A bound limits each element (relative to its own size and the tensor's root mean
 * square) and the normalised mean squared error, so that one wild element and a small bias everywhere are both found.
 */
import type { DType, Spec, TensorData } from '@cria/tensor'

/**
 * - `exact`: moves, integers, comparisons, random bits.
 * - `rounded`: one IEEE operation an element.
 * - `smooth`: functions that every device approximates in its own way, and short chains of them.
 * - `summed`: sums in any order.
 * - `product`: matrix products that keep f32 throughout.
 * - `half`: products where a kernel may round activations to f16 or bf16.
 * - `quantised`: products where a kernel may round activations to eight bits a block, as ggml does.
 */
export type Bound = 'exact' | 'rounded' | 'smooth' | 'summed' | 'product' | 'half' | 'quantised'

interface Limit {
  readonly element: number
  readonly nmse: number
}

const limits: Record<Exclude<Bound, 'exact'>, Limit> = {
  rounded: { element: 1e-6, nmse: 1e-13 },
  smooth: { element: 2e-5, nmse: 1e-10 },
  summed: { element: 1e-5, nmse: 1e-11 },
  product: { element: 5e-5, nmse: 1e-10 },
  half: { element: 2e-2, nmse: 1e-4 },
  quantised: { element: 5e-2, nmse: 5e-4 },
}

/** Half precision cannot be closer than its own spacing. */
const spacing: Partial<Record<DType, number>> = { f16: 2 ** -10, bf16: 2 ** -7 }

/** Of what is finite: NaN and infinities have to be equal anyway. */
const rms = (x: TensorData): number => {
  let sum = 0
  for (const v of x) if (Number.isFinite(v)) sum += v * v
  return x.length === 0 ? 0 : Math.sqrt(sum / x.length)
}

/** Throws an Error that names the worst element when `got` is not within the bound of `expected`. */
export function compare(what: string, s: Spec, got: TensorData, expected: TensorData, bound: Bound): void {
  if (got.length !== expected.length)
    throw new Error(`${what}: got ${got.length} elements, expected ${expected.length}`)
  const coarse = spacing[s.dtype] ?? 0
  const exact = bound === 'exact'
  const { element, nmse } = exact ? { element: 0, nmse: 0 } : limits[bound]
  const per = exact ? 0 : Math.max(element, coarse)
  const size = rms(expected)
  let worst = -1
  let excess = 0
  let error = 0
  for (let i = 0; i < got.length; i++) {
    const [a, e] = [got[i]!, expected[i]!]
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue
    const distance = Math.abs(a - e)
    error += distance * distance
    const over = Number.isFinite(distance) ? distance - per * (Math.abs(e) + size) : Number.POSITIVE_INFINITY
    if (over > excess || Number.isNaN(over)) {
      excess = over
      worst = i
    }
  }
  const ratio = got.length === 0 || size === 0 ? 0 : error / got.length / (size * size)
  if (worst < 0 && ratio <= Math.max(nmse, coarse * coarse)) return
  const at = Math.max(worst, 0)
  throw new Error(
    `${what}: got ${got[at]} at ${at}, expected ${expected[at]} (bound ${bound}: ±${per} of ${(Math.abs(expected[at]!) + size).toPrecision(3)}; error/signal ${ratio.toExponential(1)}, allowed ${nmse.toExponential(0)}). Got ${preview(got)}, expected ${preview(expected)}`,
  )
}

const preview = (x: TensorData): string => `[${[...x.slice(0, 6)].join(', ')}${x.length > 6 ? ', …' : ''}]`
