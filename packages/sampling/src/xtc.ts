/** Exclude top choices: at times drops every likely token but the least likely of them (p-e-w, 2024). */
import { integer, number } from './lib/check.js'
import type { SeededSampler, SeedOptions } from './pick.js'
import { Random } from './random.js'

export interface XtcOptions extends SeedOptions {
  /** Chance of acting at a token. llama.cpp `xtc_probability` 0: off. */
  probability: number
  /** Tokens at least so likely count as top choices; above 0.5 it never acts. llama.cpp `xtc_threshold` 0.1. */
  threshold?: number
  /** Do not act where fewer tokens would be left. */
  minKeep?: number
}

/**
 * @example
 * chain(xtc({ probability: 0.5, seed: 1 }), temperature(0.8), categorical({ seed: 1 }))
 */
export function xtc({ probability, threshold = 0.1, minKeep = 0, seed }: XtcOptions): SeededSampler {
  number('xtc', 'probability', probability, 0, 1)
  number('xtc', 'threshold', threshold, 0, 1)
  integer('xtc', 'minKeep', minKeep, 0)
  return make(probability, threshold, minKeep, new Random(seed, 1))
}

function make(probability: number, threshold: number, minKeep: number, random: Random): SeededSampler {
  return {
    name: 'xtc',
    seed: random.seed,
    apply(candidates) {
      if (probability <= 0 || threshold > 0.5 || candidates.size < 2) return
      if (random.next() > probability) return
      candidates.sort()
      candidates.softmax()
      const { probs, size } = candidates
      let last = 0
      for (let i = 1; i < size && probs[i]! >= threshold; i++) last = i
      if (last > 0 && size - last >= minKeep) candidates.dropFirst(last)
    },
    reset() {
      random.index = 0
    },
    clone: () => make(probability, threshold, minKeep, random.clone()),
  }
}
