import { cpu } from '@cria/kernels-cpu'
import { webgpu } from '@cria/kernels-webgpu'
import { Llama, llamaConfig } from '@cria/llama'
import { cast, type Device, linearCrossEntropy, type ParameterSource, type Tensor, Unavailable } from '@cria/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectStepsAsPyTorch, goldenVariants } from '../test/as-pytorch.js'
import type { TokenBatchSpecs } from './data/batches.js'
import {
  batches,
  evaluator,
  examples,
  initialise,
  lion,
  muon,
  packed,
  recomputeBlocks,
  sgd,
  trainStep,
} from './index.js'
import type { StepResult, TrainStepOptions } from './step.js'

/** WebGPU on whatever adapter there is; undefined where there is none at all. */
async function open(): Promise<Device | undefined> {
  try {
    return await webgpu()
  } catch (error) {
    if (!(error instanceof Unavailable) || process.env.CI) throw error
    return undefined
  }
}
const gpu = await open()

const config = llamaConfig({
  vocabSize: 50,
  hiddenSize: 32,
  intermediateSize: 48,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
})
const texts = examples(
  Array.from({ length: 12 }, (_, d) => {
    const tokens = Array.from({ length: 3 + ((d * 7) % 13) }, (_, i) => (d * 11 + i * i * 3) % 50)
    return { tokens, counted: tokens.map((_, i) => (i + d) % 4 !== 0) }
  }),
)

interface Setting extends Partial<TrainStepOptions<TokenBatchSpecs>> {
  readonly bf16?: boolean
  readonly recomputed?: boolean
}

/** Matrices in bf16, norms as they are. */
const halved = (device: Device, w: ParameterSource): ParameterSource => {
  const get = (name: string, shape: readonly number[]): Tensor =>
    device.scope(() => (shape.length === 2 ? cast(w.get(name, shape), 'bf16') : w.get(name, shape)))
  return { get, find: get, at: part => halved(device, w.at(part)) }
}

/** Three steps, then the loss of the averaged or the last weights. */
async function train(
  device: Device,
  { bf16 = false, recomputed = false, ...options }: Setting,
): Promise<{ results: StepResult[]; held: number }> {
  const source = initialise(device, 'nanoGPT', { layers: 2, seed: 3 })
  const model = new Llama(config, bf16 ? halved(device, source) : source)
  const undo = recomputed ? recomputeBlocks(model.model.layers) : undefined
  const data = batches(packed(texts, { length: 16, seed: 2 }), { size: 2 })
  const loss: TrainStepOptions<TokenBatchSpecs>['loss'] = ({ tokens, targets, ...where }) =>
    linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, {
      reduction: 'sum',
      chunk: 16,
    })
  const step = trainStep(model, { batch: data.specs, loss, ...options })
  undo?.()
  const heldOut = evaluator(device, { batch: data.specs, loss })
  const results: StepResult[] = []
  for (let i = 0; i < 3; i++) results.push(await step.run(await data.take(options.accumulate ?? 1), { lr: 1e-2 }))
  const batch = await data.take(1)
  const held = options.ema === undefined ? await heldOut.run(batch) : await step.withAverages(() => heldOut.run(batch))
  await data.close()
  for (const t of [step, heldOut, model]) t.dispose()
  return { results, held }
}

describe.skipIf(gpu === undefined)(
  'on WebGPU (needs an adapter, which CI has: install chromium for SwiftShader)',
  () => {
    const device = gpu!
    let host: Device
    let before: number
    beforeAll(async () => {
      host = await cpu({ threads: 1 })
      before = device.liveBytes
    })
    afterAll(() => {
      expect(device.liveBytes).toBe(before)
      host.dispose()
      device.dispose()
    })

    test.each(goldenVariants)('ten steps of $name as in PyTorch', variant => expectStepsAsPyTorch(device, variant))

    test.each<[string, Setting, number?]>([
      ['SGD', { optimiser: sgd() }],
      ['Lion', { optimiser: lion() }],
      ['Muon', { optimiser: muon() }],
      ['micro-batches', { accumulate: 3 }],
      ['averages of the weights', { ema: 0.9 }],
      ['blocks that recompute', { recomputed: true }],
      ['bf16 weights with f32 masters', { bf16: true }, 2e-3],
      ['no clip', { clip: Number.POSITIVE_INFINITY }],
    ])('%s as on the CPU', async (_, setting, tolerance = 1e-4) => {
      const want = await train(host, setting)
      const got = await train(device, setting)
      want.results.forEach((r, i) => {
        expect(got.results[i]!.count).toBe(r.count)
        expect(Math.abs(got.results[i]!.loss - r.loss), `loss ${i}`).toBeLessThan(tolerance)
        expect(Math.abs(got.results[i]!.norm - r.norm), `norm ${i}`).toBeLessThan(tolerance * r.norm * 5)
      })
      expect(Math.abs(got.held - want.held)).toBeLessThan(tolerance)
      expect(want.results[2]!.loss).not.toBe(want.results[0]!.loss)
    })
  },
)
