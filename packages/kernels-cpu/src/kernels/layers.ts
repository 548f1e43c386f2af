/** The layers of a transformer. */
import type { Spec } from '@cria/tensor'
import { flat, type KernelMaker, type Place, view } from '../lowering.js'
import { f32Bits } from '../opcodes.js'

const product = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1)
const f32s = (...specs: readonly (Spec | undefined)[]): boolean => specs.every(s => s?.dtype === 'f32')

/** A tensor as rows of its last axis. */
const rows = (p: Place): Place => view(p, [product(p.spec.shape.slice(0, -1)), p.spec.shape.at(-1) ?? 1])

const softmax =
  (log: boolean): KernelMaker =>
  ({ inputs: [x] }) =>
    f32s(x)
      ? (to, [a], [y]) => to.step('softmax', [rows(a!), rows(y!)], { attrs: [log ? 1 : 0], cost: product(x!.shape) })
      : undefined

const rmsNorm: KernelMaker = ({ inputs: [x], attrs: { eps } }) =>
  f32s(x)
    ? (to, [a, w], [y]) =>
        to.step('rms_norm', [rows(a!), w!, rows(y!)], {
          attrs: [f32Bits(eps as number)],
          cost: product(x!.shape) * 0.2,
        })
    : undefined

const layerNorm: KernelMaker = ({ inputs: [x], attrs: { eps } }) =>
  f32s(x)
    ? (to, [a, w, b], [y]) =>
        to.step('layer_norm', [rows(a!), w!, b!, rows(y!)], {
          attrs: [f32Bits(eps as number)],
          cost: product(x!.shape) * 0.3,
        })
    : undefined

const swiglu: KernelMaker = ({ inputs: [gate] }) =>
  f32s(gate)
    ? (to, [g, u], [y]) => to.step('swiglu', [flat(g!), flat(u!), flat(y!)], { cost: product(gate!.shape) * 0.4 })
    : undefined

const rope: KernelMaker = ({ inputs, attrs: { interleaved, inverse, scale } }) => {
  const [x, , frequencies] = inputs as [Spec, Spec, Spec]
  const [heads, width] = x.shape.slice(-2) as [number, number]
  const tokens = product(x.shape.slice(0, -2))
  const attrs = [interleaved ? 1 : 0, inverse ? 1 : 0, f32Bits(scale as number)]
  const half = frequencies.shape[0]!
  const shape = [tokens, heads, width]
  return (to, [a, positions, f], [y]) =>
    to.step('rope', [view(a!, shape), flat(positions!), f!, view(y!, shape)], {
      attrs,
      scratch: Math.ceil((half * 8 + width * 4) / 64) * 64,
      cost: tokens * (heads * width * 0.3 + half * 5),
    })
}

export const layers: Readonly<Record<string, KernelMaker>> = {
  softmax: softmax(false),
  log_softmax: softmax(true),
  rms_norm: rmsNorm,
  layer_norm: layerNorm,
  swiglu,
  rope,
}
