import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assign, mul } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, describe, expect, test } from 'vitest'
import { letters, questions, tinyLlama } from '../test/fake.js'
import { EvaluationError, evaluate, LlamaLanguageModel, type Task, type TextTokenizer } from './index.js'
import { rollingWindows } from './language-model.js'
import { fileCache } from './node.js'

const folder = mkdtempSync(join(tmpdir(), 'cria-eval-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a LLaMA as language model', () => {
  const device = reference()
  const model = tinyLlama(device, 8)
  afterAll(() => {
    model.dispose()
    expect(device.liveBytes).toBe(0)
  })

  test('splits tokens as lm-eval does', () => {
    using lm = new LlamaLanguageModel(model, letters)
    expect(lm.pair({ context: 'ab ', continuation: 'c' })).toEqual({ tokens: [3, 4, 30, 5], from: 2 })
    expect(lm.pair({ context: '', continuation: 'ab' })).toEqual({ tokens: [1, 3, 4], from: 1 })
    expect(() => lm.pair({ context: 'ab', continuation: '' })).toThrow('adds no token')
    using small = new LlamaLanguageModel(model, letters, { maxLength: 3 })
    expect(small.pair({ context: 'abcdef', continuation: 'gh' })).toEqual({ tokens: [7, 8, 9, 10], from: 2 })
    expect(() => small.pair({ context: 'a', continuation: 'bcdef' })).toThrow('at most 3')
  })

  test('puts no BOS before a text that begins with it', async () => {
    const marked: TextTokenizer = {
      ...letters,
      encode: (text, { bos = true } = {}) =>
        text.split('<s>').flatMap((part, i) => [...(i > 0 || bos ? [1] : []), ...Array.from(letters.encode(part))]),
      decode: (ids, { skipSpecial = true } = {}) =>
        Array.from(ids, id => (id === 1 ? (skipSpecial ? '' : '<s>') : letters.decode([id]))).join(''),
    }
    using lm = new LlamaLanguageModel(model, marked)
    expect(lm.pair({ context: 'ab', continuation: 'c' })).toEqual({ tokens: [1, 3, 4, 5], from: 3 })
    expect(lm.pair({ context: '<s>ab', continuation: 'c' })).toEqual({ tokens: [1, 3, 4, 5], from: 3 })
    expect(lm.pair({ context: 'a<s>', continuation: 'c' })).toEqual({ tokens: [1, 3, 1, 5], from: 3 })
    expect(lm.pair({ context: '', continuation: '<s>c' })).toEqual({ tokens: [1, 5], from: 1 })
    const [plain, same] = await lm.loglikelihoodRolling(['abc', '<s>abc'])
    expect(same).toBe(plain)
    const written = { until: [], maxTokens: 12 }
    const [text, again] = await lm.generateUntil(['abc', '<s>abc'].map(context => ({ ...written, context })))
    expect(again).toBe(text)
  })

  test('a damaged model writes no text', async () => {
    const damaged = tinyLlama(device, 8)
    const { buf } = damaged.model.norm.weight.storage('test')
    device.backend.write(buf, new Uint8Array(new Float32Array([Number.NaN]).buffer))
    using lm = new LlamaLanguageModel(damaged, letters, { sampler: () => ({ sample: () => 3 }) })
    for (const temperature of [0, 1]) {
      const error = await lm
        .generateUntil([{ context: 'a', until: [], maxTokens: 9, temperature }])
        .catch((e: unknown) => e)
      expect(error).toBeInstanceOf(EvaluationError)
      expect((error as Error).message).toContain('generate_until: got a logit of NaN')
    }
    damaged.dispose()
  })

  test('keeps a generation under what ends it and how its tokens are written', async () => {
    const keyOf = async (tokenizer: TextTokenizer, kind: 'generate_until' | 'loglikelihood' = 'generate_until') => {
      using lm = new LlamaLanguageModel(model, tokenizer)
      return (await lm.cacheKeys([{ kind, context: 'ab', continuation: 'c', until: ['z'] }]))[0]
    }
    const other = { ...letters, decode: (ids: ArrayLike<number>) => letters.decode(ids).toUpperCase() }
    expect(await keyOf({ ...letters })).toBe(await keyOf(letters))
    expect(await keyOf({ ...letters, eosIds: [0, 5] })).not.toBe(await keyOf(letters))
    expect(await keyOf(other)).not.toBe(await keyOf(letters))
    expect(await keyOf(other, 'loglikelihood')).toBe(await keyOf(letters, 'loglikelihood'))
    const few = { ...letters, vocabSize: 40, decode: (ids: ArrayLike<number>) => letters.decode(known(ids)) }
    const known = (ids: ArrayLike<number>) =>
      Array.from(ids).every(id => id < 40) ? ids : expect.unreachable('id ≥ 40')
    expect(await keyOf(few)).toBeDefined()
  })

  test('rolls over a text in windows that score each token once', () => {
    expect(rollingWindows([5, 6, 7, 8, 9, 10, 11], 1, 3)).toEqual([
      { tokens: [1, 5, 6, 7], from: 1 },
      { tokens: [7, 8, 9, 10], from: 1 },
      { tokens: [8, 9, 10, 11], from: 3 },
    ])
    expect(rollingWindows([], 1, 3)).toEqual([])
  })

  test('sums what its parts say, and generates until a stop', async () => {
    using lm = new LlamaLanguageModel(model, letters)
    const [ab, c] = await lm.loglikelihood([
      { context: 'abc', continuation: 'de' },
      { context: 'abcd', continuation: 'e' },
    ])
    const [d] = await lm.loglikelihood([{ context: 'abc', continuation: 'd' }])
    expect(ab!.logprob).toBeCloseTo(d!.logprob + c!.logprob, 4)
    const [text] = await lm.generateUntil([{ context: 'abc', until: [], maxTokens: 12 }])
    expect(text!.length).toBeGreaterThan(3)
    const [cut] = await lm.generateUntil([{ context: 'abc', until: [text!.slice(3, 5)], maxTokens: 12 }])
    expect(cut).toBe(text!.slice(0, text!.indexOf(text!.slice(3, 5))))
    await expect(lm.generateUntil([{ context: 'a', until: [], maxTokens: 3, temperature: 1 }])).rejects.toThrow(
      'no sampler',
    )
    const key = { kind: 'loglikelihood', context: 'ab ', continuation: 'c' } as const
    const [one, other] = await lm.cacheKeys([key, { ...key, context: 'ab', continuation: ' c' }])
    expect(one).toBe(other)
  })

  test('goes on where it was stopped', async () => {
    using lm = new LlamaLanguageModel(model, letters, { batch: 16, maxLength: 48 })
    const asked = { context: 'abc', until: ['z'], maxTokens: 4 }
    const tasks: Task[] = [
      { ...questions, name: 'pairs' },
      {
        ...questions,
        name: 'texts',
        outputType: 'loglikelihood_rolling',
        docToTarget: doc => `${doc.q} ${'abcdefgh'.repeat(12)}`,
        metrics: ['byte_perplexity'],
      },
      {
        ...questions,
        name: 'written',
        outputType: 'generate_until',
        docToTarget: () => 'x',
        metrics: ['exact_match'],
        generation: asked,
      },
    ]
    const whole = await evaluate(lm, tasks)
    const path = join(folder, 'stopped.jsonl')
    const total = 8
    for (let stop = 1; stop < total; stop++) {
      const controller = new AbortController()
      const onProgress = (done: number) => done >= stop && controller.abort()
      await evaluate(lm, tasks, { cache: await fileCache(path), onProgress, signal: controller.signal }).catch(() => {})
      expect(readFileSync(path, 'utf8').split('\n').length - 1).toBeGreaterThanOrEqual(stop)
    }
    const progress: number[] = []
    const again = await evaluate(lm, tasks, { cache: await fileCache(path), onProgress: done => progress.push(done) })
    expect(progress[0]).toBeGreaterThanOrEqual(total - 1)
    expect(progress.at(-1)).toBe(total)
    expect(again.map(({ scores }) => scores.map(({ value }) => value.toFixed(4)))).toEqual(
      whole.map(({ scores }) => scores.map(({ value }) => value.toFixed(4))),
    )
  })

  test('keeps no answer of a model that has changed since', async () => {
    const changing = tinyLlama(device, 9)
    const kept = new Map<string, unknown>()
    const cache = {
      get: (key: string) => kept.get(key),
      set: (key: string, answer: unknown) => void kept.set(key, answer),
    }
    using lm = new LlamaLanguageModel(changing, letters)
    const ask = async (from: LlamaLanguageModel, options: { cache?: typeof cache }) =>
      (await evaluate(from, [questions], options))[0]!.samples.flatMap(({ answers }) => answers)
    const before = await ask(lm, { cache })
    expect(await ask(lm, { cache })).toEqual(before)
    const { weight } = changing.model.layers[0]!.mlp.downProj
    device.scope(() => assign(weight, mul(weight, 3)))
    const after = await ask(lm, { cache })
    expect(after).toEqual(await ask(lm, {}))
    expect(after).not.toEqual(before)

    const layer = changing.model.layers[1]!.mlp.downProj
    const own = layer.forward
    layer.forward = x => mul(own.call(layer, x), 2)
    await expect(ask(lm, { cache })).rejects.toThrow(
      'model.layers.1.mlp.downProj than its own (an adapter is attached, or blocks are recomputed for training)',
    )
    using adapted = new LlamaLanguageModel(changing, letters)
    expect(await ask(adapted, {})).not.toEqual(after)
    layer.forward = own // as an adapter that is taken off leaves it
    expect(await ask(lm, { cache })).toEqual(after)
    changing.dispose()
  })
})
