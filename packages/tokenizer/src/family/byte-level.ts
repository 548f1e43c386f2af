// Byte-level BPE: GPT-2, Llama 3, Qwen, SmolLM and most others.

import { ByteBpe } from '../bpe/byte-bpe.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import type { Scanner } from '../scan/scanner.js'
import type { Family } from '../source/assemble.js'
import { byteIdsOf } from '../source/listed.js'
import { NORMAL } from '../token-table.js'

/** The whole text is one word where nothing splits it. */
const whole: Scanner = { next: (_bytes, _start, end) => end }

export const byteLevel: Family = {
  name: 'byte-level BPE',
  has: recipe => recipe.byteLevel,
  model({ table, merges, recipe, index, unknown }, pre) {
    return new ByteBpe({
      merges: merges!,
      byteIds: byteIdsOf(table),
      scanner: pre.scanners.length === 0 ? whole : pre.chain(pre.scanners),
      whole: recipe.wholeWords === true ? () => index ?? new VocabIndex(table, kind => kind === NORMAL) : undefined,
      unknown,
      prefixSpace: pre.prefixSpace,
    })
  },
}
