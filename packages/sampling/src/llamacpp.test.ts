/** The literal checks of llama.cpp's own suite: the numbers are facts about its samplers, the tests around them ours. */
import { describe, expect, test } from 'vitest'
import { applied, kept, probsAfter } from '../test/helpers.js'
import { dynamicTemperature, minP, penalties, type Sampler, temperature, topK, topP, typicalP } from './index.js'

const ramp = [0.1, 0.2, 0.3, 0.4]
const flat = [0.2, 0.2, 0.2, 0.2, 0.2]

function check(title: string, from: number[], stage: () => Sampler, expected: number[], history: number[] = []): void {
  test(title, () => {
    const got = probsAfter(from, [stage()], history)
    for (let i = 0; i < expected.length; i++) expect(Math.abs(got[i]! - expected[i]!)).toBeLessThan(1e-5)
  })
}

describe('temperature', () => {
  check('1', ramp, () => temperature(1), ramp)
  check('0', ramp, () => temperature(0), [0, 0, 0, 1])
  check('dynamic, 1', ramp, () => dynamicTemperature(1, { range: 0 }), ramp)
  check('dynamic, 0', ramp, () => dynamicTemperature(0, { range: 0 }), [0, 0, 0, 1])
})

describe('top-k', () => {
  check('1', ramp, () => topK(1), [0, 0, 0, 1])
  check('3', ramp, () => topK(3), [0, 0.22222, 0.33333, 0.44444])
  check('4', ramp, () => topK(4), ramp)
  check('0 keeps all', ramp, () => topK(0), ramp)
})

describe('top-p', () => {
  check('0 keeps one', ramp, () => topP(0), [0, 0, 0, 1])
  check('0.7', ramp, () => topP(0.7), [0, 0, 0.428571, 0.571429])
  check('0.8', ramp, () => topP(0.8), [0, 0.22222, 0.33333, 0.44444])
  check('1 keeps all', ramp, () => topP(1), ramp)
})

describe('min-p', () => {
  for (const p of [0, 0.24]) check(`${p}`, ramp, () => minP(p), ramp)
  for (const p of [0.26, 0.49]) check(`${p}`, ramp, () => minP(p), [0, 0.2 / 0.9, 0.3 / 0.9, 0.4 / 0.9])
  for (const p of [0.51, 0.74]) check(`${p}`, ramp, () => minP(p), [0, 0, 0.3 / 0.7, 0.4 / 0.7])
  for (const p of [0.76, 1, 1.05]) check(`${p}`, ramp, () => minP(p), [0, 0, 0, 1])
})

describe('typical', () => {
  test('keeps the near-certain token', () => {
    const c = applied([0.97, 0.01, 0.01, 0.01], [typicalP(0.5)])
    expect(kept(c)).toEqual([0])
    expect(c.probs[0]).toBeCloseTo(0.97, 5)
  })
  test('drops the one that stands out', () => {
    const c = applied([0.4, 0.2, 0.2, 0.2], [typicalP(0.5)])
    expect(kept(c)).toEqual([1, 2, 3])
    expect([...c.probs.subarray(0, 3)].every(p => Math.abs(p - 0.2) < 1e-5)).toBe(true)
  })
})

describe('penalties', () => {
  const repeat = () => penalties({ repeat: 50, lastN: 5 })
  check('repeat, one token', flat, repeat, [0, 0.25, 0.25, 0.25, 0.25], [0])
  check('repeat, three tokens', flat, repeat, [0, 0, 0, 0.5, 0.5], [0, 1, 2])
  check('repeat counts a token once', flat, repeat, [0, 0, 0, 0.5, 0.5], [0, 1, 2, 0, 0])
  const counted = () => penalties({ frequency: 5, presence: 5, lastN: 5 })
  check('frequency and presence', flat, counted, [0.000011, 0.249997, 0.249997, 0.249997, 0.249997], [0])
  check('of three', flat, counted, [0.000023, 0.000023, 0.000023, 0.499966, 0.499966], [0, 1, 2])
  check('by count', flat, counted, [0, 0.000023, 0.000023, 0.499977, 0.499977], [0, 1, 2, 0, 0])
  check('only the last n', flat, () => penalties({ repeat: 50, lastN: 2 }), [1 / 3, 0, 0, 1 / 3, 1 / 3], [0, 1, 2])
})

describe('queues over 10,000 tokens with logits log(id)', () => {
  const n = 10_000
  const sequences: [string, number, number, number][] = [
    ['k', 10000, 1, 1],
    ['k', 1, 1, 1],
    ['p', 10000, 1, 1],
    ['p', 10000, 0, 1],
    ['m', 10000, 1, 1],
    ['m', 10000, 1, 1e-12],
    ['k', 100, 1, 1],
    ['p', 10000, 0.0003, 1],
    ['p', 10000, 0.8, 1],
    ['m', 10000, 1, 9997.9 / 9999],
    ['m', 10000, 1, 0.1],
    ...['kp', 'km', 'pk', 'pm', 'mk'].map(s => [s, 100, 0.8, 0.1] as [string, number, number, number]),
    ['mp', 100, 0.8, 9997.9 / 9999],
    ...['mp', 'kpm', 'kmp', 'pkm', 'pmk', 'mkp', 'mpk'].map(
      s => [s, 100, 0.8, 0.1] as [string, number, number, number],
    ),
  ]
  for (const [sequence, k, p, m] of sequences) {
    test(`${sequence} k=${k} p=${p} m=${m}`, () => {
      const probs = Array.from({ length: n }, (_, i) => i)
      const make: Record<string, () => Sampler> = { k: () => topK(k), p: () => topP(p), m: () => minP(m) }
      const stages = [...sequence].map(s => make[s]!())
      // the stages keep a top range of ids [low, n): each rule in whole numbers
      let low = 0
      for (const s of sequence) {
        if (s === 'k') low = Math.max(low, n - k)
        else if (s === 'm') low = Math.max(low, m <= 1e-9 ? 1 : Math.min(n - 1, Math.ceil(m * (n - 1))))
        else if (p < 1) {
          const total = (n * (n - 1) - low * (low - 1)) / 2
          let sum = 0
          let at = n
          do sum += --at
          while (sum < p * total)
          low = at
        }
      }
      const ids = kept(applied(probs, stages))
      const finite = ids.filter(id => id > 0 || low > 0)
      expect(finite[0]).toBe(low || 1)
      expect(finite.length).toBe(n - (low || 1))
    })
  }
})
