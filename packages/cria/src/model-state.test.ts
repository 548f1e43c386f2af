/** Beam search over a real model: scores and lengths that transformers 5.24 gives for the same weights. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beamSearch } from '@cria/sampling/search'
import { expect, test } from 'vitest'
import { load } from './model.js'
import { States } from './model-state.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const stories = join(process.env.CRIA_SHARED ?? join(root, '..', 'shared'), 'models', 'stories260K.gguf')

/** `The dog was`, four beams of at most 40 tokens that end at a full stop or a comma. */
const prompt = [1, 291, 400, 428, 286]
const eos = [426, 432]
const cases: [earlyStopping: boolean | 'never', lengthPenalty: number, scores: number[], lengths: number[]][] = [
  [false, 1, [-0.46194, -0.4695, -0.4739, -0.48265], [20, 18, 20, 18]],
  [true, 1, [-0.4695, -0.48265, -0.49035, -0.58264], [18, 18, 10, 8]],
  ['never', 1, [-0.46114, -0.46194, -0.46485, -0.4695], [25, 20, 28, 18]],
  [false, 0, [-4.6611, -4.90346, -5.60092, -8.45098], [8, 10, 8, 18]],
  [true, 2, [-0.02608, -0.02681, -0.04903, -0.07283], [18, 18, 10, 8]],
  [false, 2, [-0.0166, -0.0184, -0.01845, -0.0192], [28, 27, 25, 26]],
  ['never', 2, [-0.0166, -0.01678, -0.0176, -0.01767], [28, 37, 34, 40]],
]

test.skipIf(!existsSync(stories))("beams stop where Hugging Face's do (needs the folder `shared`)", async () => {
  const loaded = await load(stories, { threads: 1 })
  const states = new States(loaded.model, { capacity: 64 })
  try {
    for (const [earlyStopping, lengthPenalty, scores, lengths] of cases) {
      const state = states.open()
      state.truncate(0)
      const options = { beams: 4, results: 4, maxTokens: 40, eos, earlyStopping, lengthPenalty }
      const found = await beamSearch(state, prompt, options)
      state.dispose?.()
      expect(found.map(({ tokens }) => tokens.length)).toEqual(lengths)
      found.forEach(({ score }, i) => void expect(score).toBeCloseTo(scores[i]!, 4))
    }
  } finally {
    states.dispose()
    await loaded.dispose()
  }
})
