import { describe, expect, test } from 'vitest'
import { chiSquared, frequencies, gaussian, probsAfter } from '../test/helpers.js'
import {
  adaptiveP,
  ban,
  categorical,
  chain,
  greedy,
  LogitsError,
  logitBias,
  minP,
  mirostat,
  mirostatV2,
  ParameterError,
  penalties,
  processor,
  Random,
  type Sampler,
  StateError,
  temperature,
  thinkingBudget,
  topK,
  topP,
  typicalP,
} from './index.js'

const standard = (seed: number) =>
  chain(penalties({ repeat: 1.1 }), topK(40), minP(0.05), temperature(0.8), categorical({ seed }))

function write(pick: ReturnType<typeof standard>, n: number): number[] {
  const tokens: number[] = []
  for (let i = 0; i < n; i++) {
    const token = pick.sample(gaussian(500, i, 2))
    pick.accept(token)
    tokens.push(token)
  }
  return tokens
}

describe('reproducibility', () => {
  test('a seed gives the same tokens, for ever', () => {
    expect(write(standard(42), 12)).toMatchInlineSnapshot(`
      [
        451,
        22,
        122,
        20,
        97,
        33,
        224,
        268,
        149,
        252,
        353,
        240,
      ]
    `)
    expect(write(standard(42), 12)).toEqual(write(standard(42), 12))
    expect(write(standard(43), 12)).not.toEqual(write(standard(42), 12))
  })

  test('reset replays, clone forks', () => {
    const pick = standard(1)
    const first = write(pick, 20)
    pick.reset()
    expect(write(pick, 20)).toEqual(first)
    const fork = pick.clone()
    const a = write(pick, 20)
    expect(write(fork, 20)).toEqual(a)
    expect(fork.context.length).toBe(40)
    fork.accept(3)
    expect(pick.context.length).toBe(40)
  })

  test('a copy made between drawing and accepting learns what the original learns', () => {
    const random = new Random(5)
    const table = (size: number, scale: number) =>
      Array.from({ length: 60 }, () => Float32Array.from({ length: size }, () => random.next() * scale))
    for (const [stage, rows] of [
      [mirostat({ seed: 1, tau: 2.5, eta: 1 }), table(60, 8)],
      [mirostatV2({ seed: 1, tau: 2.5, eta: 1 }), table(60, 8)],
      [adaptiveP({ seed: 1, target: 0.3, decay: 0.9 }), table(6, 3)],
    ] as const) {
      const pick = chain(stage)
      const go = (c: typeof pick, from: number, to: number) =>
        rows.slice(from, to).map(row => {
          const token = c.sample(row)
          c.accept(token)
          return [token, c.candidates.probs[c.candidates.selected]]
        })
      go(pick, 0, 10)
      const token = pick.sample(rows[10]!)
      const copy = pick.clone()
      for (const each of [pick, copy]) each.accept(token)
      expect([copy.stages[0]!.name, go(copy, 11, 60)]).toEqual([pick.stages[0]!.name, go(pick, 11, 60)])
    }
  })

  test('a temperature so low that logits leave the range of f32 takes the likeliest', () => {
    for (const value of [1e-37, 1e-40, Number.MIN_VALUE])
      for (const logits of [
        [3, 5, -2, 5],
        [-7, -5, -9, -5],
        [-3e38, 3e38, 0, 3e38],
      ])
        expect(frequencies([temperature(value), categorical({ seed: 1 })], Float32Array.from(logits), 40)).toEqual([
          0,
          expect.any(Number),
          0,
          expect.any(Number),
        ])
  })

  test('sampled frequencies follow the exact distribution', () => {
    const probs = [0.35, 0.25, 0.2, 0.1, 0.06, 0.04]
    const logits = Float32Array.from(probs, Math.log)
    const stages = [topK(5), temperature(0.7), categorical({ seed: 5 })]
    const exact = probsAfter(probs, stages.slice(0, 2))
    // 4 degrees of freedom: 18.5 is the 0.999 quantile
    expect(chiSquared(frequencies(stages, logits, 100_000), exact)).toBeLessThan(18.5)
  })
})

describe('protocol', () => {
  const logits = Float32Array.of(0.1, 2.5, -1, 2.4)

  test('greedy takes the likeliest', () => {
    expect(chain(greedy()).sample(logits)).toBe(1)
    expect(chain(temperature(0), categorical({ seed: 1 })).sample(logits)).toBe(1)
  })

  test('a plain function edits the logits and sees the context', () => {
    const seen: number[][] = []
    const pick = chain((l, context) => {
      seen.push([...context.tokens])
      l[1] = -Infinity
    }, greedy())
    pick.prompt([7, 8])
    expect(pick.sample(logits)).toBe(3)
    pick.accept(3)
    pick.sample(logits)
    expect(seen).toEqual([
      [7, 8],
      [7, 8, 3],
    ])
    expect([pick.context.promptLength, pick.context.generated, pick.context.at(-1)]).toEqual([2, 1, 3])
  })

  test('a function after truncation sees -Infinity for what is out', () => {
    let seen: number[] = []
    const pick = chain(topK(2), l => (seen = [...l]) && (l[1] = -9) && undefined, greedy())
    expect(pick.sample(logits)).toBe(3)
    expect(seen.map(v => v > -Infinity)).toEqual([false, true, false, true])
  })

  test('chains nest', () => {
    const inner = chain(topK(2), temperature(0.5))
    const pick = chain(penalties({ repeat: 2 }), inner, categorical({ seed: 3 }))
    pick.accept(pick.sample(logits))
    expect(pick.context.length).toBe(1)
    expect(pick.clone().stages.map(s => s.name)).toEqual(['penalties', 'chain', 'categorical'])
  })

  test('logit bias and bans', () => {
    expect(chain(logitBias({ 0: 5 }), greedy()).sample(logits)).toBe(0)
    expect(chain(logitBias([[1, false]]), greedy()).sample(logits)).toBe(3)
    expect(chain(ban([1, 3, 99]), greedy()).sample(logits)).toBe(0)
    expect(chain(topK(3), ban([1, 3]), greedy()).sample(logits)).toBe(0)
  })
})

describe('errors', () => {
  test('a chain without a picking stage says so', () => {
    const error = catching(() => chain(topK(2)).sample(Float32Array.of(1, 2, 3)))
    expect(error).toBeInstanceOf(StateError)
    expect(error.message).toBe(
      'chain: got top-k, expected a stage that picks a token. End the chain with categorical() or greedy().',
    )
    expect((error as unknown as Record<symbol, unknown>)[Symbol.for('cria.error')]).toBe(true)
  })

  test('everything ruled out, NaN from a processor', () => {
    expect(() => chain(ban([0, 1]), greedy()).sample(Float32Array.of(1, 2))).toThrow(LogitsError)
    expect(() => chain(ban([0, 1]), categorical()).sample(Float32Array.of(1, 2))).toThrow(/every token ruled out/)
    const spoil = processor('spoil', l => l.fill(Number.NaN))
    expect(() => chain(spoil, greedy()).sample(Float32Array.of(1, 2))).toThrow(/^spoil: got logit NaN/)
  })

  test('ranges, by name', () => {
    for (const [make, parameter] of [
      [() => topK(1.5), 'k'],
      [() => topP(1.2), 'p'],
      [() => topP(Number.NaN), 'p'],
      [() => minP(-0.1), 'p'],
      [() => typicalP(0), 'p'],
      [() => temperature(-1), 'value'],
      [() => temperature(Infinity), 'value'],
      [() => penalties({ repeat: 0 }), 'repeat'],
      [() => penalties({ lastN: -2 }), 'lastN'],
      [() => logitBias({ 3: Number.NaN }), 'bias of token 3'],
      [() => logitBias({ [-3]: 1 }), 'token'],
      [() => categorical({ seed: 0.5 }), 'seed'],
      [() => chain('x' as never), 'stage 0'],
    ] as [() => unknown, string][]) {
      const error = catching(make)
      expect(error).toBeInstanceOf(ParameterError)
      expect((error as ParameterError).parameter).toBe(parameter)
    }
    expect(() => topP(1.2)).toThrow('topP: got p = 1.2, expected a number from 0 to 1. It is a probability.')
  })

  test('a stage with state needs clone', () => {
    const stage: Sampler = { name: 'mine', apply() {}, accept() {} }
    expect(() => chain(stage).clone()).toThrow(/mine, which has state but no clone/)
  })
})

function catching(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

test('thinking budget: the end is forced token by token, and only inside', () => {
  const pick = chain(thinkingBudget(2, { start: [7], end: [8, 9] }), greedy())
  const logits = Float32Array.from({ length: 10 }, (_, i) => (i === 1 ? 5 : 0))
  pick.prompt([3, 7])
  const write = () => {
    const token = pick.sample(logits)
    pick.accept(token)
    return token
  }
  expect(Array.from({ length: 6 }, write)).toEqual([1, 1, 8, 9, 1, 1])
  pick.accept(7)
  for (const token of [1, 8]) pick.accept(token)
  expect([write(), write(), write()]).toEqual([8, 9, 1])
  expect(() => thinkingBudget(1, { start: [], end: [1] })).toThrow(ParameterError)
})
