/** Calls that move elements: transposition, slices and joins, fills. */
import { byteLength, f32ToBf16, f32ToF16, type Shape, type Spec, UnsupportedError } from '@cria/tensor'
import { flat, type KernelMaker } from '../lowering.js'
import { dtypeCode, f32Bits } from '../opcodes.js'

const product = (s: Shape): number => s.reduce((a, b) => a * b, 1)
const width = (s: Spec): number => byteLength({ dtype: s.dtype, shape: [] })

/** Byte counts travel as unsigned 32-bit words. */
function word(n: number): number {
  if (n >= 2 ** 32)
    throw new UnsupportedError(`copy: got a run of ${n} bytes, expected less than 4 GiB. Slice it in parts`)
  return n | 0
}

const transpose: KernelMaker = ({ inputs: [x], attrs: { perm }, outputs: [y] }) => {
  const strides = new Array<number>(x!.shape.length)
  let step = 1
  for (let i = x!.shape.length - 1; i >= 0; i--) {
    strides[i] = step
    step *= x!.shape[i]!
  }
  const axes: { length: number; stride: number }[] = []
  for (const p of perm as readonly number[]) {
    const length = x!.shape[p]!
    if (length === 1) continue
    const outer = axes.at(-1)
    if (outer?.stride === strides[p]! * length) {
      outer.length *= length
      outer.stride = strides[p]!
    } else axes.push({ length, stride: strides[p]! })
  }
  if (axes.length === 0) axes.push({ length: product(y!.shape), stride: 1 })
  const attrs = [axes.length, ...axes.map(a => a.length), ...axes.map(a => a.stride)]
  return (to, [a], [b]) => to.step('permute', [flat(a!), flat(b!)], { attrs, cost: product(y!.shape) * 0.5 })
}

const slice: KernelMaker = ({ inputs: [x], attrs }) => {
  const axis = attrs.axis as number
  const start = attrs.start as number
  const inner = product(x!.shape.slice(axis + 1)) * width(x!)
  const rows = product(x!.shape.slice(0, axis))
  const count = (attrs.end as number) - start
  const words = [rows, word(count * inner), word(x!.shape[axis]! * inner), word(start * inner), word(count * inner), 0]
  return (to, [a], [b]) =>
    to.step('copy', [flat(a!), flat(b!)], { attrs: words, cost: rows * (count * inner * 0.03 + 3) })
}

const concat: KernelMaker = ({ inputs: [a, b], outputs: [y], attrs }) => {
  const axis = attrs.axis as number
  const inner = product(y!.shape.slice(axis + 1)) * width(y!)
  const rows = product(y!.shape.slice(0, axis))
  const run = (s: Spec): number => s.shape[axis]! * inner
  return (to, [p, q], [r]) => {
    const part = (from: typeof p, bytes: number, at: number): void =>
      to.step('copy', [flat(from!), flat(r!)], {
        attrs: [rows, word(bytes), word(bytes), 0, word(run(y!)), word(at)],
        cost: rows * (bytes * 0.03 + 3),
      })
    part(p, run(a!), 0)
    part(q, run(b!), run(a!))
  }
}

const fill: KernelMaker = ({ outputs: [y], attrs: { value } }) => {
  const v = value as number
  const bits =
    y!.dtype === 'f32' ? f32Bits(v) : y!.dtype === 'f16' ? f32ToF16(v) : y!.dtype === 'bf16' ? f32ToBf16(v) : v | 0
  return (to, _, [b]) => to.step('fill', [flat(b!)], { attrs: [bits] })
}

const iota: KernelMaker = ({ outputs: [y] }) => {
  if (y!.dtype !== 'f16' && y!.dtype !== 'bf16') return (to, _, [b]) => to.step('iota', [flat(b!)])
  return (to, _, [b]) => {
    const wide = to.temp({ dtype: 'f32', shape: y!.shape })
    to.step('iota', [wide])
    to.step('cast', [wide, b!])
  }
}

/** Block formats are copied as they are stored: packed matrices have more rows than their shape. */
const assign: KernelMaker =
  ({ inputs: [target] }) =>
  (to, [t, x]) => {
    const [rows, cols] = target!.shape as [number, number]
    const bytes = t!.packed ? to.engine.measure('packed', dtypeCode(target!.dtype), rows, cols) : byteLength(target!)
    for (let at = 0; at < bytes; at += 2 ** 30) {
      const n = Math.min(2 ** 30, bytes - at)
      to.step('copy', [flat(x!), flat(t!)], { attrs: [1, n, 0, word(at), 0, word(at)], cost: n * 0.05 })
    }
  }

export const movement: Readonly<Record<string, KernelMaker>> = { transpose, slice, concat, full: fill, iota, assign }
