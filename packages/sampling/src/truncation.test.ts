/** Top-p and typical-p narrow large vocabularies by bins before they sort: what is left equals the definition, bit by bit. */
import { describe, expect, test } from 'vitest'
import { gaussian } from '../test/helpers.js'
import { Candidates, type Sampler, SamplingContext, topP, typicalP } from './index.js'
import { exp } from './lib/numeric.js'

const context = new SamplingContext()

interface Left {
  readonly ids: number[]
  readonly probs: number[]
}

function left(stage: Sampler, logits: Float32Array): Left {
  const candidates = new Candidates()
  candidates.load(logits)
  stage.apply(candidates, context)
  const { ids, probs, size } = candidates
  return { ids: [...ids.subarray(0, size)], probs: [...probs.subarray(0, size)] }
}

/** Softmax in f32 and all ids, likeliest first; the lower id among equals. */
function ordered(logits: Float32Array): { probs: Float32Array; ids: number[]; mean: number; max: number } {
  const max = logits.reduce((a, b) => Math.max(a, b))
  const probs = new Float32Array(logits.length)
  let sum = 0
  let weighted = 0
  logits.forEach((logit, i) => {
    const e = exp(logit - max)
    probs[i] = e
    sum += e
    if (e > 0) weighted += e * (max - logit)
  })
  const scale = 1 / sum
  probs.forEach((p, i) => void (probs[i] = p * scale))
  const ids = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b)
  return { probs, ids, mean: weighted / sum, max }
}

/** The first ids until `done` says of the sum of their probabilities that it is enough. */
function until(ids: number[], probs: Float32Array, minKeep: number, done: (sum: number) => boolean): Left {
  let sum = 0
  let n = 0
  while (n < ids.length) {
    sum += probs[ids[n++]!]!
    if (n >= minKeep && done(sum)) break
  }
  const kept = ids.slice(0, n)
  return { ids: kept, probs: kept.map(id => probs[id]!) }
}

const definitions = {
  topP(logits: Float32Array, p: number, minKeep: number): Left {
    const { probs, ids } = ordered(logits)
    return until(ids, probs, minKeep, sum => Math.fround(sum) >= Math.fround(p))
  },
  typicalP(logits: Float32Array, p: number, minKeep: number): Left {
    const { probs, ids, mean, max } = ordered(logits)
    const center = max - mean
    const far = Float32Array.from(logits, logit => Math.abs(center - logit))
    // sort is stable: the likeliest first among equally near ones
    const nearest = [...ids].sort((a, b) => (far[a] === far[b] ? 0 : far[a]! - far[b]!))
    return until(nearest, probs, minKeep, sum => sum > p)
  },
}

/** Those at -Infinity are nobody's: they may be left out. */
const possible = ({ ids, probs }: Left): Left => ({
  ids: ids.filter((_, i) => probs[i]! > 0),
  probs: probs.filter(p => p > 0),
})

const shapes: [name: string, of: (n: number, seed: number) => Float32Array][] = [
  ['a bell', (n, seed) => gaussian(n, seed, 2.2)],
  ['a narrow bell', (n, seed) => gaussian(n, seed, 0.01)],
  ['a wide bell', (n, seed) => gaussian(n, seed, 30)],
  ['ties', (n, seed) => gaussian(n, seed, 2).map(Math.round)],
  ['all equal', n => new Float32Array(n).fill(-3)],
  ['half of it ruled out', (n, seed) => gaussian(n, seed, 2).map((v, i) => (i % 2 && n > 1 ? -Infinity : v))],
]

describe.each(shapes)('%s', (_, of) => {
  test.each(['topP', 'typicalP'] as const)('%s', name => {
    const make = { topP, typicalP }[name]
    for (const n of [1, 2, 40, 1025, 20_000]) {
      const logits = of(n, n)
      for (const p of [1e-6, 0.1, 0.5, 0.9, 0.95, 0.9999, 0.9999999]) {
        for (const minKeep of [0, 7, 3000]) {
          const got = possible(left(make(p, { minKeep }), logits))
          const wanted = possible(definitions[name](logits, p, minKeep))
          expect([n, p, minKeep, got.ids.length]).toEqual([n, p, minKeep, wanted.ids.length])
          const same = got.ids.every((id, i) => id === wanted.ids[i] && got.probs[i] === wanted.probs[i])
          expect([n, p, minKeep, same]).toEqual([n, p, minKeep, true])
        }
      }
    }
  })
})
