// @cria/tokenizer: exact tokenizers for the LLaMA family. One reader for each kind of file; take the one you need and
// the rest is left out of your bundle.

export type { AcceptToken, AddedToken, AllowSpecial } from './added-tokens.js'
export { fromCompact, toCompact } from './compact.js'
export { type DecodeOptions, StreamDecoder } from './decoder.js'
export { TokenizerError, type TokenizerErrorCode, type TokenizerErrorParts } from './errors.js'
export { type Llama2Message, renderLlama2Chat } from './llama2-chat.js'
export type { EncodingWithOffsets } from './offsets.js'
export { toTokenizerJson } from './save-json.js'
export { fromGguf, type GgufMetadata, type GgufOptions } from './source/gguf.js'
export { fromLlama2c } from './source/llama2c.js'
export { fromSentencePiece, type SentencePieceOptions } from './source/sentencepiece.js'
export { fromTiktoken, type TiktokenEncoding, type TiktokenOptions } from './source/tiktoken.js'
export { fromTokenizerJson, type TokenizerJsonOptions } from './source/tokenizer-json.js'
export { type EncodeOptions, Tokenizer } from './tokenizer.js'
export { linesOf, type TrainOptions, type TrainProgress, trainBpe } from './train/train.js'
