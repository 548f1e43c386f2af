import type { GenerateRequest, LanguageModel, LoglikelihoodRequest } from '@cria/eval'
import { story } from '@cria/world'
import { expect, test } from 'vitest'
import { type Answers, ask } from './ask.js'
import { plotOf, spread } from './spread.js'

const stories = Array.from({ length: 300 }, (_, i) => story(8, i, 'heldout'))

/** A model whose likeliest answer is the one that a rule likes best, and that writes `written`. */
const answering = (likes: (request: LoglikelihoodRequest) => number, written: string): LanguageModel => ({
  loglikelihood: async (requests: readonly LoglikelihoodRequest[]) =>
    requests.map(request => ({ logprob: likes(request), greedy: false })),
  generateUntil: async (requests: readonly GenerateRequest[]) => requests.map(() => written),
  loglikelihoodRolling: async () => [],
})

test('the plot of a story is known by its events, and a spread counts plots and endings', () => {
  const known = stories.filter(({ tale }) => plotOf(tale.events.map(({ kind }) => kind)) === tale.sketch.plot)
  expect(known.length).toBe(stories.length)
  const world = spread(stories.map(({ text }) => text))
  expect(Object.keys(world.plots)).toHaveLength(18)
  expect(world.even).toBeGreaterThan(15)
  const same = spread([...stories.slice(0, 2), stories[0]!, stories[0]!].map(({ text }) => text))
  expect(same.plots[stories[0]!.tale.sketch.plot]).toBeGreaterThanOrEqual(0.75)
  expect(same.even).toBeLessThan(2)
  expect(spread(['Something else.'])).toMatchObject({ plots: { none: 1 }, even: 1, endings: { none: 1 } })
})

test('who always says that it ended happily is right in a third', async () => {
  const options = { seed: 3, stories: 20, written: 3 }
  const happily = answering(
    ({ continuation }) => Number(/happily\.$/.test(continuation) && !/sadly/.test(continuation)),
    'It ended happily.',
  )
  const { ending, person } = (await ask(happily, options)).about as Record<string, Answers>
  expect(ending!.accuracy).toBeCloseTo(1 / 3)
  expect(ending!.questions).toBe(12)
  expect(ending!.written.asked).toBe(3)
  expect(person!.written).toEqual({ asked: 3, exact: 0 })
})

test('with and without the story are told apart, and what is written counts to the letter', async () => {
  const reads = answering(({ context, continuation }) => {
    const [text, asked] = context.split('\n\nQuestion: ')
    const name = /(\w+)\.$/.exec(continuation)![1]!
    return asked === undefined ? 0 : Number(new RegExp(`\\b${name}\\b`).test(text!))
  }, '')
  const { about } = await ask(reads, { seed: 3, stories: 20, written: 0 })
  expect(about.person!.accuracy).toBeGreaterThan(0.5)
  expect(about.person!.blind).toBeLessThan(0.4)
  expect(about.person!.written).toEqual({ asked: 0, exact: 0 })
})
