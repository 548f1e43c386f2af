/** Classifier-free guidance: pushes the text away from what the model says without, or against, the instruction. */
import type { SamplingContext } from './context.js'
import { LogitsError, ParameterError } from './errors.js'
import { number } from './lib/check.js'
import { exp, log } from './lib/numeric.js'
import type { Sampler } from './sampler.js'

/**
 * `scale · (log p - log p₀) + log p₀` on log-probabilities; 1 is no guidance. HF `guidance_scale` with
 * `negative_prompt_ids`. `unconditional` returns the logits of the second run (f32, one per token) at this position.
 *
 * @example
 * chain(guidance(1.5, context => runWithoutPrompt(context.tokens)), topK(40), categorical({ seed: 1 }))
 */
export function guidance(scale: number, unconditional: (context: SamplingContext) => Float32Array): Sampler {
  number('guidance', 'scale', scale, 0, Number.MAX_VALUE)
  if (typeof unconditional !== 'function') {
    throw new ParameterError('guidance', 'unconditional', unconditional, 'a function that returns logits')
  }
  return {
    name: 'guidance',
    apply(candidates, context) {
      if (scale === 1) return
      const other = unconditional(context)
      if (other.length !== candidates.vocabSize) {
        const expected = `${candidates.vocabSize}, as in the guided run`
        throw new LogitsError('guidance', `${other.length} logits`, expected, 'Run the same model twice.')
      }
      const { logits, ids, size } = candidates
      const own = normaliser(logits, size)
      const theirs = normaliser(other, other.length)
      for (let i = 0; i < size; i++) {
        const logit = logits[i]!
        const base = other[ids[i]!]! - theirs
        // out on one side is out; the formula would give NaN
        if (logit === Number.NEGATIVE_INFINITY || base === Number.NEGATIVE_INFINITY)
          logits[i] = Number.NEGATIVE_INFINITY
        else logits[i] = scale * (logit - own - base) + base
      }
      candidates.changed('guidance')
    },
  }
}

function normaliser(logits: Float32Array, size: number): number {
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < size; i++) if (logits[i]! > max) max = logits[i]!
  let sum = 0
  for (let i = 0; i < size; i++) sum += exp(logits[i]! - max)
  return max + log(sum)
}
