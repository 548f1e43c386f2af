// @cria/tokenizer: exact tokenizers for the LLaMA family. One reader for each kind of file; take the one you need and
// the rest is left out of your bundle.

export type { AcceptToken, AddedToken, AllowSpecial } from './added-tokens.js'
export { toCompact } from './compact.js'
export { type DecodeOptions, StreamDecoder } from './decoder.js'
export { TokenizerError, type TokenizerErrorCode, type TokenizerErrorParts } from './errors.js'
export {
  fromCompact,
  fromGguf,
  fromLlama2c,
  fromSentencePiece,
  fromTiktoken,
  fromTokenizerJson,
} from './family/readers.js'
export { type Llama2Message, renderLlama2Chat } from './llama2-chat.js'
export { type EncodingWithOffsets, encodePartsWithOffsets, encodeWithOffsets, truncate } from './offsets.js'
export { toTokenizerJson } from './save-json.js'
export type { GgufMetadata, GgufOptions } from './source/gguf.js'
export type { SentencePieceOptions } from './source/sentencepiece.js'
export type { TiktokenEncoding, TiktokenOptions } from './source/tiktoken.js'
export type { TokenizerJsonOptions } from './source/tokenizer-json.js'
export { type StreamEncodeOptions, StreamEncoder } from './stream/encoder.js'
export { type EncodeOptions, Tokenizer } from './tokenizer.js'
export { linesOf, type TrainOptions, type TrainProgress, trainBpe } from './train/train.js'
