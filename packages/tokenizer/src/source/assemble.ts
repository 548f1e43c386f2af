// From a vocabulary and a recipe to a model that encodes. Every way to read a tokenizer ends here, and so does reading
// back one that was saved. What families of models there are is the caller's choice, so that a bundle holds no others.

import type { Merges } from '../bpe/merger.js'
import type { VocabIndex } from '../bpe/vocab-index.js'
import { FULL, type TokenizerError, unsupported } from '../errors.js'
import type { Recipe, TextModel } from '../model.js'
import type { ReadNormalizer } from '../normalize/normalizer.js'
import type { TokenTable } from '../token-table.js'
import type { PreTokenizer, ReadSection } from './pre-tokenizer.js'

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
  readonly preTokenizer: ReadSection
  /** All but Unicode's normalisation forms. */
  readonly normalizer: ReadNormalizer
}

/** Builds the model. */
export function assemble(data: ModelData, pre: PreTokenizer, { families }: Pick<Abilities, 'families'>): TextModel {
  const { recipe, op } = data
  const family = families.find(each => each.has(recipe))
  if (family !== undefined) return family.model(data, pre)
  throw otherFamily('a model of another family', families, op)
}

/** The error for what no family of this entry is. */
export function otherFamily(got: string, families: readonly Family[], op: string): TokenizerError {
  return unsupported(op, got, families.map(each => each.name).join(' or '), FULL)
}
