/** The literal checks of llama.cpp's own suite: the numbers are facts about its samplers, the tests around them ours. */
import { describe, expect, test } from 'vitest'
import { applied, kept, probsAfter } from '../test/helpers.js'
import {
  adaptiveP,
  Candidates,
  chain,
  dry,
  dynamicTemperature,
  minP,
  mirostat,
  mirostatV2,
  penalties,
  type Sampler,
  SamplingContext,
  sequenceBreakers,
  temperature,
  topK,
  topNSigma,
  topP,
  typicalP,
  xtc,
} from './index.js'

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

describe('xtc', () => {
  const from = [0.4, 0.3, 0.2, 0.1]
  const run = (threshold: number) => {
    const c = applied(from, [xtc({ probability: 0.99, threshold, seed: 0 })])
    return [...c.probs.subarray(0, c.size)].map(p => Number(p.toFixed(5)))
  }
  test('drops all but the least likely of the top choices', () => {
    expect(run(0.09)).toEqual([0.1])
    expect(run(0.19)).toEqual([0.2, 0.1])
    expect(run(0.29)).toEqual([0.3, 0.2, 0.1])
  })
  test('does nothing with one top choice, above 0.5, or below minKeep', () => {
    expect(kept(applied(from, [xtc({ probability: 1, threshold: 0.39 })]))).toEqual([0, 1, 2, 3])
    expect(kept(applied(from, [xtc({ probability: 1, threshold: 0.6 })]))).toEqual([0, 1, 2, 3])
    expect(kept(applied(from, [xtc({ probability: 1, threshold: 0.09, minKeep: 2 })]))).toEqual([0, 1, 2, 3])
    expect(kept(applied(from, [xtc({ probability: 0, threshold: 0.09 })]))).toEqual([0, 1, 2, 3])
  })
  test('acts as often as asked', () => {
    const stage = xtc({ probability: 0.3, threshold: 0.09, seed: 4 })
    let acted = 0
    for (let i = 0; i < 2000; i++) if (applied(from, [stage]).size === 1) acted++
    expect(Math.abs(acted / 2000 - 0.3)).toBeLessThan(0.035)
  })
})

describe('dry', () => {
  const even = [0.25, 0.25, 0.25, 0.25]
  const make =
    (multiplier: number, allowedLength: number, lastN: number, breakers: number[][] = []) =>
    () =>
      dry({ multiplier, base: 1.1, allowedLength, lastN, breakers })
  check('nothing repeats', even, make(1, 2, 4), even, [0, 1])
  check('the token that would repeat', even, make(1, 2, 5), [0.296923, 0.296923, 0.109232, 0.296923], [0, 1, 2, 0, 1])
  check('a breaker is free', flat, make(1, 2, 6, [[3]]), flat, [0, 1, 3, 4, 0, 1])
  check('twice as hard', flat, make(2, 2, 5), [0.241818, 0.241818, 0.032727, 0.241818, 0.241818], [0, 1, 2, 0, 1])
  check('short repetitions are allowed', flat, make(1, 4, 7), flat, [0, 1, 2, 3, 4, 0, 1])

  test('suffix matches equal the plain definition', () => {
    for (let seed = 0; seed < 200; seed++) {
      const history = Array.from({ length: 40 }, (_, i) => (Math.imul(i * 7 + seed, 2654435761) >>> 28) % 3)
      const breakers = [
        [2, 0],
        [1, 1, 2],
      ]
      const got = applied(
        [0.2, 0.3, 0.5],
        [dry({ multiplier: 1, base: 2, allowedLength: 1, lastN: -1, breakers })],
        history,
      )
      const plain = plainDry(history, breakers)
      for (let t = 0; t < 3; t++) {
        const penalty = Math.log([0.2, 0.3, 0.5][t]!) - got.logits[t]!
        expect(penalty / (plain[t]! || 1)).toBeCloseTo(plain[t] ? 1 : 0, 3)
      }
    }
  })

  function plainDry(history: number[], breakers: number[][]): number[] {
    const n = history.length
    let limit = n
    for (let i = 0; i < n; i++) {
      let longest = -1
      for (const b of breakers) {
        const at = n - 1 - i
        if (at + b.length <= n && b.every((t, o) => history[at + o] === t)) longest = Math.max(longest, b.length - 1)
      }
      if (longest >= 0) {
        limit = i - longest
        break
      }
    }
    return [0, 1, 2].map(token => {
      let best = -1
      for (let at = 0; at < n; at++) {
        if (history[at] !== token) continue
        let length = 0
        while (at - 1 - length >= 0 && history[at - 1 - length] === history[n - 1 - length]) length++
        best = Math.max(best, Math.min(length, limit))
      }
      return best >= 1 && limit >= 1 ? 2 ** (best - 1) : 0
    })
  }

  test('breakers from texts: whole tokens and overlapping ones', () => {
    const words = ['a', 'b', 'ab', 'xab', 'abc', 'xa', 'c', 'bc']
    const encode = (text: string) => [...text].map(c => words.indexOf(c))
    const found = sequenceBreakers(['abc'], { vocabSize: words.length, decode: t => words[t]!, encode })
    expect(found.sort()).toEqual([[0, 1, 6], [2, 6], [3, 6], [4], [5, 1, 6]])
  })
})

describe('top-n-sigma', () => {
  check('1', ramp, () => topNSigma(1), [0, 0, 0.428571, 0.571429])
  check('0 keeps all', ramp, () => topNSigma(0), ramp)
  check('3', ramp, () => topNSigma(3), ramp)
})

test('dynamic temperature: a flat distribution gets the hottest, a sure one the coldest', () => {
  expect(probsAfter([0.5, 0.5], [dynamicTemperature(1, { range: 0.5 })])[0]).toBeCloseTo(0.5, 5)
  const got = probsAfter([0.8, 0.2], [dynamicTemperature(1, { range: 0.5, exponent: 2 })])
  const h = -(0.8 * Math.log(0.8) + 0.2 * Math.log(0.2)) / Math.log(2)
  const t = 0.5 + h ** 2
  expect(got[0]).toBeCloseTo(0.8 ** (1 / t) / (0.8 ** (1 / t) + 0.2 ** (1 / t)), 5)
})

describe('feedback', () => {
  const zipf = Float32Array.from({ length: 2000 }, (_, i) => -1.2 * Math.log(i + 1))
  for (const [name, make] of [
    ['mirostat', () => mirostat({ tau: 3, seed: 1 })],
    ['mirostat 2', () => mirostatV2({ tau: 3, seed: 1 })],
  ] as const) {
    test(`${name} holds the surprise`, () => {
      const pick = chain(make())
      let surprise = 0
      for (let i = 0; i < 600; i++) {
        const token = pick.sample(zipf)
        if (i >= 100) surprise -= Math.log2(pick.candidates.probs[pick.candidates.selected]!)
        pick.accept(token)
      }
      expect(Math.abs(surprise / 500 - 3)).toBeLessThan(0.25)
    })
  }

  test('adaptive-p steers the probability of what is chosen towards the target', () => {
    const mean = (target: number) => {
      const pick = chain(adaptiveP({ target, seed: 2 }))
      const logits = Float32Array.from([0.5, 0.25, 0.15, 0.07, 0.03], Math.log)
      let sum = 0
      for (let i = 0; i < 1000; i++) {
        const token = pick.sample(logits)
        pick.accept(token)
        sum += Math.exp(logits[token]!)
      }
      return sum / 1000
    }
    expect(Math.abs(mean(0.3) - 0.3)).toBeLessThan(0.05)
    expect(mean(0.1)).toBeLessThan(mean(0.4))
  })

  test('adaptive-p transforms as published', () => {
    const probs = [0.6, 0.3, 0.1]
    const stage = adaptiveP({ target: 0.4, seed: 0 })
    const candidates = new Candidates()
    candidates.load(Float32Array.from(probs, Math.log))
    stage.apply(candidates, new SamplingContext())
    for (let i = 0; i < 3; i++) {
      const d = Math.abs(probs[i]! - 0.4) / 0.3
      expect(candidates.logits[i]).toBeCloseTo(5 - (10 * d * d) / (1 + d), 4)
    }
  })
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
