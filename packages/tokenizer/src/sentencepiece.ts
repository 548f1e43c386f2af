// @cria/tokenizer/sentencepiece: the readers of the main entry for BPE over characters alone (LLaMA 1 and 2, Mistral,
// TinyLlama, Gemma). For pages that count kilobytes.

import { readCompact } from './compact.js'
import { characters, listedCharacters } from './family/characters.js'
import { noCharsMap } from './normalize/sentencepiece.js'
import { spaces } from './normalize/spaces.js'
import type { Abilities } from './source/assemble.js'
import { jsonCharacters } from './source/json-models.js'
import { readLlama2c } from './source/llama2c.js'
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
  families: [listedCharacters],
  preTokenizer: metaspace,
  normalizer: spaces,
}

/** `fromTokenizerJson` of the main entry, for BPE over characters. */
export function fromTokenizerJson(json: string | Uint8Array | object, options: TokenizerJsonOptions = {}): Tokenizer {
  return readTokenizerJson(json, options, abilities, [jsonCharacters])
}

/** `fromSentencePiece` of the main entry, for BPE over characters. */
export function fromSentencePiece(bytes: Uint8Array, options: SentencePieceOptions = {}): Tokenizer {
  return readSentencePiece(bytes, options, [characters], noCharsMap)
}

/** `fromLlama2c` of the main entry, for BPE over characters. */
export function fromLlama2c(bytes: Uint8Array): Tokenizer {
  return readLlama2c(bytes, [characters])
}

/** `fromCompact` of the main entry, for BPE over characters. */
export function fromCompact(bytes: Uint8Array): Tokenizer {
  return readCompact(bytes, abilities, noCharsMap)
}
