/** What a decode step and a training step are made of, as listings that a person can read and a diff can show. */
import { Llama, llamaConfig, randomSource, Session } from '@cria/llama'
import {
  adamw,
  clipFactor,
  createDevice,
  type Device,
  globalNorm,
  i32,
  iota,
  linearCrossEntropy,
  listing,
  parameters,
  plan,
  record,
  scalar,
  valueAndGrad,
} from '@cria/tensor'
import { expect, test } from 'vitest'

const config = llamaConfig({
  vocabSize: 97,
  hiddenSize: 48,
  intermediateSize: 96,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  ropeInterleaved: true,
})
const device = (): Device => createDevice(record())

test('a decode step', async () => {
  const d = device()
  const session = new Session(new Llama(config, randomSource(d)), { capacity: 64 })
  await expect(`${listing(session.plan(1).program)}\n`).toMatchFileSnapshot('listings/decode-step.txt')
})

test('a training step: forward, backward, clip, AdamW', async () => {
  const d = device()
  const model = new Llama(config, randomSource(d))
  const weights = parameters(model)
  const moments = Object.fromEntries(
    Object.entries(weights).map(([name, w]) => [name, { m: d.empty(w), v: d.empty(w) }]),
  )
  const tokens = i32([2, 16])
  const step = plan(d, { x: tokens, y: tokens, lr: scalar('f32'), step: scalar('f32') }, inputs => {
    const { value, grads } = valueAndGrad(
      () =>
        linearCrossEntropy(model.model.forward(inputs.x, { positions: iota(d, 16) }), model.lmHead.weight, inputs.y),
      weights,
    )
    const norm = globalNorm(Object.values(grads))
    const scale = clipFactor(norm, 1)
    for (const [name, w] of Object.entries(weights))
      adamw(w, grads[name]!, moments[name]!.m, moments[name]!.v, {
        lr: inputs.lr,
        step: inputs.step,
        scale,
        weightDecay: w.rank === 2 ? 0.1 : 0,
      })
    return { loss: value, norm }
  })
  await expect(`${listing(step.program)}\n`).toMatchFileSnapshot('listings/training-step.txt')
})
