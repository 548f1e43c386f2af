/** Attention: tiles of queries for prompts, parts of the keys for decoding; and the way back. */
import type { Spec } from '@cria/tensor'
import { flat, type KernelMaker, view } from '../lowering.js'
import { f32Bits } from '../opcodes.js'

const product = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1)

/** Keys of a block and of a part, as in native/ops/attention-blocks.h. */
const keysOfBlock = 64
const keysOfPart = 256
/** Rows of a tile: queries of one key head. */
const tileRows = 128
/** Lanes of the widest vector: memory is sized for it whatever the instruction set. */
const widest = 16
const padded = (n: number): number => Math.ceil(n / widest) * widest

export const attention: KernelMaker = ({ inputs, attrs }) => {
  const [q, k] = inputs as [Spec, Spec]
  if (!['f32', 'f16', 'bf16', 'q8_0'].includes(k.dtype)) return undefined
  const [tokens, heads, width] = q.shape.slice(-3) as [number, number, number]
  const [keys, kvHeads] = k.shape.slice(-3) as [number, number]
  if (k.dtype === 'q8_0' && width % 32 !== 0) return undefined
  const batch = product(q.shape.slice(0, -3))
  const group = heads / kvHeads
  const options = [f32Bits(attrs.scale as number), attrs.window as number, attrs.start === true ? 1 : 0]
  const cost = batch * tokens * heads * keys * width * 0.005
  const shapes = [
    [batch, tokens, heads, width],
    [batch, keys, kvHeads, width],
    [batch, keys, kvHeads, width],
  ]
  const dp = padded(width)
  // Weights that are rounded have to be normalised first, which only tiles do.
  const halves = attrs.halves === true
  if (tokens >= 8 || halves) {
    const size = Math.min(tokens, Math.max(1, Math.floor(tileRows / group)))
    const m = padded(size * group)
    const floats = width * m + keysOfBlock * m + m * dp + keysOfBlock * dp + 5 * m
    return (to, given, [y]) =>
      to.step('attention_tiles', [...given.map((p, i) => (i < 3 ? view(p, shapes[i]!) : flat(p))), flat(y!)], {
        attrs: [...options, size, halves ? 1 : 0],
        scratch: Math.ceil(floats / 16) * 64,
        cost,
      })
  }
  const parts = Math.ceil(keys / keysOfPart)
  const floats = keysOfBlock * dp + group * (2 * dp + keysOfPart)
  return (to, given, [y]) => {
    const partial = to.temp({ dtype: 'f32', shape: [batch * tokens, heads, parts, width + 2] })
    to.step('attention_parts', [...given.map((p, i) => (i < 3 ? view(p, shapes[i]!) : flat(p))), partial], {
      attrs: options,
      scratch: Math.ceil(floats / 16) * 64,
      cost,
    })
    to.step('attention_join', [partial, flat(y!)], { cost: batch * tokens * heads * (parts * 4 + width * 0.3) })
  }
}

/** Rows of a tile of queries on the way back. */
const gradRows = 64

export const attentionGrad: KernelMaker = ({ inputs, attrs }) => {
  const [, q, k] = inputs as [Spec, Spec, Spec]
  if (k.dtype !== 'f32' || attrs.halves === true) return undefined
  const [tokens, heads, width] = q.shape.slice(-3) as [number, number, number]
  const [keys, kvHeads] = k.shape.slice(-3) as [number, number]
  const batch = product(q.shape.slice(0, -3))
  const group = heads / kvHeads
  const size = Math.min(tokens, Math.max(1, Math.floor(gradRows / group)))
  const m = padded(size * group)
  const dp = padded(width)
  const floats = 4 * keys * dp + 2 * keys * m + 3 * m * dp + 2 * width * m + 2 * m
  const queries = [batch, tokens, heads, width]
  const shapes = [queries, queries, [batch, keys, kvHeads, width], [batch, keys, kvHeads, width]]
  return (to, given, made) =>
    to.step('attention_grad', [...given.map((p, i) => (i < 4 ? view(p, shapes[i]!) : flat(p))), ...made.map(flat)], {
      attrs: [f32Bits(attrs.scale as number), attrs.window as number, attrs.start === true ? 1 : 0, size],
      writes: [0, 1, 2].map(i => given.length + i),
      scratch: Math.ceil(floats / 16) * 64,
      cost: batch * tokens * heads * keys * width * 0.02,
    })
}
