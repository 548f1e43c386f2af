/** Optimisers and schedules against PyTorch and transformers (tools/golden/optim_golden.py), and the policy for bad steps. */
import { readFileSync } from 'node:fs'
import { cpu } from '@cria/kernels-cpu'
import { add, type Device, f32, mul, sum, type Tensor } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unit } from '../../test/golden.js'
import { TrainError } from '../errors.js'
import { constant, cosine, linear, type Schedule, wsd } from '../schedules.js'
import { trainStep } from '../step.js'
import { adamW } from './adamw.js'
import { lion } from './lion.js'
import { muon } from './muon.js'
import type { Optimiser } from './optimiser.js'
import { sgd } from './sgd.js'

interface Golden {
  readonly shapes: Readonly<Record<string, number[]>>
  readonly steps: number
  readonly clip: number
  readonly ema: number
  readonly lr: number[]
  readonly parameterStream: number
  readonly gradientStream: number
  readonly optimisers: readonly {
    name: string
    norms: number[]
    parameters: Record<string, string>
    averages: Record<string, string>
  }[]
  readonly schedules: readonly { name: string; values: number[] }[]
}
const path = new URL('../../../../tools/golden/optim.json', import.meta.url)
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden

const values = (stream: number, shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, n) => a * n, 1) }, (_, i) => unit(stream, i))
const decoded = (text: string): Float32Array => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)

const ours: Record<string, Optimiser> = {
  adamw: adamW(),
  lion: lion(),
  sgd: sgd(),
  'sgd, nesterov and decay': sgd({ nesterov: true, weightDecay: 0.1 }),
  'sgd, plain': sgd({ momentum: 0 }),
  muon: muon(),
  'muon, shape': muon({ nesterov: false, weightDecay: 0, scaling: 'shape' }),
}
const shapes = Object.entries(golden.shapes)
const gradients = (step: number): Record<string, Float32Array> =>
  Object.fromEntries(shapes.map(([name, s], i) => [name, values(golden.gradientStream + 10 * step + i, s)]))
const moduleOn = (device: Device): Record<string, Tensor> =>
  Object.assign(
    new (class Parameters {})(),
    Object.fromEntries(shapes.map(([name, s], i) => [name, device.tensor(values(golden.parameterStream + i, s), s)])),
  )
/** A loss whose gradient by each parameter is the input of its name. */
const stepOf = (module: Record<string, Tensor>, optimiser: Optimiser, ema?: number) =>
  trainStep(module, {
    batch: Object.fromEntries(shapes.map(([name, s]) => [name, f32(s)])),
    loss: inputs => shapes.map(([name]) => sum(mul(module[name]!, inputs[name]!))).reduce(add),
    optimiser,
    clip: golden.clip,
    ...(ema !== undefined && { ema }),
  })

describe.each([
  ['reference', async () => reference()],
  ['cpu', () => cpu({ threads: 2 })],
] as const)('on %s', (_, open) => {
  let device: Device
  beforeAll(async () => {
    device = await open()
  })
  afterAll(() => device.dispose())

  test.each(golden.optimisers)('$name as in PyTorch', async ({ name, norms, parameters, averages }) => {
    const before = device.liveBytes
    const module = moduleOn(device)
    const step = stepOf(module, ours[name]!, golden.ema)
    for (let s = 0; s < golden.steps; s++) {
      const { norm } = await step.run({ inputs: gradients(s), count: 1 }, { lr: golden.lr[s]! })
      expect(Math.abs(norm - norms[s]!)).toBeLessThan(1e-5 * norms[s]!)
    }
    for (const [key, want] of Object.entries(parameters)) {
      const got = (await module[key]!.data()) as Float32Array
      decoded(want).forEach((x, i) => expect(Math.abs(got[i]! - x), `${key}[${i}]`).toBeLessThan(2e-5))
      const mean = await step.withAverages(async () => (await module[key]!.data()).slice() as Float32Array)
      expect(await module[key]!.data()).toEqual(got)
      decoded(averages[key]!).forEach((x, i) => expect(Math.abs(mean[i]! - x), `${key}[${i}]`).toBeLessThan(2e-5))
    }
    step.dispose()
    for (const t of Object.values(module)) t.dispose()
    expect(device.liveBytes).toBe(before)
  })

  test.each(Object.entries(ours))('%s skips a bad step without a trace', async (_, optimiser) => {
    const module = moduleOn(device)
    const step = stepOf(module, optimiser, 0.9)
    await step.run({ inputs: gradients(0), count: 1 }, { lr: 0.01 })
    const tensors = [...Object.values(module), ...Object.values(step.optimiserState), ...Object.values(step.averages)]
    const all = async (): Promise<Uint8Array[]> => Promise.all(tensors.map(async t => (await t.bytes()).slice()))
    const before = await all()
    const bad = gradients(1)
    bad.vector![3] = Number.NaN
    const result = await step.run({ inputs: bad, count: 1 }, { lr: 0.01 })
    expect(result.skipped).toMatch(/got loss NaN .*expected finite numbers/)
    expect(await all()).toEqual(before)
    expect((await step.run({ inputs: gradients(1), count: 1 }, { lr: 0.01 })).skipped).toBeUndefined()
    step.dispose()
    for (const t of Object.values(module)) t.dispose()
  })

  test.each(Object.entries(ours))('%s does not count a step that was skipped', async (_, optimiser) => {
    const run = async (skips: boolean): Promise<Float32Array[]> => {
      const module = moduleOn(device)
      const step = stepOf(module, optimiser)
      for (let s = 0; s < 3; s++) {
        const bad = { ...gradients(s), vector: gradients(s).vector!.fill(Number.NaN) }
        if (skips) expect((await step.run({ inputs: bad, count: 1 }, { lr: 0.01 })).skipped).toBeDefined()
        // As a checkpoint keeps it between two steps.
        step.restore(JSON.parse(JSON.stringify(step.state)))
        await step.run({ inputs: gradients(s), count: 1 }, { lr: 0.01 })
      }
      expect(step.state).toMatchObject({ step: skips ? 6 : 3, updates: 3 })
      const all = await Promise.all(Object.values(module).map(async t => (await t.data()).slice() as Float32Array))
      step.dispose()
      for (const t of Object.values(module)) t.dispose()
      return all
    }
    expect(await run(true)).toEqual(await run(false))
  })
})

describe('the guard', () => {
  const device = reference()
  afterAll(() => device.dispose())
  const make = (guard: object) => {
    const module = { w: device.tensor([1, 2]) }
    const step = trainStep(module, {
      batch: { g: f32([2]) },
      loss: ({ g }) => sum(mul(module.w, g!)),
      guard,
      optimiser: sgd({ momentum: 0 }),
    })
    return (g: number, count = 1) => step.run({ inputs: { g: [g, 0] }, count }, { lr: 0.1 })
  }

  test('calls a spike what is far above the running mean', async () => {
    const run = make({ spike: 4, window: 5 })
    for (let i = 0; i < 6; i++) expect((await run(1)).skipped).toBeUndefined()
    expect((await run(5)).skipped).toMatch(/gradient norm of 5\.000, expected at most 4\.000 \(4 × its running mean\)/)
    expect((await run(3)).skipped).toBeUndefined()
  })

  test('refuses options that cannot be', () => {
    for (const guard of [{ action: 'halt' }, { spike: 1 }, { window: 0 }, { window: Number.NaN }, { patience: 0 }])
      expect(() => make(guard)).toThrow(new RegExp(`got guard.${Object.keys(guard)[0]} `))
  })

  test('stops with a reason, at once or after too many', async () => {
    await expect(make({ action: 'stop' })(Number.POSITIVE_INFINITY)).rejects.toThrow(/step 1: .*Nothing was changed/)
    const run = make({ patience: 2 })
    await run(Number.NaN)
    await expect(run(Number.NaN)).rejects.toThrow(/That is 2 steps in a row\. Go back .* lower learning rate$/)
    // Nothing that counts is the data's fault.
    const empty = make({ patience: 2 })
    await empty(1, 0)
    await expect(empty(1, 0)).rejects.toThrow(/look at the masks of the data\. That is 2 steps in a row$/)
    await expect(make({ action: 'stop' })(1, 0)).rejects.toThrow(/masks of the data\. Nothing was changed: use guard/)
  })
})

test('a batch without a token that counts changes nothing, and neither does a learning rate that is none', async () => {
  const device = reference()
  const module = { w: device.tensor([1, 2]) }
  for (const accumulate of [1, 2]) {
    const step = trainStep(module, { batch: { g: f32([2]) }, loss: ({ g }) => sum(mul(module.w, g!)), accumulate })
    const run = (count: number, lr: number) =>
      step.run(
        Array.from({ length: accumulate }, () => ({ inputs: { g: [1, 1] }, count })),
        { lr },
      )
    await run(1, 0.1)
    const before = (await module.w.data()).slice()
    expect(await run(0, 0.1)).toMatchObject({
      step: 2,
      loss: Number.NaN,
      count: 0,
      skipped: expect.stringMatching(/masks/),
    })
    for (const lr of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e39, 3e38])
      await expect(run(1, lr)).rejects.toThrow(/got lr/)
    for (const count of [Number.NaN, -1]) await expect(run(count, 0.1)).rejects.toThrow(/got count/)
    expect(await module.w.data()).toEqual(before)
    expect((await run(1, 0.1)).step).toBe(3)
    step.dispose()
  }
  device.dispose()
})

test.each<[optimiser: string, make: () => Optimiser, message: string]>([
  ['adamw', () => adamW({ weightDecay: Number.NaN }), 'weightDecay NaN, expected a finite number ≥ 0'],
  ['adamw', () => adamW({ eps: Number.NaN }), 'eps NaN, expected a finite number above 0'],
  ['adamw', () => adamW({ eps: 1e-50 }), 'eps 1e-50'],
  ['adamw', () => adamW({ beta1: 1 }), 'beta1 1, expected a number from 0 to below 1'],
  ['adamw', () => adamW({ beta2: 1 - 1e-9 }), 'beta2 0.999999999'],
  ['adamw', () => adamW({ beta2: '0.9' as never }), 'beta2 0.9'],
  ['lion', () => lion({ weightDecay: Number.NaN }), 'weightDecay NaN'],
  ['lion', () => lion({ beta2: -0.1 }), 'beta2 -0.1'],
  ['muon', () => muon({ weightDecay: Number.NaN }), 'weightDecay NaN'],
  ['muon', () => muon({ momentum: 1 }), 'momentum 1'],
  ['muon', () => muon({ scaling: 'x' as never }), 'scaling x, expected rms or shape'],
  ['muon', () => muon({ iterations: 2.5 }), 'iterations 2.5, expected a whole number ≥ 1'],
  ['adamw', () => muon({ rest: { eps: 0 } }), 'eps 0'],
  ['sgd', () => sgd({ momentum: Number.NaN }), 'momentum NaN'],
  ['sgd', () => sgd({ weightDecay: -1 }), 'weightDecay -1'],
  ['sgd', () => sgd({ momentum: 0, nesterov: true }), 'nesterov with momentum 0'],
])('%s refuses settings that cannot be (%#)', (name, make, message) => {
  expect(make).toThrow(TrainError)
  expect(make).toThrow(`${name}: got ${message}`)
})

test('inputs named like the step’s own are refused, as its numbers would take their place', () => {
  const device = reference()
  const module = { w: device.tensor([1, 2]) }
  for (const name of ['lr', 'step', 'limit', 'share', 'first'])
    for (const accumulate of [1, 2]) {
      const make = () =>
        trainStep(module, { batch: { [name]: f32([2]) }, loss: b => sum(mul(module.w, b[name]!)), accumulate })
      expect(make).toThrow(new RegExp(`got a batch input called ${name}, expected another name`))
    }
  device.dispose()
})

const schedules: Record<string, Schedule> = {
  constant: constant({ peak: 1, warmup: 8 }),
  linear: linear({ peak: 1, warmup: 8, steps: 40 }),
  cosine: cosine({ peak: 1, warmup: 8, steps: 40 }),
  wsd: wsd({ peak: 1, warmup: 8, steps: 40, decay: 10 }),
  'wsd, cosine': wsd({ peak: 1, warmup: 8, steps: 40, decay: 10, shape: 'cosine' }),
  'wsd, sqrt': wsd({ peak: 1, warmup: 8, steps: 40, decay: 10, shape: 'sqrt' }),
}
test.each(golden.schedules)('the schedule $name as in transformers', ({ name, values }) => {
  values.forEach((want, i) => expect(schedules[name]!(i + 1), `step ${i + 1}`).toBeCloseTo(want, 9))
})

test('options that cannot be are named', () => {
  expect(() => cosine({ peak: 0, steps: 10 })).toThrow(/peak of 0/)
  expect(() => linear({ peak: 1, warmup: 11, steps: 10 })).toThrow(/warm-up of 11/)
  expect(() => wsd({ peak: 1, warmup: 6, decay: 6, steps: 10 })).toThrow(/decay of 6/)
  expect(() => wsd({ peak: 1, steps: 10, decay: Number.NaN })).toThrow(/decay of NaN/)
  for (const shape of ['exp', 'toString'])
    expect(() => wsd({ peak: 1, steps: 10, shape: shape as 'sqrt' })).toThrow(
      new RegExp(`got shape ${shape}, expected one of linear, cosine, sqrt`),
    )
  for (const make of [cosine, linear, wsd]) {
    for (const floor of [-1, 2, Number.NaN])
      expect(() => make({ peak: 1, steps: 10, floor })).toThrow(/got a floor of \S+, expected a share .* from 0 to 1/)
    expect(() => make({ peak: 1, steps: Number.NaN })).toThrow(/NaN/)
    expect(make({ peak: 1, steps: 10, floor: 1 })(10)).toBe(1)
  }
})
