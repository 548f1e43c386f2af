// @cria/tokenizer/unigram: the readers of the main entry for Unigram models alone (T5, ALBERT, XLM-R). For pages that
// count kilobytes.

import { readCompact } from './compact.js'
import { unigram } from './family/unigram.js'
import { charsMapOf } from './normalize/charsmap.js'
import { fullNormalizer, plainPattern } from './normalize/full.js'
import type { Abilities } from './source/assemble.js'
import { jsonUnigram } from './source/json-models.js'
import { metaspace } from './source/metaspace.js'
import { readSentencePiece, type SentencePieceOptions } from './source/sentencepiece.js'
import { readTokenizerJson, type TokenizerJsonOptions } from './source/tokenizer-json.js'
import type { Tokenizer } from './tokenizer.js'

export type { AcceptToken, AddedToken, AllowSpecial } from './added-tokens.js'
export { type DecodeOptions, StreamDecoder } from './decoder.js'
export { TokenizerError, type TokenizerErrorCode, type TokenizerErrorParts } from './errors.js'
export { type EncodingWithOffsets, encodePartsWithOffsets, encodeWithOffsets, truncate } from './offsets.js'
export type { SentencePieceOptions } from './source/sentencepiece.js'
export type { TokenizerJsonOptions } from './source/tokenizer-json.js'
export { type EncodeOptions, Tokenizer } from './tokenizer.js'

const abilities: Abilities = {
  families: [unigram],
  preTokenizer: metaspace,
  normalizer: /* @__PURE__ */ fullNormalizer(plainPattern),
}

/** `fromTokenizerJson` of the main entry, for Unigram models. */
export function fromTokenizerJson(json: string | Uint8Array | object, options: TokenizerJsonOptions = {}): Tokenizer {
  return readTokenizerJson(json, options, abilities, [jsonUnigram])
}

/** `fromSentencePiece` of the main entry, for Unigram models. */
export function fromSentencePiece(bytes: Uint8Array, options: SentencePieceOptions = {}): Tokenizer {
  return readSentencePiece(bytes, options, [unigram], charsMapOf)
}

/** `fromCompact` of the main entry, for Unigram models. */
export function fromCompact(bytes: Uint8Array): Tokenizer {
  return readCompact(bytes, abilities, charsMapOf)
}
