/** Hugging Face's processors on seeded logits; `test/hf.py` writes the fixture. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  badWords,
  Candidates,
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

interface Fixture {
  tokens: number[]
  promptLength: number
  rows: number[][]
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
