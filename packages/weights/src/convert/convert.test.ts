import { describe, expect, it } from 'vitest'
import { tinyConfig, tinyFolder, tinyWeights } from '../../test/tiny.js'
import type { ModelConfig } from '../config/types.js'
import { decodeTensor, encodeFloats } from '../dtype.js'
import type { GgufFile } from '../gguf/read.js'
import { type Folder, type Model, openModel, sourceFolder } from '../open.js'
import { writeSafetensors } from '../safetensors/write.js'
import { memorySink } from '../sink.js'
import { bytesSource } from '../source.js'
import { type ConvertOptions, type ConvertReport, convert } from './convert.js'
import { hfConfig } from './hf-config.js'
import { reorderRows } from './rotation.js'
import { dtypeFor, targetDTypes } from './types.js'

async function converted(folder: Folder, options: ConvertOptions): Promise<{ model: Model; report: ConvertReport }> {
  const source = await openModel(folder)
  const sink = memorySink()
  const report = await convert(source, sink, options)
  const file = options.to === 'gguf' ? 'model.gguf' : 'model.safetensors'
  const config = new TextEncoder().encode(JSON.stringify(report.config ?? {}))
  const files = { [file]: bytesSource(sink.bytes(), file), 'config.json': bytesSource(config, 'config.json') }
  return { model: await openModel(sourceFolder(files)), report }
}

async function valuesOf(model: Model, name: string): Promise<Float32Array> {
  const info = model.weights.tensors.get(name)!
  const out = new Float32Array(info.shape.reduce((a, b) => a * b, 1))
  decodeTensor(info.dtype, await model.weights.read(name), out)
  return out
}

describe('reorderRows', () => {
  it('pairs row j with j + half, or 2j with 2j + 1', () => {
    const rows = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7) // two heads of four rows
    const interleaved = reorderRows(rows, 8, 4, 'half', 'interleaved')
    expect([...interleaved]).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
    expect(reorderRows(interleaved, 8, 4, 'interleaved', 'half')).toEqual(rows)
  })
})

describe('convert', () => {
  const variants: [string, ModelConfig][] = [
    ['llama', tinyConfig],
    ['tied', { ...tinyConfig, tied: true }],
    ['all biases', { ...tinyConfig, biases: { q: true, k: true, v: true, o: true, mlp: true } }],
    ['qwen2', { ...tinyConfig, architecture: 'qwen2', biases: { q: true, k: true, v: true, o: false, mlp: false } }],
    ['qwen3', { ...tinyConfig, architecture: 'qwen3', qkNorm: true }],
    ['linear', { ...tinyConfig, ropeScaling: { type: 'linear', factor: 4 } }],
    [
      'llama3',
      {
        ...tinyConfig,
        ropeScaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 },
        context: 131072,
      },
    ],
    [
      'yarn',
      {
        ...tinyConfig,
        ropeScaling: {
          type: 'yarn',
          factor: 4,
          originalContext: 32,
          betaFast: 32,
          betaSlow: 1,
          attentionFactor: 0.1 * Math.log(4) + 1,
          truncate: true,
          crossedRamp: 'falling',
        },
      },
    ],
  ]

  it.each(variants)('brings a %s model to GGUF and back, bit for bit', async (_, config) => {
    const gguf = await converted(await tinyFolder(config), { to: 'gguf', type: 'f32' })
    expect(gguf.model.config.rotation).toBe(config.architecture === 'llama' ? 'interleaved' : 'half')
    const back = await converted({ ...gguf.model.folder, files: ['model.gguf'] }, { to: 'safetensors', type: 'f32' })
    expect({ ...back.model.config, ropeScaling: undefined }).toEqual({ ...config, ropeScaling: undefined })
    const [got, want] = [back.model.config.ropeScaling, config.ropeScaling]
    if (want === undefined) expect(got).toBeUndefined()
    else
      for (const [key, value] of Object.entries(want)) {
        if (typeof value === 'number') expect(got?.[key as 'type']).toBeCloseTo(value, 5)
        else expect(got?.[key as 'type']).toBe(value)
      }
    for (const [name, { values }] of tinyWeights(config)) expect(await valuesOf(back.model, name)).toEqual(values)
  })

  it.each(targetDTypes.filter(type => !type.endsWith('_m')))(
    'writes %s: vectors stay f32, rows that do not fit get the nearest type',
    async type => {
      const { model, report } = await converted(await tinyFolder(), { to: 'gguf', type })
      const dtype = (name: string): string => model.weights.tensors.get(name)!.dtype
      expect(dtype('model.norm.weight')).toBe('f32')
      const main = dtype('model.layers.0.self_attn.q_proj.weight')
      // Rows of 64 and 96 are no multiples of 256.
      expect(main).toBe(
        { q2_k: 'q4_0', q3_k: 'q4_0', q4_k: 'q5_0', q5_k: 'q5_1', q6_k: 'q8_0' }[type as string] ?? type,
      )
      const classifier = dtype('lm_head.weight')
      expect(classifier).toBe(['f32', 'f16', 'bf16'].includes(type) ? type : 'q8_0')
      const kept = main === type ? (classifier === type ? 0 : 1) : 16
      expect(report.otherTypes.length).toBe(kept)
      for (const [name, { values }] of tinyWeights(tinyConfig)) {
        if (/[qk]_proj/.test(name)) continue // other order of rows
        const got = await valuesOf(model, name)
        const scale = Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length)
        const error = Math.sqrt(values.reduce((s, v, i) => s + (v - got[i]!) ** 2, 0) / values.length)
        expect(error / scale).toBeLessThan(0.1)
      }
    },
  )

  it("mixes types as llama.cpp's Q3_K_M, Q4_K_M and Q5_K_M do", () => {
    const types = (target: 'q3_k_m' | 'q4_k_m' | 'q5_k_m', name: string, layers = 16, tied = false): string =>
      Array.from({ length: name.includes('#') ? layers : 1 }, (_, i) =>
        dtypeFor(target, { name: name.replace('#', String(i)), shape: [256, 256], layers, tied }).slice(1, 2),
      ).join('')
    expect(types('q4_k_m', 'model.layers.#.self_attn.v_proj.weight')).toBe('6644644644644666')
    expect(types('q5_k_m', 'model.layers.#.mlp.down_proj.weight')).toBe('6655655655655666')
    expect(types('q3_k_m', 'model.layers.#.self_attn.v_proj.weight')).toBe('5544444444444444')
    expect(types('q3_k_m', 'model.layers.#.mlp.down_proj.weight')).toBe('5444444444444444')
    expect(types('q3_k_m', 'model.layers.#.self_attn.o_proj.weight')).toBe('4444444444444444')
    expect(types('q4_k_m', 'model.layers.#.self_attn.q_proj.weight')).toBe('4444444444444444')
    expect(types('q4_k_m', 'lm_head.weight')).toBe('6')
    expect(types('q4_k_m', 'model.embed_tokens.weight')).toBe('4')
    expect(types('q4_k_m', 'model.embed_tokens.weight', 16, true)).toBe('6')
  })

  it('keeps the classifier in q6_k, or in the embedding that stands for it', () => {
    for (const target of targetDTypes) {
      const type = (name: string, tied = false): string =>
        dtypeFor(target, { name, shape: [256, 256], layers: 16, tied })
      const fine = ['f32', 'f16', 'bf16', 'q8_0'].includes(target) ? target : 'q6_k'
      expect(type('lm_head.weight')).toBe(fine)
      expect(type('model.embed_tokens.weight', true)).toBe(fine)
      expect(type('model.embed_tokens.weight')).toBe(target.replace('_m', ''))
    }
  })

  it('keeps quantised rows as they are when only their order changes', async () => {
    const first = await converted(await tinyFolder(), { to: 'gguf', type: 'q4_0' })
    const folder = { ...first.model.folder, files: ['model.gguf'] }
    const second = await converted(folder, { to: 'gguf', type: 'q4_0' })
    for (const name of first.model.weights.tensors.keys()) {
      expect(await second.model.weights.read(name)).toEqual(await first.model.weights.read(name))
    }
  })

  it('makes the vocabulary of a byte-level tokenizer.json', async () => {
    const folder = await tinyFolder()
    const json = {
      model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] },
      added_tokens: [{ id: 3, content: '<|end|>', special: true }],
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'Digits', individual_digits: true }, { type: 'ByteLevel' }],
      },
    }
    const files: Folder = {
      ...folder,
      files: [...folder.files, 'tokenizer.json'],
      open: async file =>
        file === 'tokenizer.json'
          ? bytesSource(new TextEncoder().encode(JSON.stringify(json)), file)
          : folder.open(file),
    }
    const { model } = await converted(files, { to: 'gguf', type: 'f32' })
    const { metadata } = model.source as GgufFile
    expect(metadata['tokenizer.ggml.model']).toBe('gpt2')
    expect(metadata['tokenizer.ggml.pre']).toBe('smollm')
    expect((metadata['tokenizer.ggml.tokens'] as string[]).slice(0, 5)).toEqual(['a', 'b', 'ab', '<|end|>', '[PAD4]'])
    expect([...(metadata['tokenizer.ggml.token_type'] as Int32Array).subarray(0, 5)]).toEqual([1, 1, 1, 3, 5])
    expect(metadata['tokenizer.ggml.merges']).toEqual(['a b'])
  })

  it('stops when told to, cleans up, and refuses what the target cannot hold', async () => {
    const model = await openModel(await tinyFolder())
    let aborted = 0
    const sink = { ...memorySink(), abort: async () => void aborted++ }
    await expect(convert(model, sink, { to: 'gguf', type: 'f32', signal: AbortSignal.abort() })).rejects.toThrow(
      /aborted/,
    )
    await expect(convert(model, sink, { to: 'safetensors', type: 'q8_0' })).rejects.toThrow(/Write GGUF/)
    await expect(convert(model, sink, { to: 'gguf', type: 'q9' as 'q8_0' })).rejects.toThrow(/expected one of f32/)
    expect(aborted).toBe(3)
  })

  it('refuses frequency divisors where llama.cpp reads none', async () => {
    const scaled = { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 } as const
    for (const architecture of ['qwen2', 'qwen3'] as const) {
      const biases = { ...tinyConfig.biases, ...(architecture === 'qwen2' ? { q: true, k: true, v: true } : {}) }
      const config = { ...tinyConfig, architecture, biases, qkNorm: architecture === 'qwen3', ropeScaling: scaled }
      const source = await tinyFolder(config)
      await expect(converted(source, { to: 'gguf', type: 'f32' })).rejects.toThrow(
        `got RoPE scaling "llama3", which llama.cpp does not have for ${architecture}`,
      )
      expect((await converted(source, { to: 'safetensors', type: 'f32' })).model.config.ropeScaling).toEqual(scaled)
    }
  })

  it('refuses a YaRN ramp that the other program reads another way', async () => {
    // The original context turns no dimension once: the ramp ends below 0, where it begins.
    const yarn = { type: 'yarn', factor: 4, originalContext: 1, betaFast: 32, betaSlow: 1, truncate: true } as const
    const config = { ...tinyConfig, ropeScaling: { ...yarn, attentionFactor: 1, crossedRamp: 'falling' as const } }
    await expect(converted(await tinyFolder(config), { to: 'gguf', type: 'f32' })).rejects.toThrow(
      'expected one that llama.cpp reads the same way. Write safetensors instead',
    )
    const stepped = { ...config, ropeScaling: { ...config.ropeScaling, crossedRamp: 'step' as const } }
    expect(() => hfConfig(stepped, 'f32')).toThrow('expected one that transformers reads the same way')
  })

  it('reports progress tensor by tensor', async () => {
    const model = await openModel(await tinyFolder())
    const done: number[] = []
    await convert(model, memorySink(), { to: 'gguf', type: 'f16', onProgress: p => done.push(p.done) })
    expect(done).toEqual(Array.from({ length: model.weights.tensors.size + 1 }, (_, i) => i))
  })
})

describe('openModel', () => {
  it('refuses weights that do not fit their configuration', async () => {
    const biased = { ...tinyConfig, biases: { q: true, k: true, v: true, o: true, mlp: false } }
    await expect(openModel(await tinyFolder(biased, { attention_bias: false }))).rejects.toThrow(
      /q_proj.bias", which a model of this configuration does not have/,
    )
    await expect(openModel(await tinyFolder(tinyConfig, { num_hidden_layers: 3 }))).rejects.toThrow(
      /layers.2.* is missing/,
    )
    await expect(openModel(await tinyFolder(tinyConfig, { intermediate_size: 97 }))).rejects.toThrow(
      /got shape \[96,64\], expected \[97,64\]/,
    )
    await expect(
      openModel(await tinyFolder({ ...tinyConfig, tied: true }, { tie_word_embeddings: false })),
    ).rejects.toThrow(/lm_head.weight.* is missing/)
  })

  it('keeps the stored classifier of a model that is said to be tied, unless it is the embedding', async () => {
    const folder = await tinyFolder(tinyConfig, { tie_word_embeddings: true })
    const other = await openModel(folder)
    expect(other.config.tied).toBe(false)
    expect(other.config.notes.join()).toMatch(/lm_head.weight differs/)
    const written = await converted(folder, { to: 'safetensors', type: 'f32' })
    expect(written.report.notes.join()).toMatch(/lm_head.weight differs/)
    expect(await valuesOf(written.model, 'lm_head.weight')).toEqual(await valuesOf(other, 'lm_head.weight'))

    const weights = tinyWeights({ ...tinyConfig, tied: true })
    weights.set('lm_head.weight', weights.get('model.embed_tokens.weight')!)
    const sink = memorySink()
    await writeSafetensors(sink, {
      tensors: [...weights].map(([name, { shape, values }]) => ({
        name,
        shape,
        dtype: 'f32',
        data: () => encodeFloats('f32', values),
      })),
    })
    const twice = sourceFolder({
      'model.safetensors': bytesSource(sink.bytes(), 'model.safetensors'),
      'config.json': await folder.open('config.json'),
    })
    expect((await openModel(twice)).config).toMatchObject({ tied: true, notes: [] })
    expect((await converted(twice, { to: 'gguf', type: 'f32' })).report.notes).toContain(
      'lm_head.weight is left out: it is the embedding',
    )
  })

  it('says what is missing', async () => {
    await expect(openModel(sourceFolder({ 'readme.md': bytesSource(new Uint8Array(1)) }))).rejects.toThrow(
      /got no weights/,
    )
    const folder = await tinyFolder()
    await expect(openModel({ ...folder, files: ['model.safetensors'] })).rejects.toThrow(/config.json is missing/)
    await expect(openModel(folder, 'other.gguf')).rejects.toThrow(/no file "other.gguf"/)
  })
})

it('a GGUF file says what ends a turn, and under which license it is, and keeps both when it is converted again', async () => {
  const folder = await tinyFolder({ ...tinyConfig, layers: 1 })
  const encode = (value: unknown, name: string) => bytesSource(new TextEncoder().encode(JSON.stringify(value)), name)
  const json = { model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'], byte_fallback: true } }
  const files = {
    'model.safetensors': await folder.open('model.safetensors'),
    'config.json': await folder.open('config.json'),
    'tokenizer.json': encode(json, 'tokenizer.json'),
    'tokenizer_config.json': encode({ eot_token: 'ab' }, 'tokenizer_config.json'),
  }
  const options = { to: 'gguf', type: 'f16' } as const
  const { model } = await converted(sourceFolder(files), { ...options, license: 'mit' })
  const again = await converted(model.folder, options)
  for (const { weights } of [model, again.model])
    expect(weights.metadata).toMatchObject({ 'general.license': 'mit', 'tokenizer.ggml.eot_token_id': 2 })
})
