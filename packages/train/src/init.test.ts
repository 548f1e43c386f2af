/** Every scheme's numbers, per role: mean, spread, shape and cut within sampling error of what its source draws. */
import { cpu } from '@cria/kernels-cpu'
import { Llama, llamaConfig } from '@cria/llama'
import { type Device, parameters } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InitScheme, initialise } from './init.js'

const [width, inner, layers] = [64, 160, 3]
const config = llamaConfig({
  vocabSize: 300,
  hiddenSize: width,
  intermediateSize: inner,
  numHiddenLayers: layers,
  numAttentionHeads: 4,
  headDim: 24, // o_proj reads 96 and writes 64
  numKeyValueHeads: 2,
})

/** Standard deviations as the source's code has them; by the part of the name, or another for each block. */
const wanted: Record<InitScheme, (part: string, block: number) => number> = {
  'llama2.c': part => (['o_proj', 'up_proj'].includes(part) ? 0.02 / Math.sqrt(2 * layers) : 0.02),
  nanoGPT: part => (['o_proj', 'down_proj'].includes(part) ? 0.02 / Math.sqrt(2 * layers) : 0.02),
  torchtitan: (part, block) =>
    part === 'embed_tokens'
      ? 1
      : part === 'lm_head'
        ? width ** -0.5
        : ['o_proj', 'up_proj', 'down_proj'].includes(part)
          ? 0.02 / Math.sqrt(2 * (block + 1))
          : 0.02,
  'gpt-neox': part =>
    ['o_proj', 'down_proj'].includes(part) ? 1 / Math.sqrt(width) / layers : Math.sqrt(2 / 5 / width),
}
/** Spread and kurtosis of a normal that is cut at 3σ. */
const [cutSpread, cutKurtosis] = [0.98658, 2.829]

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.dispose())

test.each(Object.keys(wanted) as InitScheme[])('%s', async scheme => {
  using model = new Llama(config, initialise(device, scheme, { layers, seed: 5 }))
  let worst = 0
  for (const [name, t] of Object.entries(parameters(model))) {
    const values = (await t.data()) as Float32Array
    if (t.rank === 1) {
      expect(
        values.every(x => x === 1),
        name,
      ).toBe(true)
      continue
    }
    const block = Number(/layers\.(\d)/.exec(name)?.[1] ?? 0)
    const part = name.split('.').at(-2)!
    const std = wanted[scheme](part, block)
    const cut = scheme === 'torchtitan' && part === 'lm_head'
    const n = values.length
    const moment = (k: number): number => values.reduce((a, x) => a + (x / std) ** k, 0) / n
    // Five standard errors of each moment: of σ̂² = √((κ − 1)/n), of the fourth √((μ₈ − μ₄²)/n) ≈ √(96/n).
    expect(Math.abs(moment(1)) * Math.sqrt(n), `mean of ${name}`).toBeLessThan(5)
    expect(Math.abs(moment(2) - (cut ? cutSpread ** 2 : 1)) * Math.sqrt(n / 2), `spread of ${name}`).toBeLessThan(5)
    const kurtosis = moment(4) / moment(2) ** 2
    expect(Math.abs(kurtosis - (cut ? cutKurtosis : 3)) * Math.sqrt(n / 24), `kurtosis of ${name}`).toBeLessThan(5)
    const largest = values.reduce((a, x) => Math.max(a, Math.abs(x)), 0) / std
    if (cut) expect(largest).toBeLessThanOrEqual(3.000001)
    else worst = Math.max(worst, largest)
  }
  // 0.3 % of numbers lie beyond 3σ where nothing is cut, and none of a few hundred thousand beyond 6σ.
  expect(worst).toBeGreaterThan(3.5)
  expect(worst).toBeLessThan(6)
})

test('a tensor is a function of seed and name: of nothing else, and on every backend', async () => {
  const names = ['model.layers.0.mlp.up_proj.weight', 'model.layers.1.mlp.up_proj.weight', 'lm_head.weight']
  const drawn = async (on: Device, seed: number): Promise<Float32Array[]> => {
    const source = initialise(on, 'nanoGPT', { layers, seed })
    // In another order and by another path of prefixes.
    const list = [
      source.get(names[0]!, [8, 6]),
      source.at('model').at('layers').at(1).get('mlp.up_proj.weight', [8, 6]),
    ]
    const tensors = [...list, source.get(names[2]!, [8, 6])]
    const values = await Promise.all(tensors.map(async t => (await t.data()).slice() as Float32Array))
    for (const t of tensors) t.dispose()
    return values
  }
  const first = await drawn(device, 7)
  expect(await drawn(device, 7)).toEqual(first)
  const correlation = (a: Float32Array, b: Float32Array): number =>
    a.reduce((s, x, i) => s + x * b[i]!, 0) / 0.02 ** 2 / Math.sqrt(a.length)
  for (const [a, b] of [
    [first[0]!, first[1]!],
    [first[1]!, first[2]!],
    [first[0]!, (await drawn(device, 8))[0]!],
  ])
    expect(Math.abs(correlation(a!, b!))).toBeLessThan(5)
  const slow = reference()
  for (const [i, values] of (await drawn(slow, 7)).entries())
    values.forEach((x, j) => expect(x).toBeCloseTo(first[i]![j]!, 7))
  slow.dispose()
})

test('names keep the numbers that they had: runs of before go on', async () => {
  const source = initialise(device, 'llama2.c', { layers: 2, seed: 1 })
  const t = source.get('model.embed_tokens.weight', [2, 2])
  expect([...(await t.data())].map(x => Number(x.toFixed(6)))).toMatchInlineSnapshot(`
    [
      0.000301,
      -0.019768,
      0.016805,
      0.006253,
    ]
  `)
  t.dispose()
})

test('what cannot be is named', () => {
  expect(() => initialise(device, 'xavier' as never, { layers: 1 })).toThrow(
    /got scheme xavier, expected one of llama2\.c/,
  )
  expect(() => initialise(device, 'nanoGPT', { layers: 0 })).toThrow(/got 0 layers/)
  for (const seed of [1.5, -1, 2 ** 32])
    expect(() => initialise(device, 'nanoGPT', { layers: 1, seed })).toThrow(/got seed \S+, expected a whole number/)
})
