/** Reductions, running sums and top-k. */
import type { Spec } from '@cria/tensor'
import { type KernelMaker, view } from '../lowering.js'
import { reductions } from '../opcodes.js'
import { plain } from './elementwise.js'

const product = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1)

/** A sum over everything is cut into runs of this many elements, so that threads can share it; the same for any number. */
const run = 16384

const reduction =
  (index: number): KernelMaker =>
  ({ op, inputs: [x], attrs }) => {
    if (!plain(x!) || (x!.dtype !== 'f32' && !['sum', 'max', 'argmax'].includes(op))) return undefined
    const all = op === 'sum_squares'
    const axis = all ? 0 : (attrs.axis as number)
    const shape = all
      ? [1, product(x!.shape), 1]
      : [product(x!.shape.slice(0, axis)), x!.shape[axis]!, product(x!.shape.slice(axis + 1))]
    const [outer, n, inner] = shape as [number, number, number]
    // An empty axis has no largest element, and its mean is NaN: the definition or the reference decides.
    const cost = outer * n * inner * (op === 'logsumexp' ? 1 : 0.2)
    if (x!.dtype === 'f32' && outer === 1 && inner === 1 && n > 2 * run && (op === 'sum' || all)) {
      return (to, [a], [y]) => {
        const parts = to.temp({ dtype: 'f32', shape: [Math.ceil(n / run)] })
        to.step('reduce_parts', [view(a!, [n]), parts], { attrs: [index, run], cost })
        to.step('reduce', [view(parts, [1, parts.spec.shape[0]!, 1]), view(y!, [1])], { attrs: [0, 1] })
      }
    }
    return (to, [a], [y]) =>
      to.step('reduce', [view(a!, shape), view(y!, [outer * inner])], { attrs: [index, 1], cost })
  }

const rowsOf = (x: Spec): [number, number] => [product(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]

const cumsum: KernelMaker = ({ inputs: [x] }) =>
  plain(x!) ? (to, [a], [y]) => to.step('cumsum', [view(a!, rowsOf(x!)), view(y!, rowsOf(x!))]) : undefined

const topK: KernelMaker = ({ inputs: [x], attrs: { k } }) => {
  if (!plain(x!)) return undefined
  const [rows, n] = rowsOf(x!)
  return (to, [a], [values, indices]) =>
    to.step('top_k', [view(a!, [rows, n]), view(values!, [rows, k as number]), view(indices!, [rows, k as number])], {
      writes: [1, 2],
      cost: rows * n,
    })
}

export const reduce: Readonly<Record<string, KernelMaker>> = {
  ...Object.fromEntries(reductions.map((name, i) => [name, reduction(i)])),
  cumsum,
  top_k: topK,
}
