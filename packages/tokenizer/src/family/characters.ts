// BPE over characters with byte fallback: LLaMA 1 and 2, Mistral, TinyLlama, Gemma.

import { CharBpe } from '../bpe/char-bpe.js'
import type { Merges } from '../bpe/merger.js'
import { unsupported } from '../errors.js'
import type { Family, ModelData } from '../source/assemble.js'
import { innerScanner } from '../source/metaspace.js'
import { byteTokenIds, charIdsOf, resegmenterOf, scoredMerges } from '../source/scored.js'

const family = (mergesOf: (data: ModelData) => Merges): Family => ({
  name: 'BPE over characters',
  has: recipe => !recipe.byteLevel && recipe.unigram === undefined,
  model(data, pre) {
    const { table, recipe, unknown, op } = data
    if (recipe.wholeWords === true)
      throw unsupported(op, 'ignore_merges without ByteLevel', 'ignore_merges with ByteLevel')
    const merges = mergesOf(data)
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
})

/** From files that have scores. */
export const characters: Family = /* @__PURE__ */ family(({ table, scores, op }) => scoredMerges(table, scores!, op))

/** From files that list their merges. */
export const listedCharacters: Family = /* @__PURE__ */ family(({ merges }) => merges!)
