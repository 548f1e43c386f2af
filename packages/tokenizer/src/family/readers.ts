// The readers of the main entry: each knows every family that its kind of file may hold.

import { readCompact } from '../compact.js'
import { charsMapOf } from '../normalize/charsmap.js'
import { splitByRegex } from '../scan/regex.js'
import { type GgufMetadata, type GgufOptions, readGguf } from '../source/gguf.js'
import { jsonByteLevel, jsonCharacters, jsonUnigram } from '../source/json-models.js'
import { jsonScanned, scanByteLevel } from '../source/json-scan.js'
import { readLlama2c } from '../source/llama2c.js'
import { readSentencePiece, type SentencePieceOptions } from '../source/sentencepiece.js'
import { readTiktoken, type TiktokenOptions } from '../source/tiktoken.js'
import { readTokenizerJson, type TokenizerJsonOptions } from '../source/tokenizer-json.js'
import type { Tokenizer } from '../tokenizer.js'
import { byteLevel } from './byte-level.js'
import { characters } from './characters.js'
import { every } from './every.js'
import { unigram } from './unigram.js'

/**
 * A tokenizer from a `tokenizer.json` (text, bytes or the parsed object), BPE and Unigram models.
 *
 * @throws TokenizerError `tokenizer/bad-file` for JSON that is no tokenizer, `tokenizer/unsupported` for parts that
 * LLaMA-like models do not use; the message names the part.
 * @example
 * const tokenizer = fromTokenizerJson(await readFile('tokenizer.json'), { config: await readFile('tokenizer_config.json') })
 * tokenizer.encode('Hello')
 */
export function fromTokenizerJson(json: string | Uint8Array | object, options: TokenizerJsonOptions = {}): Tokenizer {
  const scanned = json instanceof Uint8Array ? scanByteLevel(json) : undefined
  if (scanned !== undefined) {
    try {
      return readTokenizerJson(scanned, options, every, [jsonScanned()])
    } catch {
      // Whatever is wrong with it, the careful reader below says it, or knows better.
    }
  }
  return readTokenizerJson(json, options, every, [jsonByteLevel, jsonCharacters, jsonUnigram])
}

/**
 * A tokenizer from the bytes of a SentencePiece `tokenizer.model` (BPE: LLaMA 1 and 2, Mistral, TinyLlama, Gemma; Unigram: T5
 * and others).
 *
 * @throws TokenizerError `tokenizer/bad-file` for bytes that are no SentencePiece model, `tokenizer/unsupported` for
 * word and character models.
 * @example
 * const tokenizer = fromSentencePiece(await readFile('tokenizer.model'))
 * tokenizer.encode('Hello') // Uint32Array [1, 15043]
 */
export function fromSentencePiece(bytes: Uint8Array, options: SentencePieceOptions = {}): Tokenizer {
  return readSentencePiece(bytes, options, [characters, unigram], charsMapOf)
}

/**
 * A tokenizer from a tiktoken rank file, as bytes or text.
 *
 * @throws TokenizerError `tokenizer/bad-file` for anything but base64 tokens with distinct ranks.
 * @example
 * const tokenizer = fromTiktoken(await readFile('tokenizer.model'), { encoding: 'llama3' })
 * tokenizer.encode('Hello') // Uint32Array [128000, 9906]
 */
export function fromTiktoken(file: Uint8Array | string, options: TiktokenOptions = {}): Tokenizer {
  return readTiktoken(file, options, [byteLevel], splitByRegex)
}

/**
 * A tokenizer from GGUF metadata, models `llama` (SentencePiece BPE) and `gpt2` (byte-level BPE), as llama.cpp reads it.
 *
 * @throws TokenizerError `tokenizer/bad-file` for missing or contradicting keys, `tokenizer/unsupported` for other
 * models and unknown splits.
 * @example
 * const tokenizer = fromGguf(gguf.metadata)
 * tokenizer.encode('Once upon a time')
 */
export function fromGguf(metadata: GgufMetadata, options: GgufOptions = {}): Tokenizer {
  return readGguf(metadata, options, [byteLevel, characters], splitByRegex)
}

/**
 * A tokenizer from the bytes of a llama2.c vocabulary (`tokenizer.bin`, `tok512.bin`).
 *
 * @throws TokenizerError `tokenizer/bad-file` for bytes that are no such vocabulary.
 * @example
 * const tokenizer = fromLlama2c(await readFile('tok512.bin'))
 * tokenizer.vocabSize // 512
 */
export function fromLlama2c(bytes: Uint8Array): Tokenizer {
  return readLlama2c(bytes, [characters])
}

/**
 * A tokenizer from the bytes that {@link toCompact} wrote.
 *
 * @throws TokenizerError `tokenizer/bad-file` for anything else.
 * @example
 * const tokenizer = fromCompact(new Uint8Array(await (await fetch('tokenizer.bin')).arrayBuffer()))
 */
export function fromCompact(bytes: Uint8Array): Tokenizer {
  return readCompact(bytes, every, charsMapOf)
}
