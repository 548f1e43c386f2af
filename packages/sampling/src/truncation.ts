/** Stages that rule out unlikely tokens, by count, mass, ratio or entropy. */
import type { Candidates } from './candidates.js'
import { ParameterError } from './errors.js'
import { integer, number } from './lib/check.js'
import { moments } from './lib/entropy.js'
import { exp, log } from './lib/numeric.js'
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
      if (p > 1) candidates.keepTop(least)
      else keepFloor(candidates, Math.fround(candidates.max() + offset), least)
    },
  }
}

/** Keeps what reaches the floor, or the `least` likeliest where fewer do. */
function keepFloor(candidates: Candidates, floor: number, least: number): void {
  const enough = least === 1 ? candidates.max() >= floor : candidates.countAtLeast(floor) >= least
  if (enough) candidates.keepAtLeast(floor)
  else candidates.keepTop(least)
}

/**
 * Locally typical sampling (Meister et al. 2022): keeps the tokens whose surprise is closest to the entropy, until
 * their probabilities exceed `p`. 1 keeps all.
 */
export function typicalP(p: number, { minKeep = 0 }: TruncationOptions = {}): Sampler {
  if (!(number('typicalP', 'p', p, 0, 1) > 0)) throw new ParameterError('typicalP', 'p', p, 'more than 0')
  integer('typicalP', 'minKeep', minKeep, 0)
  return {
    name: 'typical-p',
    apply(candidates) {
      if (p < 1) candidates.keepTypical(p, minKeep)
    },
  }
}

/**
 * Keeps tokens whose logit lies within `n` standard deviations of the largest (Tang et al. 2024). 0 and -1 keep all.
 * llama.cpp `top_n_sigma` -1. -Infinity does not count for the deviation.
 */
export function topNSigma(n: number): Sampler {
  number('topNSigma', 'n', n, -1, Number.MAX_VALUE)
  return {
    name: 'top-n-sigma',
    apply(candidates) {
      const { logits, size } = candidates
      if (n <= 0 || size <= 1) return
      let sum = 0
      let count = 0
      for (let i = 0; i < size; i++) {
        if (logits[i] === Number.NEGATIVE_INFINITY) continue
        sum += logits[i]!
        count++
      }
      const mean = count ? sum / count : 0
      let squares = 0
      for (let i = 0; i < size; i++) {
        if (logits[i] !== Number.NEGATIVE_INFINITY) squares += (logits[i]! - mean) ** 2
      }
      const deviation = count ? Math.sqrt(squares / count) : 0
      candidates.keepAtLeast(candidates.max() - n * deviation)
    },
  }
}

/** Keeps tokens with a probability of at least `epsilon` (Hewitt et al. 2022). HF `epsilon_cutoff`. */
export function epsilonCutoff(epsilon: number, { minKeep = 1 }: TruncationOptions = {}): Sampler {
  probability('epsilonCutoff', 'epsilon', epsilon)
  const least = Math.max(1, integer('epsilonCutoff', 'minKeep', minKeep, 0))
  return {
    name: 'epsilon-cutoff',
    apply: candidates => keepFloor(candidates, moments(candidates).logsumexp + log(epsilon), least),
  }
}

/** Epsilon cutoff that falls with the entropy: min(ε, √ε · e^-H) (Hewitt et al. 2022). HF `eta_cutoff`. */
export function etaCutoff(epsilon: number, { minKeep = 1 }: TruncationOptions = {}): Sampler {
  probability('etaCutoff', 'epsilon', epsilon)
  const least = Math.max(1, integer('etaCutoff', 'minKeep', minKeep, 0))
  return {
    name: 'eta-cutoff',
    apply(candidates) {
      const { logsumexp, entropy } = moments(candidates)
      keepFloor(candidates, logsumexp + log(Math.min(epsilon, Math.sqrt(epsilon) * exp(-entropy))), least)
    },
  }
}

/**
 * Keeps the likeliest tokens while the entropy they hold stays within `h` of the whole (Potraghloo et al. 2025).
 * Like HF's `top_h` it looks at the 100 likeliest only; `among` sets another number.
 */
export function topH(h: number, { among = 100 }: { among?: number } = {}): Sampler {
  if (!(number('topH', 'h', h, 0, 1) > 0)) throw new ParameterError('topH', 'h', h, 'more than 0 and at most 1')
  integer('topH', 'among', among, 1)
  return {
    name: 'top-h',
    apply(candidates) {
      if (among < candidates.size) candidates.keepTop(among)
      candidates.sort()
      candidates.softmax()
      const { probs, size } = candidates
      // the margin: at h = 1 rounding must not cost the last token
      const budget = moments(candidates).entropy * h * (1 + 1e-6)
      let held = 0
      let n = 0
      while (n < size) {
        const p = probs[n]!
        held -= p > 0 ? p * log(p) : 0
        if (n > 0 && held > budget) break
        n++
      }
      candidates.truncate(n)
    },
  }
}

function probability(op: string, name: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new ParameterError(op, name, value, 'a number between 0 and 1, both excluded')
}
