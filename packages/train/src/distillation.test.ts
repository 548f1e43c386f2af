/** Distillation against its formula, finite differences and PyTorch (tools/golden/distillation_golden.py). */
import { readFileSync } from 'node:fs'
import { cpu } from '@cria/kernels-cpu'
import { Llama, llamaConfig } from '@cria/llama'
import {
  blockFormats,
  createDevice,
  type Device,
  f32,
  grad,
  i32,
  iota,
  linear,
  plan,
  record,
  spec,
  type Tensor,
  valueAndGrad,
} from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { encodeBlocks } from '@cria/weights'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goldenBatch, goldenModel, unit } from '../test/golden.js'
import { distillation, initialise, type Predictions, trainStep } from './index.js'

interface Golden {
  readonly shape: Readonly<Record<'rows' | 'words' | 'width' | 'teacherWidth', number>>
  readonly scale: number
  readonly streams: Readonly<Record<'hidden' | 'weight' | 'teacherHidden' | 'teacherWeight', number>>
  readonly targets: number[]
  readonly cases: readonly { temperature: number; hard: number; loss: number; hidden: number[]; weight: number[] }[]
}
const path = new URL('../../../tools/golden/distillation.json', import.meta.url)
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden
const { rows, words, width, teacherWidth } = golden.shape

const softmax = (row: readonly number[]): number[] => {
  const e = row.map(x => Math.exp(x - Math.max(...row)))
  return e.map(x => x / e.reduce((a, b) => a + b, 0))
}
/** The formula, in f64. */
const formula = (student: readonly number[], teacher: readonly number[], temperature: number): number => {
  const [q, p] = [student, teacher].map(row => softmax(row.map(x => x / temperature))) as [number[], number[]]
  return temperature ** 2 * p.reduce((a, x, i) => a + (x === 0 ? 0 : x * Math.log(x / q[i]!)), 0)
}

describe.each([
  ['reference', async () => reference()],
  ['cpu', () => cpu({ threads: 1 })],
] as const)('on %s', (_, open) => {
  let device: Device
  let before: number
  beforeAll(async () => {
    device = await open()
    before = device.liveBytes
  })
  afterAll(() => {
    expect(device.liveBytes).toBe(before)
    device.dispose()
  })
  const hashed = (stream: number, shape: [number, number]): Tensor =>
    device.tensor(
      Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => golden.scale * unit(stream, i)),
      shape,
    )

  test.each(golden.cases)('T = $temperature, hard = $hard as in PyTorch', async ({ temperature, hard, ...want }) => {
    const { streams } = golden
    const weight = hashed(streams.weight, [words, width])
    const hidden = hashed(streams.hidden, [rows, width])
    const teacher = {
      hidden: hashed(streams.teacherHidden, [rows, teacherWidth]),
      weight: hashed(streams.teacherWeight, [words, teacherWidth]),
    }
    const targets = device.tensor(golden.targets, [rows], 'i32')
    const given: (() => [Predictions, Predictions])[] = [
      () => [{ hidden, weight }, teacher],
      () => [linear(hidden, weight), linear(teacher.hidden, teacher.weight)],
      () => [{ hidden, weight }, linear(teacher.hidden, teacher.weight)],
    ]
    for (const make of given) {
      const loss = (): Tensor => distillation(...make(), { targets, temperature, hard, chunk: 3 })
      const { value, grads } = device.scope(() => valueAndGrad(loss, { hidden, weight }))
      expect(Math.abs((await value.item()) - want.loss)).toBeLessThan(1e-5 * want.loss)
      for (const [name, g] of Object.entries(grads)) {
        const got = await g.data()
        want[name as 'hidden'].forEach((x, i) => expect(got[i], `${name}[${i}]`).toBeCloseTo(x, 4))
        g.dispose()
      }
      const plain = device.scope(loss)
      expect(await plain.item()).toBeCloseTo(await value.item(), 4)
      for (const t of [value, plain]) t.dispose()
    }
    for (const t of [weight, hidden, teacher.hidden, teacher.weight, targets]) t.dispose()
  })

  test('is its formula, with finite differences, also where the teacher rules tokens out', async () => {
    const student = [0.5, -1, 2, 0.25, 1, 3, -2, 0]
    const teacher = [1, Number.NEGATIVE_INFINITY, 0.5, -0.5, 2, -1, 0, Number.NEGATIVE_INFINITY]
    const row = (of: readonly number[], i: number): number[] => of.slice(4 * i, 4 * i + 4)
    const want = (s: readonly number[]): number =>
      formula(row(s, 0), row(teacher, 0), 2) + formula(row(s, 1), row(teacher, 1), 2)
    const [s, t] = [student, teacher].map(of => device.tensor(of, [2, 4])) as [Tensor, Tensor]
    const { value, grads } = device.scope(() => valueAndGrad(() => distillation(s, t, { temperature: 2 }), { s }))
    expect(await value.item()).toBeCloseTo(want(student), 5)
    const got = await grads.s.data()
    student.forEach((_, i) => {
      const moved = (by: number): number[] => student.map((x, j) => (i === j ? x + by : x))
      expect(got[i], `logit ${i}`).toBeCloseTo((want(moved(1e-4)) - want(moved(-1e-4))) / 2e-4, 5)
    })
    for (const x of [s, t, value, grads.s]) x.dispose()
  })

  test('the teacher gets no gradient, be it the student itself', async () => {
    const x = device.tensor([1, 2, 3, 0, 1, -1], [2, 3])
    const w = device.tensor([1, 0, 2, 1, 1, 0, -1, 2, 1], [3, 3])
    const grads = device.scope(() =>
      grad(() => distillation({ hidden: x, weight: w }, { hidden: x, weight: w }, { temperature: 3 }), { x, w }),
    )
    for (const g of Object.values(grads)) {
      for (const value of await g.data()) expect(Math.abs(value)).toBeLessThan(1e-6)
      g.dispose()
    }
    for (const t of [x, w]) t.dispose()
  })
})

test('logits of more than a chunk never exist, forward or backward', () => {
  const device = createDevice(record())
  const weight = device.empty(f32([50, 8]))
  const teacher = device.empty(f32([50, 16]))
  const step = plan(device, { hidden: f32([2, 32, 8]), knows: f32([2, 32, 16]), targets: i32([2, 32]) }, inputs => {
    const { hidden, knows, targets } = inputs
    const heads = [
      { hidden, weight },
      { hidden: knows, weight: teacher },
    ] as const
    return grad(() => distillation(...heads, { targets, temperature: 2, hard: 0.5, chunk: 16 }), { hidden, weight })
  })
  const wide = step.program.slots.filter(({ spec: { shape } }) => shape.at(-1) === 50).map(s => s.spec.shape[0])
  expect(Math.max(...wide.map(Number))).toBe(16)
  step.dispose()
})

test('a student of another size learns from a quantised teacher', async () => {
  const device = await cpu({ threads: 1 })
  using teacher = goldenModel(device, {
    make(values, shape, name) {
      if (!name.includes('down_proj')) return device.tensor(values, shape)
      const { block, bytes: each } = blockFormats.q8_0
      const bytes = new Uint8Array((values.length / block) * each)
      encodeBlocks('q8_0', values, bytes)
      return device.upload(spec('q8_0', shape), bytes)
    },
  })
  const config = llamaConfig({
    vocabSize: teacher.config.vocabSize,
    hiddenSize: 32,
    intermediateSize: 48,
    numHiddenLayers: 1,
    numAttentionHeads: 4,
  })
  using student = new Llama(config, initialise(device, 'nanoGPT', { layers: 1, seed: 1 }))
  using step = trainStep(student, {
    batch: { tokens: i32([2, 16]), targets: i32([2, 16]) },
    loss({ tokens, targets }) {
      const [learns, knows] = [student, teacher].map(({ model, lmHead }) => ({
        hidden: model.forward(tokens, { positions: iota(device, 16) }),
        weight: lmHead.weight,
      })) as [Predictions, Predictions]
      return distillation(learns, knows, { targets, temperature: 2, chunk: 10 })
    },
  })
  const losses: number[] = []
  for (let i = 0; i < 150; i++) losses.push((await step.run({ inputs: goldenBatch(), count: 32 }, { lr: 1e-2 })).loss)
  expect(losses.at(-1)).toBeLessThan(0.05 * losses[0]!)
})

test('what cannot be is named', () => {
  const device = reference()
  const [a, b] = [device.empty(f32([2, 5])), device.empty(f32([2, 6]))]
  const y = device.empty(i32([3]))
  expect(() => distillation(a, b)).toThrow(/2 rows over 5 tokens to learn from 2 rows over 6.*same tokenizer/)
  expect(() => distillation(a, a, { targets: y })).toThrow(/3 targets for 2 rows/)
  expect(() => distillation(a, a, { temperature: 0 })).toThrow(/temperature 0, expected a number above 0/)
  expect(() => distillation(a, a, { hard: 0.5 })).toThrow(/hard 0.5 without targets/)
  expect(() => distillation(a, a, { hard: 2 })).toThrow(/hard 2, expected a share/)
  expect(() => distillation(a, a, { chunk: 0 })).toThrow(/chunk 0/)
})
