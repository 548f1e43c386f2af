/** Law 1 for training: losses, gradient norms and first gradients equal PyTorch's (tools/golden/train_golden.py). */
import { readFileSync } from 'node:fs'
import { Llama, llamaConfig } from '@cria/llama'
import {
  adamw,
  clipFactor,
  crossEntropy,
  type Device,
  globalNorm,
  i32,
  iota,
  type ParameterSource,
  parameters,
  plan,
  scalar,
  type Tensor,
  valueAndGrad,
} from '@cria/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exact, gpu, type Named } from './devices.js'

interface Gradient {
  readonly name: string
  readonly norm: number
  readonly dot: number
  readonly stride?: number
  readonly data?: string
}
interface Golden {
  readonly shape: {
    dim: number
    layers: number
    heads: number
    kv_heads: number
    ffn: number
    vocab: number
    batch: number
    seq: number
    norm_eps: number
    theta: number
  }
  readonly adamw: {
    lr: number
    beta1: number
    beta2: number
    eps: number
    weight_decay: number
    clip: number
    steps: number
  }
  readonly hash: { weightScale: number; normScale: number; tokenStream: number; probeStream: number; check: number[] }
  readonly variants: readonly {
    name: string
    tied: boolean
    rope: string
    kvHeads: number
    losses: number[]
    gradNorms: number[]
    gradients: Gradient[]
  }[]
}

const golden = JSON.parse(readFileSync(new URL('../golden/train.json', import.meta.url), 'utf8')) as Golden
const { shape: s, adamw: a, hash: h } = golden

/** The golden script's hash of (stream, i). */
function mix(stream: number, i: number): number {
  let x = (i + Math.imul(stream + 1, 0x9e3779b9)) >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0
  return (x ^ (x >>> 16)) >>> 0
}
const unit = (stream: number, i: number): number => (mix(stream, i) >>> 8) / 2 ** 23 - 1

/** Parameters in the order of their hash streams, under checkpoint names. */
function streams(tied: boolean): string[] {
  const block = [
    'input_layernorm',
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
    'post_attention_layernorm',
    'mlp.gate_proj',
    'mlp.up_proj',
    'mlp.down_proj',
  ]
  const layers = Array.from({ length: s.layers }, (_, i) =>
    block.map(part => `model.layers.${i}.${part}.weight`),
  ).flat()
  return ['model.embed_tokens.weight', ...layers, 'model.norm.weight', ...(tied ? [] : ['lm_head.weight'])]
}

function hashedSource(device: Device, tied: boolean, prefix = ''): ParameterSource {
  const get = (name: string, shape: readonly number[]): Tensor => {
    const stream = streams(tied).indexOf(prefix + name)
    const n = shape.reduce((x, y) => x * y, 1)
    return device.tensor(
      Float32Array.from({ length: n }, (_, i) =>
        shape.length === 2 ? h.weightScale * unit(stream, i) : 1 + h.normScale * unit(stream, i),
      ),
      shape,
    )
  }
  return { get, find: get, at: part => hashedSource(device, tied, `${prefix}${part}.`) }
}

const count = s.batch * (s.seq + 1)
const batch = (step: number): { x: Int32Array; y: Int32Array } => {
  const ids = Array.from({ length: count }, (_, i) => mix(h.tokenStream + (step % 2), i) % s.vocab)
  const rows = (shift: number): Int32Array =>
    Int32Array.from(
      { length: s.batch * s.seq },
      (_, i) => ids[Math.floor(i / s.seq) * (s.seq + 1) + (i % s.seq) + shift]!,
    )
  return { x: rows(0), y: rows(1) }
}

type Variant = Golden['variants'][number]

function setUp(device: Device, { tied, rope, kvHeads }: Variant) {
  const config = llamaConfig({
    vocabSize: s.vocab,
    hiddenSize: s.dim,
    intermediateSize: s.ffn,
    numHiddenLayers: s.layers,
    numAttentionHeads: s.heads,
    numKeyValueHeads: kvHeads,
    rmsNormEps: s.norm_eps,
    ropeTheta: s.theta,
    ropeInterleaved: rope === 'interleaved',
    tieWordEmbeddings: tied,
  })
  const model = new Llama(config, hashedSource(device, tied))
  const weights = parameters(model)
  const moments = Object.fromEntries(
    Object.entries(weights).map(([name, w]) => [name, { m: device.empty(w), v: device.empty(w) }]),
  )
  /** One training step on tensors: what the plan records and eager mode runs. */
  const step = (x: Tensor, y: Tensor, number: Tensor) => {
    const { value: loss, grads } = valueAndGrad(
      () => crossEntropy(model.forward(x, { positions: iota(device, s.seq) }), y),
      weights,
    )
    const norm = globalNorm(Object.values(grads))
    const scale = clipFactor(norm, a.clip)
    const lr = device.constant(a.lr, 'f32')
    for (const [name, w] of Object.entries(weights)) {
      const { m, v } = moments[name]!
      adamw(w, grads[name]!, m, v, {
        lr,
        step: number,
        scale,
        beta1: a.beta1,
        beta2: a.beta2,
        eps: a.eps,
        weightDecay: w.rank === 2 ? a.weight_decay : 0,
      })
    }
    return { loss, norm, grads }
  }
  const dispose = (): void => {
    model.dispose()
    for (const { m, v } of Object.values(moments)) {
      m.dispose()
      v.dispose()
    }
  }
  return { model, weights, step, dispose }
}

const tokens = i32([s.batch, s.seq])
const near = (got: number, want: number, relative: number): void =>
  expect(Math.abs(got - want) / Math.abs(want)).toBeLessThan(relative)

function agrees({ name, open }: Named, steps: number, tolerance: number): void {
  describe(`on ${name}`, () => {
    let device: Device
    beforeAll(async () => {
      device = await open()
    })
    afterAll(() => device?.dispose())

    test.each(golden.variants)(`${steps} AdamW steps as one plan: $name`, async variant => {
      const before = device.liveBytes
      const { step, dispose } = setUp(device, variant)
      const train = plan(device, { x: tokens, y: tokens, number: scalar('f32') }, ({ x, y, number }) =>
        step(x, y, number),
      )
      for (let i = 0; i < steps; i++) {
        const { loss, norm, grads } = await train.run({ ...batch(i), number: i + 1 })
        near(await loss.item(), variant.losses[i]!, tolerance)
        near(await norm.item(), variant.gradNorms[i]!, tolerance * 5)
        if (i === 0)
          for (const g of variant.gradients)
            await sameGradient(grads[g.name]!, g, streams(variant.tied).indexOf(g.name), tolerance)
      }
      train.dispose()
      dispose()
      expect(device.liveBytes).toBe(before)
    })

    test(`the same steps eagerly: ${golden.variants[0]!.name}`, async () => {
      const variant = golden.variants[0]!
      const { step, dispose } = setUp(device, variant)
      for (let i = 0; i < Math.min(steps, 3); i++) {
        const { x, y } = batch(i)
        const loss = device.scope(
          () =>
            step(device.tensor(x, tokens.shape, 'i32'), device.tensor(y, tokens.shape, 'i32'), device.tensor(i + 1))
              .loss,
        )
        near(await loss.item(), variant.losses[i]!, tolerance)
        loss.dispose()
      }
      dispose()
    })
  })
}

/** Norm, the dot product with a hash vector, and every stride-th element. */
async function sameGradient(tensor: Tensor, want: Gradient, stream: number, tolerance: number): Promise<void> {
  const g = (await tensor.data()) as Float32Array
  near(Math.sqrt(g.reduce((x, v) => x + v * v, 0)), want.norm, tolerance * 10)
  const dot = g.reduce((x, v, i) => x + v * unit(h.probeStream + stream, i), 0)
  expect(Math.abs(dot - want.dot), want.name).toBeLessThan(tolerance * 10 * want.norm)
  if (want.data === undefined) return
  const bytes = Buffer.from(want.data, 'base64')
  for (let i = 0; i * 4 < bytes.length; i++)
    expect(Math.abs(g[i * want.stride!]! - bytes.readFloatLE(i * 4)), `${want.name}[${i}]`).toBeLessThan(
      tolerance * want.norm,
    )
}

test('the hash is the golden script’s', () => {
  expect(h.check.length).toBe(8)
  expect(h.check.slice(0, 2)).toEqual([mix(0, 0), mix(0, 1)])
})

for (const device of exact) agrees(device, a.steps, 1e-4)
if (gpu) agrees(gpu, 3, 1e-3)
else test.skip('3 AdamW steps on webgpu (no adapter: install chromium for SwiftShader)', () => {})
