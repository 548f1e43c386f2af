/** Stages that rule out unlikely tokens: top-k, top-p, min-p, typical. */
import { ParameterError } from './errors.js'
import { integer, number } from './lib/check.js'
import { log } from './lib/numeric.js'
import { orderDescending } from './lib/sort.js'
import type { Sampler } from './sampler.js'

export interface TruncationOptions {
  /** Keep at least so many tokens. llama.cpp `min_keep` 0, HF `min_tokens_to_keep` 1; the likeliest always stays. */
  minKeep?: number
}

/**
 * Keeps the `k` likeliest tokens; 0 keeps all. llama.cpp 40, HF 50, vLLM 0 (also -1).
 *
 * @example
 * chain(topK(40), categorical({ seed: 1 }))
 */
export function topK(k: number, { minKeep = 0 }: TruncationOptions = {}): Sampler {
  integer('topK', 'k', k, -1)
  const kept = Math.max(k, integer('topK', 'minKeep', minKeep, 0))
  return {
    name: 'top-k',
    apply(candidates) {
      if (k > 0) candidates.keepTop(kept)
    },
  }
}

/**
 * Keeps the smallest set of likeliest tokens whose probabilities reach `p` (nucleus sampling). 1 keeps all, 0 one.
 * llama.cpp 0.95, HF and vLLM 1.
 */
export function topP(p: number, { minKeep = 0 }: TruncationOptions = {}): Sampler {
  number('topP', 'p', p, 0, 1, 'It is a probability.')
  integer('topP', 'minKeep', minKeep, 0)
  return {
    name: 'top-p',
    apply(candidates) {
      if (p < 1) candidates.keepMass(p, minKeep)
    },
  }
}

/**
 * Keeps tokens at least `p` times as likely as the likeliest; 0 keeps all, more than 1 keeps one (as in llama.cpp).
 * llama.cpp 0.05, vLLM 0.
 */
export function minP(p: number, { minKeep = 0 }: TruncationOptions = {}): Sampler {
  number('minP', 'p', p, 0, Number.MAX_VALUE)
  const least = Math.max(1, integer('minP', 'minKeep', minKeep, 0))
  const offset = log(Math.fround(p))
  return {
    name: 'min-p',
    apply(candidates) {
      if (p <= 0) return
      const floor = Math.fround(candidates.max() + offset)
      if (p > 1 || (least > 1 && candidates.countAtLeast(floor) < least)) candidates.keepTop(least)
      else candidates.keepAtLeast(floor)
    },
  }
}

/**
 * Locally typical sampling (Meister et al. 2022): keeps the tokens whose surprise is closest to the entropy, until
 * their probabilities exceed `p`. 1 keeps all.
 */
export function typicalP(p: number, { minKeep = 0 }: TruncationOptions = {}): Sampler {
  if (!(number('typicalP', 'p', p, 0, 1) > 0)) throw new ParameterError('typicalP', 'p', p, 'more than 0')
  integer('typicalP', 'minKeep', minKeep, 0)
  let nearness = new Float32Array(0)
  return {
    name: 'typical-p',
    apply(candidates) {
      if (p >= 1) return
      candidates.sort()
      candidates.softmax()
      const { probs, size } = candidates
      if (nearness.length < size) nearness = new Float32Array(candidates.vocabSize)
      let entropy = 0
      for (let i = 0; i < size; i++) {
        const surprise = -log(probs[i]!)
        nearness[i] = -surprise
        if (probs[i]! > 0) entropy += probs[i]! * surprise
      }
      for (let i = 0; i < size; i++) nearness[i] = -Math.abs(nearness[i]! + entropy)
      const order = orderDescending(nearness, size)
      let sum = 0
      let n = 0
      while (n < size) {
        sum += probs[order[n++]!]!
        if (sum > p && n >= minKeep) break
      }
      candidates.select(order, n)
    },
    clone: () => typicalP(p, { minKeep }),
  }
}
