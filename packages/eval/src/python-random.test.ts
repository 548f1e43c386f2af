/** Against CPython and lm-eval: tools/golden/eval_golden.py. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { standardError } from './metrics.js'
import { PythonRandom } from './python-random.js'

const golden = JSON.parse(readFileSync(new URL('../../../tools/golden/eval.json', import.meta.url), 'utf8')) as {
  random: {
    seed: number
    random: number[]
    samples: [n: number, k: number, drawn: number[]][]
    choices: number[]
    seeds: [number, number][]
  }
  bootstrap: { values: number[]; iterations: number; perplexity: number }
}

test('draws what Python draws, in its order', () => {
  const { seed, random, samples, choices } = golden.random
  const own = new PythonRandom(seed)
  expect(random.map(() => own.random())).toEqual(random)
  for (const [n, k, drawn] of samples) expect(own.sample([...Array(n).keys()], k)).toEqual(drawn)
  expect(own.choices([...Array(17).keys()], 10)).toEqual(choices)
})

test('is seeded as Python is, below 0 and above 32 bits too', () => {
  for (const [seed, first] of golden.random.seeds) expect(new PythonRandom(seed).random(), `${seed}`).toBe(first)
})

test('the bootstrap error of a perplexity is that of lm-eval', () => {
  const { values, iterations, perplexity } = golden.bootstrap
  expect(standardError('perplexity', values, iterations)).toBeCloseTo(perplexity, 10)
})
