// Unigram: T5, ALBERT, XLM-R and what else SentencePiece trained by default.

import type { Family } from '../source/assemble.js'
import { innerScanner } from '../source/metaspace.js'
import { byteTokenIds } from '../source/scored.js'
import { Unigram } from '../unigram/unigram.js'

export const unigram: Family = {
  name: 'Unigram',
  has: recipe => recipe.unigram !== undefined,
  model({ table, scores, recipe, unknown, op }, pre) {
    const metaspace = recipe.metaspace === true
    return new Unigram(
      {
        table,
        scores: scores!,
        single: recipe.unigram === 'single',
        unknown,
        byteIds: recipe.byteFallback === true ? byteTokenIds(table) : new Int32Array(0),
        metaspace,
        scanner: innerScanner(pre, metaspace, op),
      },
      op,
    )
  },
}
