/** Matrix products, and rows of weights as f32. */
import { isBlock, type OpCall, type Spec } from '@cria/tensor'
import { flat, type KernelMaker, type Lowering, type Place, view } from '../lowering.js'
import { dtypeCode } from '../opcodes.js'

const product = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1)

/** Rough nanoseconds of a multiply-add in a matrix product on one thread, and of a byte of weights from memory. */
const perProduct = 0.006
const perByte = 0.03

export interface Product {
  readonly transposed: readonly [boolean, boolean]
  /** Rows and columns of the result, and the length of the sums. */
  readonly size: readonly [m: number, n: number, k: number]
  readonly batch?: number
  /** One right side for the whole batch. */
  readonly shared?: boolean
  readonly bf16?: boolean
  /** Add to what is there. */
  readonly accumulate?: boolean
}

export function matmulStep(to: Lowering, a: Place, b: Place, c: Place, product: Product): void {
  const { transposed, size, batch = 1, shared = false, bf16 = false, accumulate = false } = product
  const [m, n, k] = size
  const [ta, tb] = transposed.map(Number) as [number, number]
  to.step('matmul', [flat(a), flat(b), flat(c)], {
    attrs: [ta, tb, m, n, k, batch, m * k, shared ? 0 : k * n, (accumulate ? 1 : 0) + (bf16 ? 2 : 0)],
    scratch: to.engine.measure('matmul'),
    cost: batch * m * n * k * perProduct + batch * (m + n) * k * 0.2,
  })
}

const matmul =
  (bf16: boolean): KernelMaker =>
  ({ inputs, attrs: { transposeA, transposeB } }) => {
    const [a, b] = inputs as [Spec, Spec]
    if (a.dtype !== 'f32') return undefined
    const transposed = [transposeA === true, transposeB === true] as const
    const [r, c] = a.shape.slice(-2) as [number, number]
    const [m, k] = transposeA ? [c, r] : [r, c]
    const n = b.shape.at(transposeB ? -2 : -1)!
    const batch = product(a.shape.slice(0, -2))
    const shared = b.shape.length === 2
    // A left side that is not transposed and shares its right side is one tall matrix.
    const tall = shared && !transposeA && batch > 1
    const size = [tall ? m * batch : m, n, k] as const
    return (to, [x, y], [z]) => matmulStep(to, x!, y!, z!, { transposed, size, batch: tall ? 1 : batch, shared, bf16 })
  }

const linear: KernelMaker = ({ inputs }) => {
  const [x, w] = inputs as [Spec, Spec]
  const code = dtypeCode(w.dtype)
  if (code < 0) return undefined
  const [rows, cols] = w.shape as [number, number]
  const tokens = product(x.shape.slice(0, -1))
  const weightBytes = rows * cols * (isBlock(w.dtype) ? 0.6 : w.dtype === 'f32' ? 4 : 2)
  const cost = Math.max(weightBytes * perByte, tokens * rows * cols * (isBlock(w.dtype) ? perProduct / 3 : perProduct))
  return (to, [a, b], [y]) => {
    const from = view(a!, [tokens, cols])
    const into = view(y!, [tokens, rows])
    // A dense weight that something else changes or reads as rows stays rows.
    if (!b!.packed) return matmulStep(to, from, b!, into, { transposed: [false, true], size: [tokens, rows, cols] })
    const flags = 0
    const kind = to.engine.measure('kind', code, flags)
    const prepared = to.shared(`linear:${kind}:${cols}`, from, () => {
      const bytes = to.engine.measure('activations', kind, tokens, cols)
      const place = to.temp({ dtype: 'u8', shape: [bytes] })
      to.step('linear_prepare', [from, b!, place, place], { attrs: [flags], cost: tokens * cols * 0.25 })
      return place
    })
    to.step('linear_compute', [from, b!, into, prepared], {
      attrs: [flags],
      writes: [2],
      scratch: to.engine.measure('linear', code, flags, tokens, rows, cols),
      cost,
    })
  }
}

const dequantize: KernelMaker = ({ inputs: [x] }) => {
  if (dtypeCode(x!.dtype) < 0) return undefined
  const cols = x!.shape.at(-1)!
  const rows = product(x!.shape.slice(0, -1))
  return (to, [a], [y]) =>
    to.step('dequantize', [view(a!, [rows, cols]), view(y!, [rows, cols])], { cost: rows * cols * 2 })
}

const embedding: KernelMaker = ({ inputs }: OpCall) => {
  const [ids, table] = inputs as [Spec, Spec]
  if (dtypeCode(table.dtype) < 0 || ['i32', 'u32', 'i8', 'u8'].includes(table.dtype)) return undefined
  return (to, [i, t], [y]) =>
    to.step('embedding', [flat(i!), t!, flat(y!)], { cost: product(ids.shape) * table.shape[1]! * 1.5 })
}

export const matrix: Readonly<Record<string, KernelMaker>> = {
  matmul: matmul(false),
  matmul_bf16: matmul(true),
  linear,
  dequantize,
  embedding,
}
