/** Hugging Face's processors on seeded logits; `tools/golden/sampling_golden.py` writes the fixture. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  badWords,
  Candidates,
  chain,
  epsilonCutoff,
  etaCutoff,
  exponentialLengthPenalty,
  minLength,
  minP,
  minTokens,
  noRepeatNgram,
  noRepeatPromptNgram,
  penalties,
  promptRepetition,
  type Sampler,
  SamplingContext,
  sequenceBias,
  temperature,
  topH,
  topK,
  topP,
  typicalP,
  watermark,
} from './index.js'
import { type HfOptions, hf } from './presets.js'
import { beamSearch, modelOf } from './search.js'

interface Fixture {
  tokens: number[]
  promptLength: number
  rows: number[][]
  chains: { options: Record<string, unknown>; probs: number[][] }[]
  table: number[][]
  beams: { options: Record<string, unknown>; results: { tokens: number[]; score: number }[] }[]
  cases: { name: string; args: never[]; rows: (Record<string, number> & { out: number[] })[] }[]
}

const fixture = JSON.parse(readFileSync(new URL('../test/golden/hf.json', import.meta.url), 'utf8')) as Fixture

const make: Record<string, (...args: never[]) => Sampler> = {
  temperature,
  topK,
  topP,
  minP,
  typicalP,
  epsilonCutoff,
  etaCutoff,
  topH,
  repetition: (repeat: number) => penalties({ repeat, lastN: -1 }),
  promptRepetition,
  noRepeatNgram,
  noRepeatPromptNgram,
  badWords,
  sequenceBias,
  minTokens,
  minLength,
  exponentialLengthPenalty,
  watermark,
}

describe('as in Hugging Face', () => {
  for (const { name, args, rows } of fixture.cases) {
    test(`${name} ${JSON.stringify(args)}`, () => {
      rows.forEach((expected, r) => {
        const row = fixture.rows[r]!
        const stage = make[name]!(...args)
        const context = new SamplingContext()
        fixture.tokens.forEach((token, i) => {
          context.push(token, i < fixture.promptLength)
          stage.accept?.(token, context)
        })
        const candidates = new Candidates()
        candidates.load(Float32Array.from(row))
        stage.apply(candidates, context)
        const got = new Map<number, number>()
        for (let i = 0; i < candidates.size; i++) got.set(candidates.ids[i]!, candidates.logits[i]!)
        const out = row.map((_, id) => id).filter(id => (got.get(id) ?? -Infinity) === -Infinity)
        expect(out).toEqual(expected.out)
        for (const [id, logit] of got) {
          if (logit === -Infinity || (name === 'temperature' && id > 2)) continue
          expect(logit).toBeCloseTo(expected[id] ?? row[id]!, 4)
        }
      })
    })
  }
})

describe('as generate composes them', () => {
  for (const { options, probs } of fixture.chains) {
    test(JSON.stringify(options), () => {
      fixture.rows.forEach((row, r) => {
        const pick = hf({ ...(options as HfOptions), eos_token_id: 39, seed: 1 })
        pick.prompt(fixture.tokens.slice(0, fixture.promptLength))
        for (const token of fixture.tokens.slice(fixture.promptLength)) pick.accept(token)
        const token = pick.sample(Float32Array.from(row))
        const { ids, size } = pick.candidates
        pick.candidates.softmax()
        const got = row.map(() => 0)
        for (let i = 0; i < size; i++) got[ids[i]!] = pick.candidates.probs[i]!
        probs[r]!.forEach((p, id) => {
          if (Math.abs(got[id]! - p) > 2e-5) expect([r, id, got[id]]).toEqual([r, id, p])
        })
        if (!options.do_sample) expect(token).toBe(probs[r]!.indexOf(Math.max(...probs[r]!)))
      })
    })
  }
})

describe('beam search finds what Hugging Face finds', () => {
  for (const { options: o, results } of fixture.beams) {
    test(JSON.stringify(o), async () => {
      const repeat = o.repetition_penalty as number | undefined
      const rules = chain(
        ...(repeat ? [penalties({ repeat, lastN: -1 }), noRepeatNgram(o.no_repeat_ngram_size as number)] : []),
        ...(o.min_new_tokens ? [minTokens(o.min_new_tokens as number, 0)] : []),
      )
      const found = await beamSearch(
        modelOf(tokens => Float32Array.from(fixture.table[tokens.at(-1)!]!)),
        [3, 5],
        {
          beams: o.num_beams as number,
          results: results.length,
          lengthPenalty: (o.length_penalty as number | undefined) ?? 1,
          earlyStopping: o.early_stopping === true,
          maxTokens: 8,
          eos: 0,
          chain: rules,
        },
      )
      expect(found.map(f => f.tokens)).toEqual(results.map(r => r.tokens))
      found.forEach((f, i) => void expect(f.score).toBeCloseTo(results[i]!.score, 4))
    })
  }
})
