// Byte-level BPE: GPT-2, Llama 3, Qwen, SmolLM and most others.

import { ByteBpe } from '../bpe/byte-bpe.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import type { Family } from '../source/assemble.js'
import { byteIdsOf } from '../source/listed.js'
import { scannerOf } from '../source/pre-tokenizer.js'
import { Kind } from '../token-table.js'

export const byteLevel: Family = {
  name: 'byte-level BPE',
  has: recipe => recipe.byteLevel,
  model({ table, merges, recipe, index, unknown }, pre) {
    return new ByteBpe({
      merges: merges!,
      byteIds: byteIdsOf(table),
      scanner: scannerOf(pre),
      whole: recipe.wholeWords === true ? (index ?? new VocabIndex(table, kind => kind === Kind.normal)) : undefined,
      unknown,
      prefixSpace: pre.prefixSpace,
    })
  },
}
