/** Calls that compute element by element, with broadcasting. */
import { isFloat, type OpCall, type Shape, type Spec } from '@cria/tensor'
import { flat, type KernelMaker } from '../lowering.js'
import { binaries, unaries } from '../opcodes.js'

/** Half precision goes through f32: the core widens it. */
export const plain = (s: Spec): boolean => s.dtype === 'f32' || ['i32', 'u32', 'i8', 'u8'].includes(s.dtype)

/**
 * Axes, lengths and the strides of each input under the result's shape (0 where stretched). Axes of length 1 vanish and
 * neighbours that are walked as one become one, so the last axis has stride 1 or 0.
 */
export function broadcastAttrs(out: Shape, inputs: readonly Shape[]): number[] {
  const strides = inputs.map(shape => {
    const s = new Array<number>(out.length).fill(0)
    let step = 1
    for (let i = 1; i <= shape.length; i++) {
      const n = shape[shape.length - i]!
      if (n !== 1) s[out.length - i] = step
      step *= n
    }
    return s
  })
  const axes: { length: number; strides: number[] }[] = []
  out.forEach((length, axis) => {
    if (length === 1) return
    const here = strides.map(s => s[axis]!)
    const outer = axes.at(-1)
    if (outer?.strides.every((s, i) => s === here[i]! * length)) {
      outer.length *= length
      outer.strides = here
    } else axes.push({ length, strides: here })
  })
  // An axis that no input moves along still needs a step of 1 or 0: it has 0 everywhere, which is fine.
  return [axes.length, ...axes.map(a => a.length), ...inputs.flatMap((_, i) => axes.map(a => a.strides[i]!))]
}

const slow = new Set([
  'exp',
  'log',
  'sin',
  'cos',
  'tanh',
  'erf',
  'sigmoid',
  'silu',
  'softplus',
  'gelu_tanh',
  'gelu_erf',
  'pow',
])

const size = (s: Spec): number => s.shape.reduce((a, b) => a * b, 1)
const costOf = ({ op, outputs: [y] }: OpCall): number => size(y!) * (slow.has(op) ? 1 : 0.2)

const unary =
  (index: number): KernelMaker =>
  call => {
    if (!plain(call.inputs[0]!)) return undefined
    if (!isFloat(call.inputs[0]!.dtype) && !['neg', 'abs', 'square'].includes(call.op)) return undefined
    const cost = costOf(call)
    return (to, [x], [y]) => to.step('unary', [flat(x!), flat(y!)], { attrs: [index], cost })
  }

const binary =
  (index: number): KernelMaker =>
  call => {
    const [a, b] = call.inputs as [Spec, Spec]
    if (!plain(a)) return undefined
    const attrs = [index, ...broadcastAttrs(call.outputs[0]!.shape, [a.shape, b.shape])]
    const cost = costOf(call)
    return (to, [x, y], [z]) => to.step('binary', [flat(x!), flat(y!), flat(z!)], { attrs, cost })
  }

const select: KernelMaker = call => {
  const attrs = broadcastAttrs(
    call.outputs[0]!.shape,
    call.inputs.map(s => s.shape),
  )
  const cost = costOf(call)
  return (to, inputs, [y]) => to.step('select', [...inputs.map(flat), flat(y!)], { attrs, cost })
}

const cast: KernelMaker = call => {
  const cost = costOf(call)
  return (to, [x], [y]) => to.step('cast', [flat(x!), flat(y!)], { cost })
}

export const elementwise: Readonly<Record<string, KernelMaker>> = {
  ...Object.fromEntries(unaries.map((name, i) => [name, unary(i)])),
  ...Object.fromEntries(binaries.map((name, i) => [name, binary(i)])),
  select,
  cast,
}
