/** Synthetic models of every type: written, opened, loaded, run, and held against the reference. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu } from '@cria/kernels-cpu'
import { type LlamaConfig, llamaConfig, loadLlama, preset, Session } from '@cria/llama'
import { type Device, ropeFrequencies } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { openModelAt } from '@cria/weights/node'
import { afterAll, expect, test } from 'vitest'
import { synth, synthTypes, writeSynthetic } from './synth.js'

const scratch = mkdtempSync(join(tmpdir(), 'cria-synth-'))
const devices = [await cpu({ threads: 1 }), reference()] as const
afterAll(() => {
  for (const device of devices) device.dispose()
  rmSync(scratch, { recursive: true })
})

const config = llamaConfig({
  vocabSize: 300,
  hiddenSize: 256,
  intermediateSize: 256,
  numHiddenLayers: 1,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
})

async function logits(device: Device, path: string): Promise<{ values: Float32Array; config: LlamaConfig }> {
  const opened = await openModelAt(path)
  const model = await loadLlama(device, opened)
  using session = new Session(model, { capacity: 8, dtype: 'f32' })
  const values = (await session.evaluate([1, 5, 260, 299])).slice()
  model.dispose()
  await opened.close()
  return { values, config: model.config }
}

test.each(synthTypes)('%s', async dtype => {
  const out = join(scratch, `${dtype}.gguf`)
  await writeSynthetic(config, { name: 'tiny', dtype, seed: 3, out })
  const [fast, exact] = [await logits(devices[0], out), await logits(devices[1], out)]
  const scale = Math.sqrt(exact.values.reduce((a, v) => a + v * v, 0) / exact.values.length)
  expect(scale).toBeGreaterThan(0)
  const worst = fast.values.reduce((a, v, i) => Math.max(a, Math.abs(v - exact.values[i]!)), 0)
  // bf16 GGUF files round activations to bf16 and attention to f16, each device in its own order.
  expect(worst / scale).toBeLessThan(dtype === 'bf16' ? 0.05 : 2e-3)
})

test.each([
  { attentionBias: true, tieWordEmbeddings: true },
  { qkNorm: true, headDim: 32 },
])('the shape of relatives comes back: %j', async fields => {
  const out = join(scratch, 'relative.gguf')
  const given = llamaConfig({ ...config, ...fields, ropeWidth: 'headDim' in fields ? 32 : 64 })
  await writeSynthetic(given, { name: 'relative', dtype: 'q8_0', seed: 1, out })
  expect((await logits(devices[0], out)).config).toMatchObject(fields)
})

test.each(['llama-3.1-8b', 'llama-3.2-1b', 'llama-3.3-70b'] as const)('%s keeps its RoPE scaling', async name => {
  const out = join(scratch, 'scaled.gguf')
  const { ropeScaling, ropeTheta, headDim } = preset(name)
  const given = llamaConfig({ ...config, ropeScaling, ropeTheta, headDim, ropeWidth: headDim })
  await writeSynthetic(given, { name, dtype: 'q8_0', seed: 1, out })
  const found = (await logits(devices[0], out)).config
  expect(found.ropeScaling.type).toBe('divisors')
  const table = (scaling: typeof ropeScaling): Float32Array =>
    ropeFrequencies({ width: headDim, theta: ropeTheta, scaling }).frequencies
  table(found.ropeScaling).forEach((f, i) => expect(f / table(ropeScaling)[i]!).toBeCloseTo(1, 6))
  const scaled = llamaConfig({ ...config, ropeScaling: { type: 'linear', factor: 2 } })
  await expect(writeSynthetic(scaled, { name, dtype: 'q8_0', seed: 1, out })).rejects.toThrow(
    'got RoPE scaling "linear"',
  )
})

test('rows that do not fit take the type that convert gives them', async () => {
  const out = join(scratch, 'narrow.gguf')
  const narrow = llamaConfig({ ...config, hiddenSize: 192, numAttentionHeads: 3, numKeyValueHeads: 3 })
  const tensors = await writeSynthetic(narrow, { name: 'narrow', dtype: 'q4_k', seed: 1, out })
  const type = (name: string): string | undefined => tensors.find(t => t.name === name)?.dtype
  expect(type('blk.0.ffn_gate.weight')).toBe('q5_0')
  expect(type('blk.0.ffn_down.weight')).toBe('q4_k')
  expect((await logits(devices[0], out)).values.every(Number.isFinite)).toBe(true)
})

test('types and shapes that do not exist are refused by name', async () => {
  const options = { shape: 'smollm2-135m', seed: 0, out: join(scratch, 'none.gguf') }
  await expect(synth({ ...options, type: 'Q9' })).rejects.toThrow(/expected one of .*BF16/)
  await expect(synth({ ...options, type: 'Q4_0', shape: 'gpt' })).rejects.toThrow(/--shape: got gpt/)
})

test('a failure leaves nothing behind', async () => {
  const out = join(scratch, 'taken')
  mkdirSync(out)
  await expect(writeSynthetic(config, { name: 'tiny', dtype: 'q8_0', seed: 1, out })).rejects.toThrow()
  expect(readdirSync(scratch).filter(name => name.includes('partial'))).toEqual([])
})
