// BPE over characters with byte fallback: LLaMA 1 and 2, Mistral, TinyLlama, Gemma.

import { CharBpe } from '../bpe/char-bpe.js'
import { unsupported } from '../errors.js'
import type { Family } from '../source/assemble.js'
import { innerScanner } from '../source/metaspace.js'
import { byteTokenIds, charIdsOf, resegmenterOf, scoredMerges } from '../source/scored.js'

export const characters: Family = {
  name: 'BPE over characters',
  has: recipe => !recipe.byteLevel && recipe.unigram === undefined,
  model({ table, merges: listed, scores, recipe, unknown, op }, pre) {
    if (recipe.wholeWords === true)
      throw unsupported(op, 'ignore_merges without ByteLevel', 'ignore_merges with ByteLevel')
    const merges = listed ?? scoredMerges(table, scores!, op)
    const chars = charIdsOf(table)
    return new CharBpe({
      table,
      chars,
      merges,
      byteIds: recipe.byteFallback === true ? byteTokenIds(table) : new Int32Array(0),
      unknown,
      fuseUnknown: recipe.fuseUnknown === true,
      metaspace: recipe.metaspace === true,
      scanner: innerScanner(pre, recipe.metaspace === true, op),
      resegment: resegmenterOf(table, chars, merges),
    })
  },
}
