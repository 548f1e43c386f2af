// @cria/tokenizer/byte-level: the readers of the main entry for byte-level BPE alone (Llama 3, GPT-2, GPT-4, Qwen), with the
// splits that are known by heart. For pages that count kilobytes.

import { readCompact } from './compact.js'
import { byteLevel } from './family/byte-level.js'
import { noCharsMap } from './normalize/sentencepiece.js'
import { knownOnly } from './scan/known.js'
import type { Abilities } from './source/assemble.js'
import { jsonByteLevel } from './source/json-models.js'
import { splits } from './source/splits.js'
import { readTiktoken, type TiktokenOptions } from './source/tiktoken.js'
import { readTokenizerJson, type TokenizerJsonOptions } from './source/tokenizer-json.js'
import type { Tokenizer } from './tokenizer.js'

export type { AcceptToken, AddedToken, AllowSpecial } from './added-tokens.js'
export { type DecodeOptions, StreamDecoder } from './decoder.js'
export { TokenizerError, type TokenizerErrorCode, type TokenizerErrorParts } from './errors.js'
export { type EncodingWithOffsets, encodePartsWithOffsets, encodeWithOffsets, truncate } from './offsets.js'
export type { TiktokenEncoding, TiktokenOptions } from './source/tiktoken.js'
export type { TokenizerJsonOptions } from './source/tokenizer-json.js'
export { type EncodeOptions, Tokenizer } from './tokenizer.js'

const abilities: Abilities = {
  families: [byteLevel],
  preTokenizer: /* @__PURE__ */ splits(knownOnly),
  normalizer: () => false,
}

/** `fromTokenizerJson` of the main entry, for byte-level BPE. */
export function fromTokenizerJson(json: string | Uint8Array | object, options: TokenizerJsonOptions = {}): Tokenizer {
  return readTokenizerJson(json, options, abilities, [jsonByteLevel])
}

/** `fromTiktoken` of the main entry, for byte-level BPE. */
export function fromTiktoken(file: Uint8Array | string, options: TiktokenOptions = {}): Tokenizer {
  return readTiktoken(file, options, [byteLevel], knownOnly)
}

/** `fromCompact` of the main entry, for byte-level BPE. */
export function fromCompact(bytes: Uint8Array): Tokenizer {
  return readCompact(bytes, abilities, noCharsMap)
}
