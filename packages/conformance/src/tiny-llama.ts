/** A LLaMA decode step of toy size, written from ops alone: what a backend must run without falling back. */
import {
  add,
  attention,
  byteLength,
  type Device,
  type DType,
  embedding,
  encode,
  isBlock,
  linear,
  reshape,
  rmsNorm,
  rope,
  type Shape,
  spec,
  swiglu,
  type Tensor,
  writeRows,
} from '@cria/tensor'
import { randomBlocks } from './blocks.js'
import { stream } from './random.js'

export interface TinyLlamaOptions {
  /** Of the matrices. Default f32. */
  readonly weights?: DType
  /** Of keys and values. Default f32. */
  readonly cache?: DType
}

export interface TinyLlama {
  readonly vocabulary: number
  /** Logits [T, vocabulary] of tokens at positions, i32 [T] both; writes the cache. */
  readonly step: (tokens: Tensor, positions: Tensor) => Tensor
  readonly dispose: () => void
}

const [width, heads, kvHeads, size, hidden, vocabulary, capacity, layerCount] = [64, 4, 2, 32, 96, 50, 16, 2]

/** Grouped-query attention, rotary embeddings, SwiGLU, pre-normalisation: two layers of it, seeded. */
export function tinyLlama(device: Device, { weights = 'f32', cache = 'f32' }: TinyLlamaOptions = {}): TinyLlama {
  const owned: Tensor[] = []
  const next = stream('tiny llama')
  const keep = (t: Tensor): Tensor => {
    owned.push(t)
    return t
  }
  const real = (shape: Shape, dtype: DType, centre = 0): Tensor => {
    const s = spec(dtype, shape)
    const n = shape.reduce((a, b) => a * b, 1)
    const values = Float32Array.from({ length: n }, () => centre + (next() - 0.5) * 0.4)
    return keep(device.upload(s, encode(s, values, 'tiny llama')))
  }
  const matrix = (shape: Shape): Tensor =>
    isBlock(weights)
      ? keep(device.upload(spec(weights, shape), randomBlocks(weights, shape, next)))
      : real(shape, weights)
  const state = (): Tensor => {
    const s = spec(cache, [capacity, kvHeads, size])
    return keep(device.upload(s, new Uint8Array(byteLength(s))))
  }
  const table = matrix([vocabulary, width])
  const frequencies = keep(device.tensor(Array.from({ length: size / 2 }, (_, i) => 10_000 ** (-i / (size / 2)))))
  const layers = Array.from({ length: layerCount }, () => ({
    before: real([width], 'f32', 1),
    q: matrix([heads * size, width]),
    k: matrix([kvHeads * size, width]),
    v: matrix([kvHeads * size, width]),
    o: matrix([width, heads * size]),
    after: real([width], 'f32', 1),
    gate: matrix([hidden, width]),
    up: matrix([hidden, width]),
    down: matrix([width, hidden]),
    keys: state(),
    values: state(),
  }))
  const last = real([width], 'f32', 1)

  const step = (tokens: Tensor, positions: Tensor): Tensor => {
    const t = tokens.shape[0]!
    const split = (x: Tensor, n: number): Tensor => reshape(x, [t, n, size])
    let x = embedding(tokens, table)
    for (const w of layers) {
      const h = rmsNorm(x, w.before)
      const q = rope(split(linear(h, w.q), heads), positions, frequencies)
      const k = rope(split(linear(h, w.k), kvHeads), positions, frequencies)
      writeRows(w.keys, k, positions)
      writeRows(w.values, split(linear(h, w.v), kvHeads), positions)
      const mixed = attention(q, w.keys, w.values, { positions })
      x = add(x, linear(reshape(mixed, [t, heads * size]), w.o))
      const g = rmsNorm(x, w.after)
      x = add(x, linear(swiglu(linear(g, w.gate), linear(g, w.up)), w.down))
    }
    return linear(rmsNorm(x, last), table)
  }
  return {
    vocabulary,
    step,
    dispose() {
      for (const t of owned) t.dispose()
    },
  }
}
