// From a vocabulary, its merges and a recipe to a model that encodes. Every way to read a tokenizer ends here, and so does
// reading back one that was saved.

import { ByteBpe } from '../bpe/byte-bpe.js'
import { CharBpe } from '../bpe/char-bpe.js'
import type { Merges } from '../bpe/merger.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import { unsupported } from '../errors.js'
import type { Recipe, TextModel } from '../model.js'
import type { Scanner } from '../scan/scanner.js'
import { Kind, type TokenTable } from '../token-table.js'
import { byteIdsOf } from './listed.js'
import { type PreTokenizer, scannerOf } from './pre-tokenizer.js'
import { byteTokenIds, charIdsOf, resegmenterOf } from './scored.js'

/** Builds the model. `index` is the index of normal tokens, where the caller has it already. */
export function assemble(
  table: TokenTable,
  merges: Merges,
  recipe: Recipe,
  pre: PreTokenizer,
  unknown: number | undefined,
  op: string,
  index?: VocabIndex,
): TextModel {
  const { wholeWords = false, metaspace = false } = recipe
  if (recipe.byteLevel) return byteModel(table, merges, scannerOf(pre), wholeWords, index, unknown, pre.prefixSpace)
  if (wholeWords) throw unsupported(op, 'ignore_merges without ByteLevel', 'ignore_merges with ByteLevel')
  // Once spaces are `▁`, a split at spaces finds nothing (Gemma has one).
  const scanners = metaspace ? pre.scanners.filter(s => !pre.spaceSplits.has(s)) : pre.scanners
  if (metaspace && scanners.length > 0) throw unsupported(op, 'a split besides Metaspace', 'Metaspace alone')
  const scanner = scanners.length > 0 ? scannerOf({ ...pre, scanners }) : undefined
  return charModel(table, merges, recipe, unknown, pre.metaspace?.split === true ? wordStarts : scanner)
}

/** A byte-level model. */
export function byteModel(
  table: TokenTable,
  merges: Merges,
  scanner: Scanner,
  wholeWords: boolean,
  index?: VocabIndex,
  unknown?: number,
  prefixSpace?: boolean,
): ByteBpe {
  const whole = wholeWords ? (index ?? new VocabIndex(table, kind => kind === Kind.normal)) : undefined
  return new ByteBpe({ merges, byteIds: byteIdsOf(table), scanner, whole, unknown, prefixSpace })
}

/** A character-level model. */
export function charModel(
  table: TokenTable,
  merges: Merges,
  recipe: Recipe,
  unknown: number | undefined,
  scanner?: Scanner,
): CharBpe {
  const chars = charIdsOf(table)
  return new CharBpe({
    table,
    chars,
    merges,
    byteIds: recipe.byteFallback === true ? byteTokenIds(table) : new Int32Array(0),
    unknown,
    fuseUnknown: recipe.fuseUnknown === true,
    metaspace: recipe.metaspace === true,
    scanner,
    resegment: resegmenterOf(table, chars, merges),
  })
}

/** Metaspace with `split`: every space begins a word. */
const wordStarts: Scanner = {
  next(b: Uint8Array, start: number, end: number): number {
    let p = start + 1
    while (p < end && b[p] !== 0x20) p++
    return p
  },
}

/** Metaspace's prefix: a space before a stretch of text that has none. */
export function prefixOf(pre: PreTokenizer): ((text: string, first: boolean) => string) | undefined {
  const scheme = pre.metaspace?.scheme ?? 'never'
  if (scheme === 'never') return undefined
  return (text, first) =>
    (scheme === 'first' && !first) || text.startsWith(' ') || text.startsWith('\u2581') ? text : ` ${text}`
}
