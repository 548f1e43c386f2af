import { cpu } from '@cria/kernels-cpu'
import { wasm } from '@cria/kernels-cpu/wasm'
import { Llama, type LlamaConfig, llamaConfig } from '@cria/llama'
import { type Device, linearCrossEntropy } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectStepsAsPyTorch, goldenVariants } from '../test/as-pytorch.js'
import type { TokenBatchSpecs } from './data/batches.js'
import { batches, examples, initialise, lion, muon, packed, padded, recomputeBlocks, sgd, trainStep } from './index.js'
import type { Batch, StepResult, TrainStepOptions } from './step.js'

const shape = { vocabSize: 50, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 2, numAttentionHeads: 4 }
const configs: Record<string, LlamaConfig> = {
  'untied, grouped queries': llamaConfig({ ...shape, numKeyValueHeads: 2 }),
  'tied, one key for each query': llamaConfig({ ...shape, tieWordEmbeddings: true }),
}
/** Documents of uneven length, a quarter of their tokens no targets. */
const texts = examples(
  Array.from({ length: 24 }, (_, d) => {
    const tokens = Array.from({ length: 2 + ((d * 7) % 13) }, (_, i) => (d * 11 + i * i * 3) % 50)
    return { tokens, counted: tokens.map((_, i) => (i + d) % 4 !== 0) }
  }),
)

interface Outcome {
  readonly results: StepResult[]
  readonly weights: Float32Array[]
}

/** Trains two steps on whatever `steps` gives and returns what came of it. */
async function train(
  device: Device,
  config: LlamaConfig,
  specs: TokenBatchSpecs,
  steps: readonly Batch<TokenBatchSpecs>[][],
  { recomputed = false, ...options }: Partial<TrainStepOptions<TokenBatchSpecs>> & { recomputed?: boolean } = {},
): Promise<Outcome> {
  const model = new Llama(config, initialise(device, 'nanoGPT', { layers: 2, seed: 3 }))
  const undo = recomputed ? recomputeBlocks(model.model.layers) : undefined
  const step = trainStep(model, {
    batch: specs,
    accumulate: steps[0]!.length,
    loss: ({ tokens, targets, ...where }) =>
      linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, {
        reduction: 'sum',
        chunk: 16,
      }),
    ...options,
  })
  undo?.()
  const results: StepResult[] = []
  for (const list of steps) results.push(await step.run(list, { lr: 1e-2 }))
  const weights = await Promise.all(
    Object.values(step.weights).map(async t => (await t.data()).slice() as Float32Array),
  )
  step.dispose()
  model.dispose()
  return { results, weights }
}

/** Largest difference of the weights, relative to how far they are spread. */
function distance(a: Outcome, b: Outcome): number {
  let worst = 0
  a.weights.forEach((w, i) => {
    const scale = Math.sqrt(w.reduce((s, x) => s + x * x, 0) / w.length)
    w.forEach((x, j) => {
      worst = Math.max(worst, Math.abs(x - b.weights[i]![j]!) / scale)
    })
  })
  return worst
}

const close = (a: Outcome, b: Outcome, tolerance: number): void => {
  a.results.forEach((r, i) => {
    expect(b.results[i]!.count).toBe(r.count)
    expect(Math.abs(b.results[i]!.loss - r.loss)).toBeLessThan(tolerance)
    expect(Math.abs(b.results[i]!.norm - r.norm)).toBeLessThan(tolerance * r.norm)
  })
  expect(distance(a, b)).toBeLessThan(tolerance)
}

describe.each(Object.entries(configs))('%s', (_, config) => {
  let device: Device
  let before: number
  beforeAll(async () => {
    device = await cpu({ threads: 2 })
    before = device.liveBytes
  })
  afterAll(() => {
    expect(device.liveBytes).toBe(before)
    device.dispose()
  })
  // SGD, so that rounding is not blown up where AdamW divides a gradient near zero by itself.
  const optimiser = sgd()

  test('8 batches of 1 row are 1 batch of 8, with unequal numbers of tokens', async () => {
    const big = batches(padded(texts, { length: 12, seed: 1 }), { size: 8 })
    const small = batches(padded(texts, { length: 12, seed: 1 }), { size: 1 })
    const whole = await train(device, config, big.specs, [[await big.next()], [await big.next()]], { optimiser })
    const parts = [await small.take(8), await small.take(8)]
    expect(new Set(parts[0]!.map(b => b.count)).size).toBeGreaterThan(2)
    close(whole, await train(device, config, small.specs, parts, { optimiser }), 2e-5)
  })

  test('packed documents are padded ones', async () => {
    // A window of all documents, so that both take exactly these, whatever the order.
    const wide = batches(padded(texts, { length: 13, shuffle: false }), { size: 24 })
    const tight = packed(texts, { length: 26, window: 24, shuffle: false })
    const first = await wide.next()
    let rows = 0
    for (let seen = 0; seen < first.count; rows++) seen += (await tight.next()).count
    tight.seek({ chunk: 0, row: 0 })
    const packs = batches(tight, { size: rows })
    expect(rows).toBeLessThan(12)
    const a = await train(device, config, wide.specs, [[first]], { optimiser })
    close(a, await train(device, config, packs.specs, [[await packs.next()]], { optimiser }), 2e-5)
  })

  test('recomputed is not recomputed, bit for bit', async () => {
    const data = batches(packed(texts, { length: 16, seed: 2 }), { size: 4 })
    const steps = [[await data.next()], [await data.next()]]
    const a = await train(device, config, data.specs, steps)
    const b = await train(device, config, data.specs, steps, { recomputed: true })
    expect(b.weights).toEqual(a.weights)
    expect(b.results.map(r => r.loss)).toEqual(a.results.map(r => r.loss))
  })

  test('1 thread is 2 threads, bit for bit', async () => {
    const data = batches(packed(texts, { length: 16, seed: 2 }), { size: 4 })
    const steps = [[await data.next()], [await data.next()]]
    const one = await cpu({ threads: 1 })
    const alone = await train(one, config, data.specs, steps)
    one.dispose()
    const both = await train(device, config, data.specs, steps)
    expect(both.weights).toEqual(alone.weights)
    expect(both.results.map(r => [r.loss, r.norm])).toEqual(alone.results.map(r => [r.loss, r.norm]))
  })

  test.each([lion(), muon()])('$name on the reference backend is $name on the CPU', async optimiser => {
    const data = batches(packed(texts, { length: 8, seed: 2 }), { size: 2 })
    const steps = [[await data.next()]]
    const slow = reference()
    const a = await train(slow, config, data.specs, steps, { optimiser })
    slow.dispose()
    const b = await train(device, config, data.specs, steps, { optimiser })
    expect(Math.abs(a.results[0]!.loss - b.results[0]!.loss)).toBeLessThan(1e-5)
    // Lion takes the sign of a gradient; where that is rounding noise, an element may differ by two steps.
    const differ = a.weights.flatMap((w, i) => [...w].filter((x, j) => Math.abs(x - b.weights[i]![j]!) > 1e-4)).length
    expect(differ / a.weights.reduce((s, w) => s + w.length, 0)).toBeLessThan(0.002)
  })
})

describe.each(goldenVariants)('ten steps of $name as in PyTorch', variant => {
  test.each([
    ['native', () => cpu({ threads: 2 })],
    ['wasm', () => wasm({ threads: 1 })],
  ] as const)('%s', async (_, open) => {
    const device = await open()
    await expectStepsAsPyTorch(device, variant)
    device.dispose()
  })
})
