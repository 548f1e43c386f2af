/**
 * Adaptive-p (llama.cpp pull request 17927): prefers tokens near a target probability and shifts the target by a
 * moving average of what was chosen. It picks; cut the tail first, e.g. with min-p.
 */
import { number } from './lib/check.js'
import { draw, type SeededSampler, type SeedOptions } from './pick.js'
import { Random } from './random.js'

export interface AdaptivePOptions extends SeedOptions {
  /** Probability to aim at, 0 to 1; negative: a plain draw. llama.cpp `adaptive_target` -1. */
  target: number
  /** Memory of the average, 0 to 0.99; about 1 / (1 - decay) tokens. llama.cpp `adaptive_decay` 0.9. */
  decay?: number
}

const WIDTH = 0.3
const PEAK = 5
const SHARPNESS = 10

/**
 * @example
 * chain(minP(0.05), adaptiveP({ target: 0.5, seed: 1 }))
 */
export function adaptiveP({ target, decay = 0.9, seed }: AdaptivePOptions): SeededSampler {
  number('adaptiveP', 'target', target, -1, 1)
  number('adaptiveP', 'decay', decay, 0, 0.99)
  return make(target, decay, new Random(seed), fresh(target, decay))
}

/** The moving average, and what was drawn but not yet accepted. */
interface State {
  sum: number
  weight: number
  pending: number
  probability: number
}
const fresh = (target: number, decay: number): State => ({
  sum: target / (1 - decay),
  weight: 1 / (1 - decay),
  pending: -1,
  probability: 0,
})

function make(target: number, decay: number, random: Random, begin: State): SeededSampler {
  let original = new Float32Array(0)
  let state = { ...begin }
  return {
    name: 'adaptive-p',
    seed: random.seed,
    apply(candidates) {
      candidates.softmax()
      if (target < 0) {
        candidates.selected = draw(candidates, random, 'adaptive-p')
        return
      }
      const { probs, logits, size } = candidates
      if (original.length < size) original = new Float32Array(candidates.vocabSize)
      original.set(probs.subarray(0, size))
      const { sum, weight } = state
      const aim = Math.min(1, Math.max(0, weight === 0 ? target : 2 * target - sum / weight))
      for (let i = 0; i < size; i++) {
        if (logits[i] === Number.NEGATIVE_INFINITY) continue
        const distance = Math.abs(probs[i]! - aim) / WIDTH
        // quadratic near the target, linear in the tails
        logits[i] = PEAK - (SHARPNESS * distance * distance) / (1 + distance)
      }
      candidates.changed('adaptive-p')
      candidates.softmax()
      candidates.selected = draw(candidates, random, 'adaptive-p')
      state.pending = candidates.token!
      state.probability = original[candidates.selected]!
    },
    accept(token) {
      if (token === state.pending) {
        state.sum = state.probability + decay * state.sum
        state.weight = 1 + decay * state.weight
      }
      state.pending = -1
    },
    reset() {
      state = fresh(target, decay)
      random.index = 0
    },
    clone: () => make(target, decay, random.clone(), state),
  }
}
