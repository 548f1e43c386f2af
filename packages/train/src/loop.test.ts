/** The loop of the README on a real architecture: the loss falls, and a run that was resumed equals one that was not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu } from '@cria/kernels-cpu'
import { Llama, llamaConfig } from '@cria/llama'
import { assign, cast, type Device, linearCrossEntropy, mul, type ParameterSource, type Tensor } from '@cria/tensor'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TokenBatchSpecs } from './data/batches.js'
import { batches, cosine, evaluator, initialise, trainStep, windows } from './index.js'
import { checkpoints, tokenFile } from './node.js'
import type { TrainStepOptions } from './step.js'

let folder: string
let device: Device
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cria-train-'))
  device = await cpu({ threads: 2 })
  // A language with a rule: each token is the one before it plus 3, now and then plus 5.
  const ids = new Uint16Array(6000)
  for (let i = 1; i < ids.length; i++) ids[i] = (ids[i - 1]! + (i % 7 === 0 ? 5 : 3)) % 61
  await writeFile(join(folder, 'train.bin'), ids)
})
afterAll(async () => {
  device.dispose()
  await rm(folder, { recursive: true, force: true })
})

const config = llamaConfig({
  vocabSize: 64,
  hiddenSize: 32,
  intermediateSize: 64,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
})

async function run(to: number, name: string): Promise<{ losses: number[]; weights: Uint8Array[] }> {
  const model = new Llama(config, initialise(device, 'llama2.c', { layers: 2, seed: 1 }))
  const data = batches(windows(await tokenFile(join(folder, 'train.bin')), { length: 32, seed: 1 }), { size: 4 })
  const step = trainStep(model, {
    batch: data.specs,
    loss: ({ tokens, targets, ...where }) =>
      linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, { reduction: 'sum' }),
  })
  const lr = cosine({ peak: 1e-2, warmup: 5, steps: 40 })
  const saves = await checkpoints(join(folder, name), { keep: 2 })
  await saves.resume({ step, data })
  const losses: number[] = []
  while (step.step < to) {
    const { loss } = await step.run(await data.next(), { lr: lr(step.step + 1) })
    losses.push(loss)
    if (step.step % 10 === 0) await saves.save({ step, data }, { score: loss })
  }
  const weights = await Promise.all(
    [...Object.values(step.weights), ...Object.values(step.optimiserState)].map(t => t.bytes()),
  )
  await data.close()
  step.dispose()
  model.dispose()
  return { losses, weights: weights.map(w => w.slice()) }
}

test('the loss falls, and a resumed run equals the uninterrupted one bit for bit', async () => {
  const before = device.liveBytes
  const whole = await run(40, 'whole')
  expect(whole.losses.at(-1)).toBeLessThan(whole.losses[0]! * 0.6)
  await run(23, 'cut') // saved at 20: the three steps after it are lost
  const cut = await run(40, 'cut')
  expect(cut.losses).toEqual(whole.losses.slice(20))
  expect(cut.weights).toEqual(whole.weights)
  expect(device.liveBytes).toBe(before)
})

test('an evaluator gives the mean loss of the weights as they are, and changes nothing', async () => {
  const model = new Llama(config, initialise(device, 'torchtitan', { layers: 2 }))
  const data = batches(windows(await tokenFile(join(folder, 'train.bin')), { length: 32 }), { size: 4 })
  const loss: TrainStepOptions<TokenBatchSpecs>['loss'] = ({ tokens, targets, ...where }) =>
    linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, { reduction: 'sum' })
  const heldOut = evaluator(device, { batch: data.specs, loss })
  const step = trainStep(model, { batch: data.specs, loss })
  const list = await data.take(3)
  const first = await heldOut.run(list)
  expect(await heldOut.run(list)).toBe(first)
  const { loss: trained } = await step.run(list[0]!, { lr: 1e-2 })
  expect(Math.abs((await heldOut.run([list[0]!])) - trained)).toBeGreaterThan(1e-4)
  expect(await heldOut.run(list)).toBeLessThan(first)
  model.model.norm.weight.device.scope(() => assign(model.model.norm.weight, mul(model.model.norm.weight, Number.NaN)))
  await expect(heldOut.run(list)).rejects.toThrow(/^evaluator: got loss NaN in batch 1, expected a finite number/)
  await data.close()
  for (const call of [() => data.next(), () => data.take(2)])
    await expect(call()).rejects.toThrow(/^batches: got next\(\) after close\(\)/)
  for (const t of [heldOut, step, model]) t.dispose()
})

test('bf16 weights are trained through f32 masters', async () => {
  const fresh = initialise(device, 'llama2.c', { layers: 2, seed: 1 })
  const halved = (w: ParameterSource): ParameterSource => {
    const get = (name: string, shape: readonly number[]): Tensor =>
      device.scope(() => (shape.length === 2 ? cast(w.get(name, shape), 'bf16') : w.get(name, shape)))
    return { get, find: get, at: part => halved(w.at(part)) }
  }
  const model = new Llama(config, halved(fresh))
  const data = batches(windows(await tokenFile(join(folder, 'train.bin')), { length: 32, seed: 1 }), { size: 4 })
  const step = trainStep(model, {
    batch: data.specs,
    loss: ({ tokens, targets, ...where }) =>
      linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, { reduction: 'sum' }),
  })
  const losses: number[] = []
  for (let i = 0; i < 30; i++) losses.push((await step.run(await data.next(), { lr: 1e-2 })).loss)
  expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.6)
  const name = 'model.layers.0.mlp.up_proj.weight'
  expect(step.weights[name]!.dtype).toBe('bf16')
  const master = (await step.optimiserState[`${name}.master`]!.data()) as Float32Array
  const rounded = (await step.weights[name]!.data()) as Float32Array
  expect(master.some((x, i) => x !== rounded[i])).toBe(true)
  master.forEach((x, i) => expect(Math.abs(x - rounded[i]!)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -8))
  await data.close()
  for (const t of [step, model]) t.dispose()
})
