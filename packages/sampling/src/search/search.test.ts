import { describe, expect, test } from 'vitest'
import { chiSquared, gaussian } from '../../test/helpers.js'
import { constrain, GrammarVocabulary, gbnf } from '../grammar.js'
import {
  categorical,
  chain,
  greedy,
  logprobs,
  noRepeatNgram,
  penalties,
  StateError,
  temperature,
  topK,
} from '../index.js'
import { llamacpp } from '../presets.js'
import {
  beamSearch,
  bestOf,
  type ContrastiveModel,
  contrastiveSearch,
  draftModel,
  generate,
  type ModelState,
  modelOf,
  promptLookup,
  repetitionDetection,
  speculate,
} from '../search.js'

const VOCAB = 6

/** A model whose logits depend on the last two tokens. */
const toy = (seed: number, scale: number = 1.5, vocab: number = VOCAB): ModelState =>
  modelOf(tokens => gaussian(vocab, seed + (tokens.at(-1) ?? 0) * 31 + (tokens.at(-2) ?? 0) * 977, scale))

describe('beam search', () => {
  /** Every text of up to `length` tokens, token 0 ending it, with its score. */
  async function everything(model: ModelState, length: number): Promise<{ tokens: number[]; score: number }[]> {
    const out: { tokens: number[]; score: number }[] = []
    const visit = async (tokens: number[], logprob: number, state: ModelState, row: Float32Array): Promise<void> => {
      const { of } = logprobs(row)
      for (let t = 0; t < VOCAB; t++) {
        const next = [...tokens, t]
        const sum = logprob + of(t)
        if (t === 0 || next.length === length) out.push({ tokens: next, score: sum / next.length })
        else {
          const fork = await state.fork()
          await visit(next, sum, fork, (await fork.extend([t]))[0]!)
        }
      }
    }
    await visit([], 0, model, (await model.extend([1]))[0]!)
    return out.sort((a, b) => b.score - a.score)
  }

  test('wide enough, it finds the best of all texts', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const [best] = await everything(toy(seed), 4)
      const [found] = await beamSearch(toy(seed), [1], { beams: 200, maxTokens: 4, eos: 0 })
      expect(found!.tokens).toEqual(best!.tokens)
      expect(found!.score).toBeCloseTo(best!.score, 5)
    }
  })

  test('one beam is greedy', async () => {
    const [found] = await beamSearch(toy(3), [1], { beams: 1, maxTokens: 12 })
    const plain = await generate(toy(3), [1], { chain: chain(greedy()), maxTokens: 12 })
    expect(found!.tokens).toEqual(plain.tokens)
  })

  test('more beams, better or equal scores; results in order; states are let go', async () => {
    let live = 0
    const counted = (model: ModelState): ModelState => ({
      get length() {
        return model.length
      },
      extend: (tokens, all) => model.extend(tokens, all),
      truncate: n => model.truncate(n),
      fork: async () => {
        live++
        return counted(await model.fork())
      },
      dispose: () => live--,
    })
    const four = await beamSearch(counted(toy(8)), [1], { beams: 4, maxTokens: 8, eos: 0, results: 4 })
    expect(live).toBe(0)
    expect(four.map(r => r.score)).toEqual(four.map(r => r.score).sort((a, b) => b - a))
    const [one] = await beamSearch(toy(8), [1], { beams: 1, maxTokens: 8, eos: 0 })
    expect(four[0]!.score).toBeGreaterThanOrEqual(one!.score)
  })

  test('groups differ under a diversity penalty', async () => {
    const firsts = async (diversityPenalty: number) => {
      const found = await beamSearch(toy(2), [1], { beams: 3, groups: 3, maxTokens: 5, results: 3, diversityPenalty })
      return new Set(found.map(r => r.tokens[0])).size
    }
    expect(await firsts(0)).toBe(1)
    expect(await firsts(50)).toBe(3)
  })

  test('a chain shapes the beams, each by its own text', async () => {
    const low = chain(row => void row.fill(-Infinity, 2))
    const [found] = await beamSearch(toy(4), [1], { beams: 3, maxTokens: 6, chain: low })
    expect(Math.max(...found!.tokens)).toBeLessThan(2)
    const once = chain(penalties({ repeat: 1e6, lastN: -1 }), noRepeatNgram(1))
    const all = await beamSearch(toy(4), [1], { beams: 3, maxTokens: 5, results: 3, chain: once })
    for (const { tokens } of all) expect(new Set([1, ...tokens]).size).toBe(6)
  })

  test('a grammar holds every beam', async () => {
    const vocabulary = new GrammarVocabulary(['a', 'b', 'c', '(', ')', undefined], { eos: 5 })
    const grammar = gbnf('root ::= "(" root? ")" | [ab]{2,3}')
    const found = await beamSearch(toy(4), [1], {
      beams: 4,
      maxTokens: 9,
      eos: 5,
      results: 4,
      chain: chain(constrain(grammar, { vocabulary })),
    })
    const text = (tokens: readonly number[]) => tokens.map(t => ['a', 'b', 'c', '(', ')', ''][t]).join('')
    for (const { tokens, ended } of found)
      expect([text(tokens), ended ? grammar.matches(text(tokens)) : grammar.matchesPrefix(text(tokens))]).toEqual([
        text(tokens),
        true,
      ])
    expect(found[0]!.ended).toBe(true)
  })

  test('ranges', async () => {
    await expect(beamSearch(toy(1), [1], { beams: 4, groups: 3, maxTokens: 2 })).rejects.toThrow(
      /a divisor of beams = 4/,
    )
    await expect(beamSearch(toy(1), [], { beams: 4, maxTokens: 2 })).rejects.toThrow(/at least one token/)
  })
})

test('repetition detection ends a loop, the same with speculation', async () => {
  const loops = repetitionDetection({ minPattern: 2, maxPattern: 3, minCount: 3 })
  expect([loops([1, 2, 1, 2, 1, 2]), loops([1, 2, 1, 2, 2, 2]), loops([2, 2, 2, 2, 2])]).toEqual([true, false, false])
  expect([loops([9, 4, 5, 6, 4, 5, 6, 4, 5, 6]), loops([4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7])]).toEqual([true, false])
  const cycle = () =>
    modelOf(tokens => Float32Array.from({ length: 4 }, (_, i) => (i === (tokens.at(-1)! + 1) % 3 ? 1 : 0)))
  const options = { chain: chain(greedy()), maxTokens: 50, stopWhen: loops }
  const plain = await generate(cycle(), [0], options)
  expect(plain).toEqual({ tokens: [1, 2, 0, 1, 2, 0, 1, 2, 0], ended: false })
  const fast = await speculate(cycle(), [0], { ...options, chain: chain(greedy()), draft: promptLookup() })
  expect(fast.tokens).toEqual(plain.tokens)
  expect(() => repetitionDetection({ maxPattern: 2, minCount: 1 })).toThrow(/minCount = 1, expected at least 2/)
})

test('best of n: the prompt once, the best by score', async () => {
  const texts = await bestOf(toy(5), [1], { n: 6, chain: i => vllm2(i), maxTokens: 6, eos: 0 })
  expect(texts.length).toBe(6)
  expect(texts[0]!.score).toBe(Math.max(...texts.map(t => t.logprob / t.tokens.length)))
  const longest = await bestOf(toy(5), [1], {
    n: 6,
    chain: i => vllm2(i),
    maxTokens: 6,
    eos: 0,
    score: t => t.tokens.length,
  })
  expect(longest[0]!.tokens.length).toBe(Math.max(...texts.map(t => t.tokens.length)))
})
const vllm2 = (seed: number) => chain(categorical({ seed }))

test('contrastive search: alpha 0 is greedy; with alpha it turns from repeated states', async () => {
  const make = (): ContrastiveModel => from([])
  const from = (start: number[]): ContrastiveModel => {
    const tokens = [...start]
    let last: Float32Array[] = []
    return {
      get length() {
        return tokens.length
      },
      extend(more) {
        tokens.push(...more)
        // the state is the token itself: repeating it is full similarity
        last = more.map(t => Float32Array.from({ length: 4 }, (_, i) => (i === t ? 1 : 0.1)))
        return [Float32Array.of(1, 0.9, 0.8, 0.7)]
      },
      truncate(n) {
        tokens.length = n
      },
      fork: () => from(tokens),
      hidden: () => last,
    }
  }
  expect((await contrastiveSearch(make(), [3], { alpha: 0, k: 3, maxTokens: 4 })).tokens).toEqual([0, 0, 0, 0])
  expect((await contrastiveSearch(make(), [3], { alpha: 0.6, k: 3, maxTokens: 3 })).tokens).toEqual([0, 1, 2])
  // rules hold, each text by its own
  const once = chain(noRepeatNgram(1))
  const options = { alpha: 0, k: 3, maxTokens: 3, chain: once }
  expect((await contrastiveSearch(make(), [3], options)).tokens).toEqual([0, 1, 2])
  expect(once.context.length).toBe(0)
  // as many candidates as tokens: all of them
  expect((await contrastiveSearch(make(), [0], { alpha: 1, k: 4, maxTokens: 3 })).tokens).toEqual([1, 2, 3])
})

describe('speculative decoding is lossless', () => {
  const sources = {
    'prompt lookup': () => promptLookup(),
    'a poor draft model': () => draftModel(toy(99)),
    'a near draft model': () =>
      draftModel(modelOf(async t => (await toy(7, 1.5, 40).extend([...t]))[0]!.map((v, i) => v + (i % 3) * 0.1))),
    'the model itself': () => draftModel(toy(7, 1.5, 40)),
  }
  const chains = {
    greedy: () => chain(greedy()),
    'llama.cpp with penalties': () => llamacpp({ seed: 5, temperature: 0.9, repeat_penalty: 1.2, dry_multiplier: 0.8 }),
    'no repeated bigram': () => chain(noRepeatNgram(2), topK(5), categorical({ seed: 11 })),
  }
  for (const [name, source] of Object.entries(sources)) {
    for (const [kind, make] of Object.entries(chains)) {
      test(`${name}, ${kind}: the same text as without`, async () => {
        const prompt = [1, 2, 3, 4, 1, 2]
        const plain = await generate(toy(7, 1.5, 40), prompt, { chain: make(), maxTokens: 60, eos: 39 })
        for (const draftTokens of [1, 4, 9]) {
          const fast = await speculate(toy(7, 1.5, 40), prompt, {
            draft: source(),
            chain: make(),
            maxTokens: 60,
            eos: 39,
            draftTokens,
          })
          expect(fast.tokens).toEqual(plain.tokens)
          expect(fast.ended).toBe(plain.ended)
          expect(fast.passes).toBeLessThanOrEqual(plain.tokens.length)
          if (name === 'the model itself' && kind === 'greedy') {
            expect(fast.accepted).toBe(fast.drafted)
            expect(fast.passes).toBeLessThanOrEqual(1 + Math.ceil(plain.tokens.length / (draftTokens + 1)))
          }
        }
      })
    }
  }

  test('prompt lookup holds back where it fails, and comes back for another text', () => {
    const source = promptLookup({ minNgram: 1 })
    // the token before never followed by the same one: every guess fails
    const tokens = [1, 2]
    let guesses = 0
    for (let i = 0; i < 200; i++) {
      tokens.push(1, 3 + i)
      if ((source.propose(tokens.slice(0, -1), 3) as { tokens: number[] }).tokens.length) guesses++
    }
    expect(guesses).toBeGreaterThan(3)
    expect(guesses).toBeLessThan(30)
    expect(source.propose([5, 6, 5], 3)).toMatchObject({ tokens: [6, 5] })
    const copy = promptLookup()
    const text = [1, 2, 3, 4, 5, 6, 7, 8, 1]
    for (let i = 1; i < 8; i++) {
      expect(copy.propose(text, 1)).toMatchObject({ tokens: [i + 1] })
      text.push(i + 1)
    }
  })

  test('rejection: pairs of tokens have the exact joint distribution, and more guesses are taken than by matching', async () => {
    const target = () => toy(21, 1)
    const shape = () => [topK(5), temperature(0.9)]
    const exact: number[] = []
    const first = chain(...shape(), categorical({ seed: 1 }))
    const probsOf = (row: Float32Array): number[] => {
      first.sample(row)
      const { ids, probs, size } = first.candidates
      const all = Array.from(row, () => 0)
      for (let i = 0; i < size; i++) all[ids[i]!] = probs[i]!
      return all
    }
    const model = target()
    const p1 = probsOf((await model.extend([1, 2]))[0]!)
    for (let a = 0; a < VOCAB; a++) {
      const fork = await model.fork()
      const p2 = probsOf((await fork.extend([a]))[0]!)
      for (let b = 0; b < VOCAB; b++) {
        const third = await fork.fork()
        const p3 = probsOf((await third.extend([b]))[0]!)
        for (let c = 0; c < VOCAB; c++) exact.push(p1[a]! * p2[b]! * p3[c]!)
      }
    }
    const taken: Record<string, number> = {}
    // a draft that draws by the very seed of the chain must not show in the text
    for (const name of ['rejection', 'rejection, one seed', 'match'] as const) {
      const method = name === 'match' ? 'match' : 'rejection'
      const counts = exact.map(() => 0)
      let drafted = 0
      let accepted = 0
      let pick = chain(...shape(), categorical({ seed: 77 }))
      let guess = chain(temperature(1.1), categorical({ seed: 78 }))
      for (let i = 0; i < 6000; i++) {
        pick.context.clear()
        if (name === 'rejection, one seed') {
          pick = chain(...shape(), categorical({ seed: i }))
          guess = chain(temperature(1.1), categorical({ seed: i }))
        }
        const draft = draftModel(toy(22, 0.8), guess)
        const made = await speculate(target(), [1, 2], {
          draft,
          chain: pick,
          maxTokens: 3,
          draftTokens: 2,
          method,
          seed: i,
        })
        counts[made.tokens[0]! * 36 + made.tokens[1]! * 6 + made.tokens[2]!]!++
        drafted += made.drafted
        accepted += made.accepted
      }
      taken[name] = accepted / drafted
      // only cells with enough expected counts; the 0.9999 quantile of chi-squared with as many degrees of freedom
      const cells = exact.flatMap((p, i) => (p * 6000 >= 5 ? [i] : []))
      const rest = (list: number[]) => list.reduce((s, v, i) => (cells.includes(i) ? s : s + v), 0)
      const statistic = chiSquared(
        [...cells.map(i => counts[i]!), rest(counts)],
        [...cells.map(i => exact[i]!), rest(exact)],
      )
      const d = cells.length
      expect(statistic).toBeLessThan(d + 3.72 * Math.sqrt(2 * d) + 10)
    }
    expect(taken.rejection!).toBeGreaterThan(taken.match!)
  })

  test('rejection needs a distribution', async () => {
    const pick = chain(penalties({ repeat: 1.1 }), { name: 'mine', apply: c => void (c.selected = 0) })
    const options = { draft: promptLookup(), chain: pick, maxTokens: 3, method: 'rejection' as const }
    await expect(speculate(toy(1), [1], options)).rejects.toThrow(StateError)
  })
})
