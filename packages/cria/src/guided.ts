/** Two runs side by side: the text, and the same tokens after the prompt that guidance steers away from. */
import type { SamplingContext } from '@cria/sampling'
import type { ModelState } from '@cria/sampling/search'

export interface Guided {
  readonly model: ModelState
  /** Logits of the other run where the text stands. */
  readonly unconditional: (context: SamplingContext) => Float32Array
}

/** `other` takes in `otherPrompt` where `model` takes in its prompt. */
export function guided(model: ModelState, other: ModelState, otherPrompt: readonly number[]): Guided {
  /** By length of the text: those of the last step, and of the prompt for texts that start there anew. */
  const rows = new Map<number, Float32Array>()
  let promptLength = 0
  const pair = (own: ModelState, theirs: ModelState): ModelState => ({
    get length() {
      return own.length
    },
    async extend(tokens, all = false) {
      const begins = own.length === 0
      if (begins) promptLength = tokens.length
      for (const length of rows.keys()) if (length !== promptLength) rows.delete(length)
      const made = await own.extend(tokens, all)
      const others = await theirs.extend(begins ? otherPrompt : tokens, all)
      others.forEach((row, i) => void rows.set(own.length - others.length + i + 1, row))
      return made
    },
    fork: async () => pair(await own.fork(), await theirs.fork()),
    truncate(length) {
      own.truncate(length)
      theirs.truncate(length - promptLength + otherPrompt.length)
    },
    dispose() {
      own.dispose?.()
      theirs.dispose?.()
    },
  })
  return { model: pair(model, other), unconditional: context => rows.get(context.length)! }
}
