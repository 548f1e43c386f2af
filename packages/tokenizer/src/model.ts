// What the tokenizer needs from a family of models, and what a model is made of beside its vocabulary and merges.

import type { Merges } from './bpe/merger.js'
import type { IdSink } from './ids.js'
import type { ReadText } from './utf8.js'

/** What a model keeps from one stretch of text to the next where it goes on. */
export interface Carry {
  /** The sum of the scores so far, for models that weigh: it is rounded as it grows. */
  sum: number
}

/** Turns text without added tokens into ids. */
export interface TextModel {
  /** What merges into what, for models that merge. */
  readonly merges?: Merges
  /** Log-probability by id, for models that weigh. */
  readonly scores?: Float64Array
  /** How bytes are read whose decoder replaces malformed ones by themselves. Default: as sequences. */
  readonly readPerByte?: ReadText
  /**
   * Appends the ids of `text`, which is normalised, not empty, and free of added tokens. With `carry`, the text goes on
   * from what was encoded with it before.
   */
  encode(text: string, sink: IdSink, carry?: Carry): void
}

/** SentencePiece's own normalisation. */
export interface SentencePieceRules {
  readonly dummyPrefix: boolean
  readonly removeExtra: boolean
  /** The precompiled character map in base64. */
  readonly charsmap?: string | undefined
}

/**
 * How a model treats text, as data: what saving writes and loading reads. The sections are those of Hugging Face's
 * `tokenizer.json`.
 */
export interface Recipe {
  readonly byteLevel: boolean
  /** A Unigram model, and how precisely it adds up scores: as SentencePiece does or as Hugging Face does. */
  readonly unigram?: 'single' | 'double' | undefined
  /** Instead of {@link normalizer}, for models that were SentencePiece's. */
  readonly sentencePiece?: SentencePieceRules | undefined
  readonly normalizer?: unknown
  readonly preTokenizer?: unknown
  readonly decoder?: unknown
  /** A word that is a token as a whole is not merged. */
  readonly wholeWords?: boolean
  readonly byteFallback?: boolean
  readonly fuseUnknown?: boolean
  /** `▁` stands for a space, in tokens and text alike. */
  readonly metaspace?: boolean
}
