import { describe, expect, test } from 'vitest'
import { chiSquared, gaussian } from '../test/helpers.js'
import { guidance, ParameterError } from './index.js'
import { hf, llamacpp, vllm } from './presets.js'

const names = (pick: { stages: readonly { name: string }[] }): string[] => pick.stages.map(s => s.name)

describe('llamacpp', () => {
  test('order and defaults', () => {
    expect(names(llamacpp())).toEqual([
      'penalties',
      'dry',
      'top-n-sigma',
      'top-k',
      'typical-p',
      'top-p',
      'min-p',
      'xtc',
      'dynamic-temperature',
      'categorical',
    ])
  })
  test('samplers set the order; adaptive_p and mirostat pick', () => {
    expect(names(llamacpp({ samplers: ['temperature', 'top_k'] }))).toEqual([
      'dynamic-temperature',
      'top-k',
      'categorical',
    ])
    expect(names(llamacpp({ samplers: ['min_p', 'adaptive_p'], adaptive_target: 0.4 }))).toEqual([
      'min-p',
      'adaptive-p',
    ])
    expect(names(llamacpp({ mirostat: 2, logit_bias: { 1: false } }))).toEqual([
      'logit-bias',
      'temperature',
      'mirostat-v2',
    ])
  })
  test('temperature 0 is greedy, a seed reproduces', () => {
    const logits = gaussian(1000, 3, 2)
    expect(llamacpp({ temperature: 0 }).sample(logits)).toBe(logits.indexOf(Math.max(...logits)))
    const write = () => {
      const pick = llamacpp({ seed: 9, xtc_probability: 0.5, dry_multiplier: 0.8, repeat_penalty: 1.1 })
      return Array.from({ length: 20 }, (_, i) => {
        const token = pick.sample(gaussian(1000, i, 2))
        pick.accept(token)
        return token
      })
    }
    expect(write()).toEqual(write())
  })
  test('unknown names are refused', () => {
    expect(() => llamacpp({ samplers: ['magic' as never] })).toThrow(/samplers = "magic", expected penalties, dry/)
    expect(() => llamacpp({ mirostat: 3 as never })).toThrow(ParameterError)
  })
})

describe('hf', () => {
  test('greedy unless do_sample', () => {
    expect(names(hf({ temperature: 0.3 }))).toEqual(['greedy'])
    expect(names(hf({ do_sample: true }))).toEqual(['top-k', 'categorical'])
  })
  test('order', () => {
    const pick = hf({
      do_sample: true,
      temperature: 0.7,
      top_h: 0.5,
      top_k: 20,
      top_p: 0.9,
      min_p: 0.1,
      typical_p: 0.9,
      epsilon_cutoff: 0.01,
      eta_cutoff: 0.01,
      repetition_penalty: 1.2,
      no_repeat_ngram_size: 3,
      bad_words_ids: [[1], [2, 3]],
      min_new_tokens: 4,
      eos_token_id: 2,
      exponential_decay_length_penalty: [10, 1.1],
      suppress_tokens: [5],
      guidance_scale: 1.5,
      unconditional: () => new Float32Array(10),
      watermarking_config: {},
    })
    expect(names(pick)).toEqual([
      'guidance',
      'penalties',
      'no-repeat-ngram',
      'bad-words',
      'min-tokens',
      'exponential-length-penalty',
      'ban',
      'temperature',
      'top-h',
      'top-k',
      'top-p',
      'min-p',
      'typical-p',
      'epsilon-cutoff',
      'eta-cutoff',
      'watermark',
      'categorical',
    ])
    expect(() => hf({ min_new_tokens: 3 })).toThrow(/eos_token_id/)
  })
})

describe('vllm', () => {
  test('order and defaults', () => {
    expect(names(vllm())).toEqual(['penalties', 'temperature', 'top-k', 'top-p', 'categorical'])
    expect(names(vllm({ temperature: 0 })).at(-1)).toBe('greedy')
    expect(
      names(vllm({ min_p: 0.1, min_tokens: 3, stop_token_ids: 2, allowed_token_ids: [1, 2], bad_words: [[4]] })),
    ).toEqual([
      'allow',
      'bad-words',
      'min-tokens',
      'penalties',
      'temperature',
      'min-p',
      'top-k',
      'top-p',
      'categorical',
    ])
  })
  test('equal to the plain definition: bans, bias, penalties, temperature, min-p, top-k, top-p in this order', () => {
    const softmax = (logits: number[]): number[] => {
      const max = Math.max(...logits)
      const e = logits.map(v => Math.exp(v - max))
      const sum = e.reduce((a, b) => a + b)
      return e.map(v => v / sum)
    }
    for (let seed = 0; seed < 40; seed++) {
      const raw = gaussian(60, seed, 2.5)
      const prompt = [3, 9, 9, 14]
      const output = [21, 3, 21, 40]
      const [repeat, frequency, presence, heat, least, k, p] = [1.3, 0.4, -0.6, 0.7 + (seed % 5) / 5, 0.02, 25, 0.93]
      const pick = vllm({
        repetition_penalty: repeat,
        frequency_penalty: frequency,
        presence_penalty: presence,
        temperature: heat,
        min_p: least,
        top_k: k,
        top_p: p,
        logit_bias: { 5: 2, 7: -3 },
        bad_words: [[11], [40, 12], [1, 13]],
        min_tokens: 5,
        stop_token_ids: [2],
        seed,
      })
      pick.prompt(prompt)
      for (const token of output) pick.accept(token)
      pick.sample(raw)
      let logits = Array.from(raw)
      for (const banned of [2, 11, 12]) logits[banned] = -Infinity
      logits[5]! += 2
      logits[7]! -= 3
      logits = logits.map((v, t) => {
        const n = output.filter(o => o === t).length
        const seen = n > 0 || prompt.includes(t)
        const scaled = seen ? (v > 0 ? v / repeat! : v * repeat!) : v
        return (scaled - n * frequency! - (n > 0 ? presence! : 0)) / heat!
      })
      const probs = softmax(logits)
      logits = logits.map((v, t) => (probs[t]! < least! * Math.max(...probs) ? -Infinity : v))
      const kth = [...logits].sort((a, b) => b - a)[k! - 1]!
      logits = logits.map(v => (v < kth ? -Infinity : v))
      const left = softmax(logits)
      // from the least likely up, what lies within 1 - p goes
      const order = left.map((_, t) => t).sort((a, b) => left[a]! - left[b]!)
      let sum = 0
      for (const t of order.slice(0, -1)) {
        sum += left[t]!
        if (sum <= 1 - p!) logits[t] = -Infinity
      }
      const expected = softmax(logits)
      const { ids, probs: got, size } = pick.candidates
      expect(size).toBe(expected.filter(v => v > 0).length)
      for (let i = 0; i < size; i++) expect(got[i]).toBeCloseTo(expected[ids[i]!]!, 5)
    }
  })
  test('frequency and presence count the text, repetition the prompt too', () => {
    const pick = vllm({ repetition_penalty: 2, presence_penalty: 3, frequency_penalty: 1, temperature: 0 })
    pick.prompt([0])
    pick.accept(1)
    pick.accept(1)
    pick.sample(Float32Array.of(4, 4, 4))
    const { ids, logits } = pick.candidates
    expect([ids[0], logits[0]]).toEqual([2, 4])
    const seen = vllm({ repetition_penalty: 2, presence_penalty: 3, frequency_penalty: 1 })
    seen.prompt([0])
    seen.accept(1)
    seen.accept(1)
    seen.sample(Float32Array.of(4, 4, 4))
    expect([...seen.candidates.logits]).toEqual([2, -3, 4])
  })
})

test('what a preset draws follows what it leaves', () => {
  const logits = gaussian(12, 8, 1.5)
  const options = { temperature: 1.2, top_k: 9, top_p: 0.95, min_p: 0.01 }
  for (const [name, pick] of Object.entries({
    llamacpp: llamacpp({ ...options, seed: 3 }),
    hf: hf({ ...options, do_sample: true, seed: 4 }),
    vllm: vllm({ ...options, seed: 5 }),
  })) {
    const counts = new Array<number>(12).fill(0)
    const exact = new Array<number>(12).fill(0)
    for (let i = 0; i < 40_000; i++) counts[pick.sample(logits)]!++
    const { ids, probs, size } = pick.candidates
    for (let i = 0; i < size; i++) exact[ids[i]!] = probs[i]!
    expect(size).toBeGreaterThan(4)
    expect(counts.every((n, id) => n === 0 || exact[id]! > 0)).toBe(true)
    // the 0.999 quantile for 8 degrees of freedom
    expect([name, chiSquared(counts, exact) < 26.1]).toEqual([name, true])
  }
})

describe('guidance', () => {
  test('the formula, on log-probabilities', () => {
    const cond = Float32Array.of(1, 2, 3)
    const uncond = Float32Array.of(3, 2, 1)
    const pick = hf({ guidance_scale: 1.5, unconditional: () => uncond })
    expect(pick.sample(cond)).toBe(2)
    const lse = (l: Float32Array) => Math.log(l.reduce((s, v) => s + Math.exp(v), 0))
    for (let i = 0; i < 3; i++) {
      const u = uncond[i]! - lse(uncond)
      expect(pick.candidates.logits[i]).toBeCloseTo(1.5 * (cond[i]! - lse(cond) - u) + u, 5)
    }
  })
  test('another vocabulary is refused', () => {
    const pick = hf({ guidance_scale: 2, unconditional: () => new Float32Array(2) })
    expect(() => pick.sample(new Float32Array(3))).toThrow(/got 2 logits, expected 3/)
    expect(() => guidance(2, undefined as never)).toThrow(ParameterError)
  })
})
