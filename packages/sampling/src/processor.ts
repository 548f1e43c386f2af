/** Wraps a plain function over the logits of the whole vocabulary as a stage. `chain` does so by itself. */
import type { Candidates } from './candidates.js'
import type { Processor, Sampler } from './sampler.js'

/**
 * @example
 * const noDigits = processor('no-digits', logits => logits.fill(-Infinity, 15, 25))
 */
export function processor(name: string, edit: Processor): Sampler {
  let scattered: Float32Array | undefined
  return {
    name,
    apply(candidates, context) {
      if (candidates.dense) {
        edit(candidates.logits, context)
      } else {
        scattered = scatter(candidates, scattered)
        edit(scattered, context)
        const { ids, logits, size } = candidates
        for (let i = 0; i < size; i++) logits[i] = scattered[ids[i]!]!
      }
      candidates.changed(name)
    },
    clone: () => processor(name, edit),
  }
}

function scatter(candidates: Candidates, reused: Float32Array | undefined): Float32Array {
  const { ids, logits, size, vocabSize } = candidates
  const full = reused?.length === vocabSize ? reused : new Float32Array(vocabSize)
  full.fill(Number.NEGATIVE_INFINITY)
  for (let i = 0; i < size; i++) full[ids[i]!] = logits[i]!
  return full
}
