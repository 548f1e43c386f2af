// From a vocabulary and a recipe to a model that encodes. Every way to read a tokenizer ends here, and so does reading
// back one that was saved. What families of models there are is the caller's choice, so that a bundle holds no others.

import type { Merges } from '../bpe/merger.js'
import type { VocabIndex } from '../bpe/vocab-index.js'
import { FULL, unsupported } from '../errors.js'
import type { Recipe, TextModel } from '../model.js'
import type { OtherNormalizer } from '../normalize/normalizer.js'
import type { MakeCharsMap } from '../normalize/sentencepiece.js'
import type { OtherSplit } from '../scan/known.js'
import type { TokenTable } from '../token-table.js'
import type { OtherPreTokenizer, PreTokenizer } from './pre-tokenizer.js'

/** What a model is made of. */
export interface ModelData {
  readonly table: TokenTable
  readonly recipe: Recipe
  readonly merges?: Merges | undefined
  /** By id; merging models without {@link merges} merge by them. */
  readonly scores?: Float64Array | undefined
  readonly unknown: number | undefined
  /** The index of normal tokens, where the caller has it already. */
  readonly index?: VocabIndex | undefined
  readonly op: string
}

/** A kind of model. */
export interface Family {
  readonly name: string
  has(recipe: Recipe): boolean
  model(data: ModelData, pre: PreTokenizer): TextModel
}

/** What a reader can make of a file. */
export interface Abilities {
  readonly families: readonly Family[]
  /** Splits by regular expressions that are not known by heart. */
  readonly split: OtherSplit
  /** Pre-tokenizers and normalizers that few models use. */
  readonly preTokenizer: OtherPreTokenizer
  readonly normalizer: OtherNormalizer
  readonly charsMap: MakeCharsMap
}

/** Builds the model. */
export function assemble(data: ModelData, pre: PreTokenizer, { families }: Pick<Abilities, 'families'>): TextModel {
  const { recipe, op } = data
  const family = families.find(each => each.has(recipe))
  if (family !== undefined) return family.model(data, pre)
  const got = recipe.byteLevel ? 'byte-level BPE' : recipe.unigram === undefined ? 'BPE over characters' : 'Unigram'
  throw unsupported(op, `a model that is ${got}`, families.map(each => each.name).join(' or '), FULL)
}

/** Metaspace's prefix: a space before a stretch of text that has none. */
export function prefixOf(pre: PreTokenizer): ((text: string, first: boolean) => string) | undefined {
  const scheme = pre.metaspace?.scheme ?? 'never'
  if (scheme === 'never') return undefined
  return (text, first) =>
    (scheme === 'first' && !first) || text.startsWith(' ') || text.startsWith('\u2581') ? text : ` ${text}`
}
