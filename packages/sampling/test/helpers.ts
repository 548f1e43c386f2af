/** Small tools that the tests share. */
import { Candidates, chain, Random, type Sampler, SamplingContext } from '../src/index.js'

/** log of probabilities as f32 logits. */
export const logitsOf = (probs: number[]): Float32Array => Float32Array.from(probs, Math.log)

/** Applies stages to the log of `probs`, after accepting `history`; returns the candidates. */
export function applied(probs: number[], stages: Sampler[], history: number[] = []): Candidates {
  const candidates = new Candidates()
  candidates.load(logitsOf(probs))
  const context = new SamplingContext()
  context.vocabSize = probs.length
  for (const token of history) {
    context.push(token)
    for (const stage of stages) stage.accept?.(token, context)
  }
  for (const stage of stages) stage.apply(candidates, context)
  return candidates
}

/** Probability per token id after the stages; tokens that are out have 0. */
export function probsAfter(probs: number[], stages: Sampler[], history: number[] = []): number[] {
  const c = applied(probs, stages, history)
  c.softmax()
  const result = probs.map(() => 0)
  for (let i = 0; i < c.size; i++) result[c.ids[i]!] = c.probs[i]!
  return result
}

/** The ids still in, ascending. */
export const kept = (c: Candidates): number[] => [...c.ids.subarray(0, c.size)].sort((a, b) => a - b)

/** Gaussian logits from a seed. */
export function gaussian(n: number, seed: number, scale: number = 1): Float32Array {
  const random = new Random(seed)
  return Float32Array.from({ length: n }, () => {
    const r = Math.sqrt(-2 * Math.log(1 - random.next()))
    return scale * r * Math.cos(2 * Math.PI * random.next())
  })
}

/** Pearson's statistic of counts against probabilities. */
export function chiSquared(counts: number[], probs: number[]): number {
  const n = counts.reduce((a, b) => a + b, 0)
  return probs.reduce((sum, p, i) => (p > 0 ? sum + (counts[i]! - n * p) ** 2 / (n * p) : sum), 0)
}

/** How often each token is drawn in `n` samples from the same logits. */
export function frequencies(stages: Sampler[], logits: Float32Array, n: number): number[] {
  const pick = chain(...stages)
  const counts = Array.from(logits, () => 0)
  for (let i = 0; i < n; i++) counts[pick.sample(logits)]!++
  return counts
}
