import { type Llama, llamaConfig } from '@cria/llama'
import { iota } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, describe, expect, test } from 'vitest'
import { tiny, tinyLlama } from '../test/fake.js'
import {
  compareModels,
  EvaluationError,
  measurePerplexity,
  type PerplexityOptions,
  type ScoreRequest,
  Scorer,
} from './index.js'
import { packs } from './pack.js'
import { windows } from './perplexity.js'

const device = reference()
const before = device.liveBytes
const model = tinyLlama(device, 3)
afterAll(() => {
  model.dispose()
  expect(device.liveBytes).toBe(before)
})

const text = Array.from({ length: 50 }, (_, i) => (i * i * 7 + i) % 61)

/** Every log-probability by the plain forward pass and a softmax in f64. */
async function plain(llama: Llama, tokens: readonly number[]): Promise<{ logprobs: number[]; greedy: number[] }> {
  const logits = llama.device.scope(() =>
    llama.forward(llama.device.tensor(tokens, [tokens.length], 'i32'), {
      positions: iota(llama.device, tokens.length),
    }),
  )
  const all = await logits.data()
  logits.dispose()
  const { vocabSize } = llama.config
  const rows = tokens.slice(1).map((target, t) => {
    const row = Array.from(all.subarray(t * vocabSize, (t + 1) * vocabSize))
    const top = Math.max(...row)
    return {
      p: row[target]! - top - Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0)),
      hit: row.indexOf(top) === target,
    }
  })
  return { logprobs: rows.map(r => r.p), greedy: rows.map(r => (r.hit ? 1 : 0)) }
}

const close = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
  expect(a.length).toBe(b.length)
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1e-4)
}

describe('a scorer', () => {
  const requests: ScoreRequest[] = [
    { tokens: text.slice(0, 20), from: 1 },
    { tokens: text.slice(0, 9), from: 8 }, // begins as the first
    { tokens: [...text.slice(0, 12), 5, 6, 7], from: 12 }, // begins as the first, ends otherwise
    { tokens: [...text.slice(0, 12), 5, 9], from: 12 }, // and as the third
    { tokens: text.slice(30, 33), from: 2 },
    { tokens: text.slice(0, 20), from: 19 }, // again
    { tokens: [4, 4], from: 1 },
  ]

  test.each([8, 24, 512])('gives what the plain forward pass gives, %i tokens at once', async batch => {
    using scorer = new Scorer(model, { batch, rowsAtOnce: 10 })
    const scores = await scorer.score(requests)
    for (const [i, { tokens, from }] of requests.entries()) {
      const { logprobs, greedy } = await plain(model, Array.from(tokens))
      close(scores[i]!.logprobs, logprobs.slice(from - 1))
      expect([...scores[i]!.greedy]).toEqual(greedy.slice(from - 1))
    }
  })

  test('evaluates what sequences share once', () => {
    const [pack, ...more] = packs(requests, { batch: 512, join: true })
    expect(more).toEqual([])
    const used = new Set(pack!.owners.map(({ request }) => request))
    expect(used.size).toBe(requests.length)
    // 19 of the first, 2 + 0 of those that branch off (their last token is not fed), 2, and 1.
    expect(pack!.keys).toBeDefined()
    expect(pack!.tokens.length).toBe(24)
  })

  test('takes sequences alone where the rotation depends on their length', async () => {
    const config = llamaConfig({
      ...tiny,
      ropeScaling: { type: 'dynamic', factor: 2, originalContext: 10 },
    })
    const stretched = tinyLlama(device, 3, config)
    using scorer = new Scorer(stretched)
    const long = { tokens: text.slice(0, 30), from: 1 }
    const short = { tokens: text.slice(0, 5), from: 1 }
    const together = await scorer.score([long, short])
    const alone = [...(await scorer.score([short])), ...(await scorer.score([long]))]
    expect(together[1]!.logprobs).toEqual(alone[0]!.logprobs)
    expect(together[0]!.logprobs).toEqual(alone[1]!.logprobs)
    stretched.dispose()
  })

  test('refuses what it cannot score', async () => {
    using scorer = new Scorer(model)
    await expect(scorer.score([{ tokens: [1, 2], from: 0 }])).rejects.toThrow('expected 1 … 1')
    await expect(scorer.score([{ tokens: [1, 61], from: 1 }])).rejects.toThrow('got token 61 at 1')
    expect(() => new Scorer(model, { batch: 0 })).toThrow('batch 0')
    scorer.dispose()
    await expect(scorer.score([])).rejects.toThrow('after dispose')
  })
})

describe('perplexity', () => {
  test('is e to the mean −log p over windows without overlap, first tokens unscored', async () => {
    let sum = 0
    for (const at of [0, 16, 32, 48]) {
      const { logprobs } = await plain(model, text.slice(at, at + 16))
      sum -= logprobs.reduce((a, b) => a + b, 0)
    }
    const result = await measurePerplexity(model, text, { context: 16, bytes: 120 })
    expect(result.tokens).toBe(50)
    expect(result.scored).toBe(46)
    expect(result.nll).toBeCloseTo(sum / 46, 5)
    expect(result.perplexity).toBeCloseTo(Math.exp(sum / 46), 3)
    expect(result.bitsPerByte).toBeCloseTo(sum / Math.LN2 / 120, 5)
  })

  test('leaves out a last window of one token', () => {
    expect(windows(text.slice(0, 33), 16).map(w => w.length)).toEqual([16, 16])
    expect(() => windows([1], 16)).toThrow('got 1 tokens')
    expect(() => windows(text, 1)).toThrow('context 1')
  })

  test.each<[string, number[], PerplexityOptions]>([
    ['token 1.7 at 1', [1, 1.7, 3], {}],
    ['token 4294967301 at 0', [2 ** 32 + 5, 1, 3], {}],
    ['bytes 0', text, { bytes: 0 }],
    ['bytes NaN', text, { bytes: Number.NaN }],
  ])('refuses %s', async (reason, tokens, options) => {
    await expect(measurePerplexity(model, tokens, options)).rejects.toThrow(`got ${reason}`)
  })
})

test('a damaged model is an error, not a perplexity of NaN', async () => {
  const damaged = tinyLlama(device, 3)
  const { buf } = damaged.model.norm.weight.storage('test')
  device.backend.write(buf, new Uint8Array(new Float32Array([Number.NaN]).buffer))
  await expect(measurePerplexity(damaged, text, { context: 16 })).rejects.toThrow(EvaluationError)
  await expect(measurePerplexity(damaged, text)).rejects.toThrow('got a log-probability of NaN')
  await expect(compareModels(model, damaged, text)).rejects.toThrow('other model: got a log-probability of NaN')
  damaged.dispose()
})
