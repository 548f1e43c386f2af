/** What training adds: losses, gradients of the layers, AdamW. */
import type { Spec } from '@cria/tensor'
import { flat, type KernelMaker, type Lowering, type Place, rowsOf, sizeOf, view } from '../lowering.js'
import { binaries, f32Bits, f64Bits, reductions } from '../opcodes.js'
import { broadcastAttrs } from './elementwise.js'
import { matmulStep } from './matrix.js'

const product = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1)
const f32s = (...specs: readonly (Spec | undefined)[]): boolean => specs.every(s => s?.dtype === 'f32')

/** A tensor as rows of its last axis. */
const rows = (p: Place): Place => view(p, [product(p.spec.shape.slice(0, -1)), p.spec.shape.at(-1) ?? 1])

const crossEntropy: KernelMaker =
  ({ inputs: [logits] }) =>
  (to, [x, targets], [y]) =>
    to.step('cross_entropy', [rows(x!), flat(targets!), flat(y!)], { cost: product(logits!.shape) })

const crossEntropyGrad: KernelMaker =
  ({ inputs: [logits] }) =>
  (to, [x, targets, g], [y]) =>
    to.step('cross_entropy_grad', [rows(x!), flat(targets!), flat(g!), rows(y!)], {
      cost: product(logits!.shape) * 1.5,
    })

/** Chunk by chunk: logits, their gradient (in place, or beside them in bf16, which is packed faster), losses, and what they add to both gradients. */
const linearCrossEntropy: KernelMaker = ({ inputs, attrs: { chunk, products } }) => {
  if (!f32s(inputs[0], inputs[1], inputs[3])) return undefined
  const [n, width] = inputs[0]!.shape as [number, number]
  const words = inputs[1]!.shape[0]!
  const size = Math.min(n, chunk as number)
  const bf16 = products === 'bf16'
  const each = inputs[3]!.shape.length > 0
  return (to, [hidden, weight, targets, scale], [loss, dHidden, dWeight]) => {
    const logits = to.temp({ dtype: 'f32', shape: [size, words] })
    // Products round the gradients to bf16 anyway: the copy costs memory for one chunk and saves reading twice as much.
    const slopes = bf16 ? to.temp({ dtype: 'bf16', shape: [size, words] }) : logits
    const losses = to.temp({ dtype: 'f32', shape: [n] })
    for (let at = 0; at < n; at += size) {
      const end = Math.min(n, at + size)
      const part = end - at
      const x = rowsOf(hidden!, at, end)
      const y = view(logits, [part, words])
      const d = view(slopes, [part, words])
      matmulStep(to, x, weight!, y, { transposed: [false, true], size: [part, words, width], bf16 })
      const factor = each ? rowsOf(flat(scale!), at, end) : flat(scale!)
      to.step('cross_entropy_grad', [y, rowsOf(flat(targets!), at, end), factor, rowsOf(losses, at, end), d], {
        writes: [3, 4],
        scratch: bf16 ? Math.ceil(words / 16) * 64 : 0,
        cost: part * words * 1.5,
      })
      matmulStep(to, d, weight!, rowsOf(dHidden!, at, end), {
        transposed: [false, false],
        size: [part, width, words],
        bf16,
      })
      matmulStep(to, d, x, dWeight!, {
        transposed: [true, false],
        size: [words, width, part],
        bf16,
        accumulate: at > 0,
      })
    }
    const times = (x: Place, shape: readonly number[], y: Place): void =>
      to.step('binary', [x, flat(scale!), y], {
        attrs: [binaries.indexOf('mul'), ...broadcastAttrs(shape, [shape, shape])],
      })
    const total = each ? flat(loss!) : to.temp({ dtype: 'f32', shape: [1] })
    if (each) times(losses, [n], losses)
    sumRows(to, view(losses, [n, 1]), total)
    if (!each) times(total, [1], flat(loss!))
  }
}

/** Sums down the rows of a matrix. */
function sumRows(to: Lowering, x: Place, y: Place): void {
  const [n, width] = x.spec.shape as [number, number]
  to.step('reduce', [view(x, [1, n, width]), y], { attrs: [reductions.indexOf('sum'), 1], cost: sizeOf(x) * 0.2 })
}

/** Rows whose parts of a norm's gradient are added together first: the same for any number of threads. */
const normBlock = 32

const rmsNormGrad: KernelMaker = ({ inputs: [x], attrs: { eps } }) => {
  if (!f32s(x)) return undefined
  const width = x!.shape.at(-1)!
  const n = product(x!.shape.slice(0, -1))
  return (to, [a, w, g], [dx, dw]) => {
    const parts = to.temp({ dtype: 'f32', shape: [Math.ceil(n / normBlock), width] })
    to.step('rms_norm_grad', [rows(a!), w!, rows(g!), rows(dx!), parts], {
      attrs: [f32Bits(eps as number), normBlock],
      writes: [3, 4],
      cost: n * width * 0.4,
    })
    sumRows(to, parts, dw!)
  }
}

const swigluGrad: KernelMaker = ({ inputs: [gate] }) =>
  f32s(gate)
    ? (to, given, made) =>
        to.step('swiglu_grad', [...given, ...made].map(flat), { writes: [3, 4], cost: product(gate!.shape) * 0.6 })
    : undefined

const adamw: KernelMaker = ({ inputs, attrs: { beta1, beta2, eps, weightDecay } }) => {
  if (!f32s(...inputs.slice(0, 4))) return undefined
  const attrs = [beta1, beta2, eps, weightDecay].flatMap(x => f64Bits(x as number))
  const cost = product(inputs[0]!.shape)
  return (to, all) => to.step('adamw', all.map(flat), { attrs, writes: [0, 2, 3], cost })
}

export const training: Readonly<Record<string, KernelMaker>> = {
  cross_entropy: crossEntropy,
  cross_entropy_grad: crossEntropyGrad,
  linear_cross_entropy: linearCrossEntropy,
  rms_norm_grad: rmsNormGrad,
  swiglu_grad: swigluGrad,
  adamw,
}
