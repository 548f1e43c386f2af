/** Adapters against PEFT (tools/golden/peft_golden.py): loading, forward, gradients, merging, files; and over quantised weights. */
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpu } from '@cria/kernels-cpu'
import type { Llama } from '@cria/llama'
import {
  assign,
  blockFormats,
  crossEntropy,
  type Device,
  decodeBlocks,
  f32,
  grad,
  i32,
  iota,
  mul,
  parameters,
  spec,
  type Tensor,
  valueAndGrad,
} from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { encodeBlocks, reorderRows } from '@cria/weights'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { goldenBatch, goldenModel, unit } from '../../test/golden.js'
import { loadAdapter, saveAdapter } from '../node.js'
import { trainStep } from '../step.js'
import { lora } from './adapter.js'
import { readPeft } from './peft.js'

interface Probe {
  readonly name: string
  readonly norm: number
  readonly dot: number
}
interface Golden {
  readonly plainLoss: number
  readonly variants: readonly { name: string; loss: number; logits: Probe; gradients: Probe[]; merged: Probe[] }[]
}
const at = (path: string): string => fileURLToPath(new URL(`../../../../tools/golden/${path}`, import.meta.url))
const golden = JSON.parse(readFileSync(at('peft.json'), 'utf8')) as Golden
const batch = goldenBatch()

let device: Device
let folder: string
let model: Llama
let before: number
beforeAll(async () => {
  device = await cpu({ threads: 2 })
  folder = await mkdtemp(join(tmpdir(), 'cria-lora-'))
})
afterAll(async () => {
  device.dispose()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  before = device.liveBytes
  model = goldenModel(device)
})
afterEach(() => {
  model.dispose()
  expect(device.liveBytes).toBe(before)
})

const forward = (m: Llama): Tensor =>
  m.forward(m.device.tensor(batch.tokens, [2, 16], 'i32'), { positions: iota(m.device, 16) })
const lossOf = (m: Llama): Tensor => crossEntropy(forward(m), m.device.tensor(batch.targets, [2, 16], 'i32'))
async function loss(m: Llama): Promise<number> {
  const t = m.device.scope(() => lossOf(m))
  const value = await t.item()
  t.dispose()
  return value
}
async function agrees(tensor: Tensor, want: Probe, stream: number): Promise<void> {
  const got = (await tensor.data()) as Float32Array
  const norm = Math.sqrt(got.reduce((a, x) => a + x * x, 0))
  const dot = got.reduce((a, x, i) => a + x * unit(2000 + stream, i), 0)
  expect(Math.abs(norm - want.norm) / want.norm, want.name).toBeLessThan(1e-4)
  expect(Math.abs(dot - want.dot) / want.norm, want.name).toBeLessThan(1e-3)
}
/** PEFT's name of one of our parameters. */
const peftName = (name: string): string =>
  `base_model.model.${name.replace(/lora_([ab])$/, (_, x: string) => `lora_${x.toUpperCase()}.weight`)}`

test('the model without an adapter is PEFT’s', async () => {
  expect(Math.abs((await loss(model)) - golden.plainLoss)).toBeLessThan(1e-5)
})

describe.each(golden.variants.map((v, i) => ({ ...v, i })))('$name from PEFT', ({ name, loss: want, ...variant }) => {
  test('loads, computes, differentiates, merges and is unmerged', async () => {
    const adapter = await loadAdapter(model, at(`fixtures/peft-${name}`))
    expect(Math.abs((await loss(model)) - want)).toBeLessThan(1e-5)
    const logits = device.scope(() => forward(model))
    await agrees(logits, { ...variant.logits, name: 'logits' }, 0)
    logits.dispose()
    const { value, grads } = device.scope(() => valueAndGrad(() => lossOf(model), parameters(adapter)))
    expect(Object.keys(grads).map(peftName).sort()).toEqual(variant.gradients.map(g => g.name).sort())
    for (const [key, g] of Object.entries(grads)) {
      const stream = variant.gradients.findIndex(p => p.name === peftName(key))
      await agrees(g, variant.gradients[stream]!, stream)
      g.dispose()
    }
    value.dispose()

    const weights = parameters(model)
    const plain = await weights[variant.merged[0]!.name]!.bytes()
    const kept = plain.slice()
    adapter.merge()
    expect(adapter.attached).toBe(false)
    expect(Math.abs((await loss(model)) - want)).toBeLessThan(2e-5)
    for (const [i, probe] of variant.merged.entries()) await agrees(weights[probe.name]!, probe, i)
    adapter.unmerge()
    expect((await weights[variant.merged[0]!.name]!.bytes()).slice()).toEqual(kept)
    expect(Math.abs((await loss(model)) - want)).toBeLessThan(1e-5)
    adapter.detach()
    expect(Math.abs((await loss(model)) - golden.plainLoss)).toBeLessThan(1e-5)
    adapter.dispose()
  })

  test('is saved byte for byte as PEFT saves it', async () => {
    const adapter = await loadAdapter(model, at(`fixtures/peft-${name}`))
    await saveAdapter(adapter, join(folder, name))
    const file = 'adapter_model.safetensors'
    expect(await readFile(join(folder, name, file))).toEqual(await readFile(at(`fixtures/peft-${name}/${file}`)))
    const ours = JSON.parse(await readFile(join(folder, name, 'adapter_config.json'), 'utf8'))
    const theirs = JSON.parse(await readFile(at(`fixtures/peft-${name}/adapter_config.json`), 'utf8'))
    // A set in Python: its order is any.
    theirs.target_modules.sort()
    expect(theirs).toMatchObject(ours)
    adapter.dispose()
  })
})

test.each(golden.variants)(
  'over interleaved rotary rows, as in a GGUF, $name gives the same loss and file',
  async ({ name, loss: want }) => {
    const interleaved = goldenModel(device, {
      ropeInterleaved: true,
      make(values, shape, of) {
        const bytes = new Uint8Array(values.buffer)
        const rotated = /[qk]_proj/.test(of)
        return device.upload(f32(shape), rotated ? reorderRows(bytes, shape[0]!, 12, 'half', 'interleaved') : bytes)
      },
    })
    expect(Math.abs((await loss(interleaved)) - golden.plainLoss)).toBeLessThan(1e-5)
    const adapter = await loadAdapter(interleaved, at(`fixtures/peft-${name}`))
    expect(Math.abs((await loss(interleaved)) - want)).toBeLessThan(1e-5)
    await saveAdapter(adapter, join(folder, `interleaved-${name}`))
    const file = 'adapter_model.safetensors'
    expect(await readFile(join(folder, `interleaved-${name}`, file))).toEqual(
      await readFile(at(`fixtures/peft-${name}/${file}`)),
    )
    adapter.dispose()
    interleaved.dispose()
  },
)

test('a fresh adapter changes nothing, learns, and leaves the model as it was', async () => {
  const plain = await loss(model)
  const weights = await Promise.all(Object.values(parameters(model)).map(async t => (await t.bytes()).slice()))
  for (const dora of [false, true]) {
    const adapter = lora(model, { rank: 4, alpha: 8, targets: 'all-linear', dora, seed: 1 })
    expect(adapter.layers.size).toBe(14)
    expect(Math.abs((await loss(model)) - plain)).toBeLessThan(dora ? 1e-5 : 1e-12)
    const step = trainStep(adapter, {
      batch: { tokens: i32([2, 16]), targets: i32([2, 16]) },
      loss: ({ tokens, targets }) =>
        crossEntropy(model.forward(tokens, { positions: iota(device, 16) }), targets, { reduction: 'sum' }),
    })
    let last = 0
    for (let i = 0; i < 20; i++) last = (await step.run({ inputs: batch, count: 32 }, { lr: 1e-2 })).loss
    expect(last).toBeLessThan(plain * 0.8)
    step.dispose()
    adapter.dispose()
    expect(await loss(model)).toBe(plain)
  }
  expect(await Promise.all(Object.values(parameters(model)).map(async t => (await t.bytes()).slice()))).toEqual(weights)
})

test('adapters are stacked and swapped', async () => {
  const plain = await loss(model)
  const first = await loadAdapter(model, at('fixtures/peft-lora'))
  const alone = await loss(model)
  const second = lora(model, { targets: ['q_proj'] })
  expect(await loss(model)).toBe(alone)
  expect(() => first.detach()).toThrow(/later adapter/)
  second.detach()
  first.detach()
  expect(await loss(model)).toBe(plain)
  second.attach()
  first.attach()
  expect(await loss(model)).toBe(alone)
  first.dispose()
  second.dispose()
})

test('what was merged last is unmerged first, and then the weights are the plain ones', async () => {
  const m = goldenModel(device)
  const bytes = () => Promise.all(Object.values(parameters(m)).map(async t => (await t.bytes()).slice()))
  const plain = await bytes()
  const [first, second] = [
    await loadAdapter(m, at('fixtures/peft-lora')),
    await loadAdapter(m, at('fixtures/peft-lora')),
  ]
  second.detach()
  first.merge()
  second.merge()
  const both = await bytes()
  expect(() => first.unmerge()).toThrow(/unmerge\(\) under a later adapter on .*Unmerge that one first/)
  expect(await bytes()).toEqual(both)
  second.unmerge().detach()
  first.unmerge().detach()
  expect(await bytes()).toEqual(plain)
  first.merge()
  second.merge({ keep: false }).dispose()
  expect(() => first.unmerge()).toThrow(/merged for good/)
  for (const t of [first, m]) t.dispose()
})

test('an adapter that cannot be saved leaves the one that was there', async () => {
  const path = join(folder, 'kept')
  const m = goldenModel(device)
  const adapter = lora(m, { rank: 4 })
  await saveAdapter(adapter, path)
  const files = async () =>
    Object.fromEntries(
      await Promise.all(
        (await readdir(path)).map(async name => [name, (await readFile(join(path, name))).toString('hex')]),
      ),
    )
  const before = await files()
  expect(Object.keys(before).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors'])
  const other = lora(m, { rank: 2, alpha: 3 })
  // In the way of the second file.
  await mkdir(join(path, 'adapter_config.json.partial'))
  await expect(saveAdapter(other, path)).rejects.toThrow(/kept: cannot be written \(EISDIR/)
  await rmdir(join(path, 'adapter_config.json.partial'))
  expect(await files()).toEqual(before)
  await saveAdapter(other, path)
  expect(await files()).not.toEqual(before)
  expect(Object.keys(await files()).sort()).toEqual(Object.keys(before).sort())
  await writeFile(join(folder, 'in-the-way'), '')
  await expect(saveAdapter(other, join(folder, 'in-the-way'))).rejects.toThrow(/cannot be written \(EEXIST/)
  for (const t of [other, adapter, m]) t.dispose()
})

test('merging twice, or attaching what is merged for good, applies an adapter once', async () => {
  for (const keep of [true, false]) {
    const m = goldenModel(device)
    const adapter = await loadAdapter(m, at('fixtures/peft-dora'))
    adapter.merge({ keep })
    const merged = await loss(m)
    adapter.merge({ keep }).attach()
    expect(adapter.attached).toBe(false)
    expect(await loss(m)).toBe(merged)
    if (!keep) expect(() => adapter.unmerge()).toThrow(/without kept weights/)
    adapter.dispose()
    m.dispose()
  }
})

test('over quantised weights the gradients are those over their values, and training lowers the loss', async () => {
  const size = blockFormats.q8_0
  const quantised =
    (dense: boolean) =>
    (on: Device): Llama =>
      goldenModel(on, {
        make(values, shape, name) {
          if (!name.includes('down_proj')) return on.tensor(values, shape)
          const bytes = new Uint8Array((values.length / size.block) * size.bytes)
          encodeBlocks('q8_0', values, bytes)
          if (!dense) return on.upload(spec('q8_0', shape), bytes)
          decodeBlocks('q8_0', bytes, values)
          return on.tensor(values, shape)
        },
      })
  const slow = reference()
  const gradients: Float32Array[][] = []
  for (const dense of [false, true]) {
    const m = quantised(dense)(slow)
    const adapter = lora(m, { targets: ['down_proj'], dora: true, seed: 2 })
    const grads = slow.scope(() => grad(() => lossOf(m), parameters(adapter)))
    gradients.push(await Promise.all(Object.values(grads).map(async g => (await g.data()) as Float32Array)))
    if (!dense) expect(() => adapter.merge()).toThrow(/down_proj of q8_0, expected dense weights/)
    adapter.dispose()
    m.dispose()
  }
  gradients[0]!.forEach((g, i) => g.forEach((x, j) => expect(Math.abs(x - gradients[1]![i]![j]!)).toBeLessThan(1e-6)))
  slow.dispose()

  const m = quantised(false)(device)
  const first = await loss(m)
  const adapter = lora(m, { targets: ['down_proj'], rank: 16 })
  const step = trainStep(adapter, {
    batch: { tokens: i32([2, 16]), targets: i32([2, 16]) },
    loss: ({ tokens, targets }) =>
      crossEntropy(m.forward(tokens, { positions: iota(device, 16) }), targets, { reduction: 'sum' }),
  })
  for (let i = 0; i < 20; i++) await step.run({ inputs: batch, count: 32 }, { lr: 1e-2 })
  expect(await loss(m)).toBeLessThan(first * 0.9)
  for (const t of [step, adapter, m]) t.dispose()
})

test('a step of an adapter that is not in its model is refused: it would train nothing', () => {
  const adapter = lora(model)
  const make = () => trainStep(adapter, { batch: { tokens: i32([2, 16]) }, loss: () => lossOf(model) })
  const wrong = /^train_step: got an adapter that is not attached to its model/
  adapter.detach()
  expect(make).toThrow(wrong)
  adapter.attach().merge()
  expect(make).toThrow(wrong)
  adapter.dispose()
})

test('DoRA leaves a row of zeros one: it has no direction', async () => {
  const layer = model.model.layers[0]!.selfAttn.qProj
  const [outputs, inputs] = layer.weight.shape as [number, number]
  device.scope(() => {
    const kept = device.tensor(
      Float32Array.from({ length: outputs }, (_, i) => (i === 1 ? 0 : 1)),
      [outputs, 1],
    )
    assign(layer.weight, mul(layer.weight, kept))
  })
  const want = await loss(model)
  const adapter = lora(model, { dora: true, targets: ['q_proj'] })
  expect(Math.abs((await loss(model)) - want)).toBeLessThan(1e-5)
  const { value, grads } = device.scope(() => valueAndGrad(() => lossOf(model), parameters(adapter)))
  for (const g of Object.values(grads)) {
    expect(((await g.data()) as Float32Array).every(Number.isFinite)).toBe(true)
    g.dispose()
  }
  value.dispose()
  adapter.merge()
  const row = ((await layer.weight.data()) as Float32Array).subarray(inputs, 2 * inputs)
  expect(row.every(x => x === 0)).toBe(true)
  adapter.dispose()
})

test('what cannot be is refused by name', async () => {
  expect(() => lora(model, { targets: ['query'] })).toThrow(/none is called query. There are .*q_proj/)
  expect(() => lora(model, { targets: ['lm_head'] })).toThrow(/output layer/)
  for (const targets of ['q_proj', [3], null])
    expect(() => lora(model, { targets: targets as never })).toThrow(/^lora: got targets .*, expected a list of names/)
  expect(() => lora(model, { rank: 0 })).toThrow(/rank 0/)
  expect(() => lora(model, { alpha: Number.NaN })).toThrow(/alpha NaN/)
  const config = JSON.parse(await readFile(at('fixtures/peft-lora/adapter_config.json'), 'utf8'))
  const none = { tensors: new Map() } as never
  await expect(readPeft(model, { ...config, bias: 'all' }, none)).rejects.toThrow(/got bias "all"/)
  await expect(readPeft(model, { ...config, rank_pattern: { a: 2 } }, none)).rejects.toThrow(/rank_pattern/)
  await expect(readPeft(model, { ...config, init_lora_weights: 'pissa' }, none)).rejects.toThrow(
    /got init_lora_weights "pissa"/,
  )
  for (const field of ['use_rslora', 'use_dora'])
    await expect(readPeft(model, { ...config, [field]: 'true' }, none)).rejects.toThrow(`got ${field} "true"`)
  await expect(readPeft(model, { ...config, lora_alpha: 1 / 0 }, none)).rejects.toThrow(/lora_alpha/)
  await expect(loadAdapter(model, join(folder, 'nowhere'))).rejects.toThrow(/no adapter that can be read \(ENOENT/)
  await expect(readPeft(model, { ...config, peft_type: 'IA3' }, none)).rejects.toThrow(/peft_type "IA3"/)
  await expect(readPeft(model, config, none)).rejects.toThrow(/got no tensor .*lora_A/)
})
