// Trains BPE vocabularies from texts: byte-level as GPT-2 and Llama 3 have them, or over characters with byte fallback
// as LLaMA 1 and 2 have them.

import { show, TokenizerError } from '../errors.js'
import { every } from '../family/every.js'
import { BYTE_LEVEL, CL100K, GPT2, isolate, O200K, QWEN2, splitSection } from '../scan/known.js'
import { splitByRegex } from '../scan/regex.js'
import { jsonByteLevel, jsonCharacters } from '../source/json-models.js'
import { sentencePieceDecoder } from '../source/scored.js'
import { readTokenizerJson } from '../source/tokenizer-json.js'
import { byteToUnit } from '../token-table.js'
import type { Tokenizer } from '../tokenizer.js'
import { codePointAt, sizeOf, textOf, utf8 } from '../utf8.js'
import { type Corpus, mergeLoop } from './merge-loop.js'
import { WordCounter } from './word-counter.js'

/** What training tells about itself. */
export type TrainProgress =
  | { readonly phase: 'count'; readonly texts: number; readonly bytes: number; readonly words: number }
  | { readonly phase: 'merge'; readonly done: number; readonly total: number }

/** Options of {@link trainBpe}. */
export interface TrainOptions {
  /** Number of token ids, special tokens and the alphabet included: 512 to 200,000 are usual. */
  readonly vocabSize: number
  /** `'byte-level'` (default), or `'sentencepiece'`: characters with byte fallback, spaces as `▁`. */
  readonly kind?: 'byte-level' | 'sentencepiece'
  /**
   * How byte-level training and encoding cut text into words: a name, or a regular expression whose matches are the
   * words. Default `'llama3'`.
   */
  readonly pattern?: 'gpt2' | 'llama3' | 'qwen2' | 'o200k' | (string & {})
  /** Special tokens, first in the vocabulary. Default: none, or `<unk>`, `<s>`, `</s>` for SentencePiece. */
  readonly special?: readonly string[]
  /** Begin and end of sequence; they must be among `special`. Default: `<s>` and `</s>` if they are. */
  readonly bos?: string
  readonly eos?: string
  /** Pairs that occur less often are not joined. Default 2. */
  readonly minFrequency?: number
  /** Longest token that is made, in bytes (byte-level) or characters. Default: unlimited, or 16 as SentencePiece has. */
  readonly maxTokenLength?: number
  /** Share of all characters that get a token of their own; the rest is left to bytes. Default 0.9995 (SentencePiece's). */
  readonly characterCoverage?: number
  readonly onProgress?: (progress: TrainProgress) => void
}

const OP = 'trainBpe'
const PATTERNS: Readonly<Record<string, string>> = { gpt2: GPT2, llama3: CL100K, qwen2: QWEN2, o200k: O200K }

/**
 * Trains a tokenizer on texts. The same texts and options give the same tokenizer; byte-level training gives what
 * Hugging Face's `BpeTrainer` gives. Save the result with `toTokenizerJson` or `toCompact`.
 *
 * Memory grows with the number of distinct words, not with the length of the texts.
 *
 * @throws TokenizerError `tokenizer/bad-argument` for a vocabulary too small for the special tokens and the alphabet.
 * @example
 * const tokenizer = trainBpe(['low lower lowest', 'new newer newest'], { vocabSize: 270 })
 * tokenizer.encode('newest low')
 */
export function trainBpe(texts: Iterable<string>, options: TrainOptions): Tokenizer {
  const kind = options.kind ?? 'byte-level'
  if (kind !== 'byte-level' && kind !== 'sentencepiece') throw bad(`kind ${show(kind)}`, 'byte-level or sentencepiece')
  const { vocabSize } = options
  if (!Number.isInteger(vocabSize) || vocabSize < 1 || vocabSize >= 2 ** 20) {
    throw bad(`vocabSize ${show(vocabSize)}`, 'a whole number below 2^20')
  }
  const special = options.special ?? (kind === 'sentencepiece' ? ['<unk>', '<s>', '</s>'] : [])
  for (const name of [options.bos, options.eos]) {
    if (name !== undefined && !special.includes(name)) throw bad(show(name), 'one of the special tokens')
  }
  return kind === 'byte-level' ? trainBytes(texts, special, options) : trainCharacters(texts, special, options)
}

function bad(got: string, expected: string): TokenizerError {
  return new TokenizerError('tokenizer/bad-argument', { op: OP, got, expected })
}

function countWords(
  texts: Iterable<string>,
  options: TrainOptions,
  count: (bytes: Uint8Array, words: WordCounter) => void,
): WordCounter {
  const words = new WordCounter()
  let n = 0
  let bytes = 0
  for (const text of texts) {
    const encoded = utf8(text)
    if (encoded.length > 0) count(encoded, words)
    bytes += encoded.length
    if (++n % 1000 === 0) options.onProgress?.({ phase: 'count', texts: n, bytes, words: words.size })
  }
  options.onProgress?.({ phase: 'count', texts: n, bytes, words: words.size })
  return words
}

/** Merges until the vocabulary is full; returns the merges as pairs of symbols. */
function merge(
  corpus: Corpus,
  firstId: number,
  options: TrainOptions,
  lengths: number[],
  most: number,
): [number, number][] {
  const pairs: [number, number][] = []
  const total = options.vocabSize - firstId
  mergeLoop(corpus, {
    firstId,
    merges: total,
    minFrequency: options.minFrequency ?? 2,
    accept: (left, right) => lengths[left]! + lengths[right]! <= most,
    onMerge: (left, right) => {
      lengths.push(lengths[left]! + lengths[right]!)
      pairs.push([left, right])
      if (pairs.length % 256 === 0) options.onProgress?.({ phase: 'merge', done: pairs.length, total })
    },
  })
  options.onProgress?.({ phase: 'merge', done: pairs.length, total })
  return pairs
}

function trainBytes(texts: Iterable<string>, special: readonly string[], options: TrainOptions): Tokenizer {
  const name = options.pattern ?? 'llama3'
  const pattern = Object.hasOwn(PATTERNS, name) ? PATTERNS[name]! : name
  const scanner = isolate(pattern, OP, splitByRegex)
  const words = countWords(texts, options, (bytes, counter) => {
    scanner.begin?.(bytes, 0, bytes.length)
    for (let i = 0; i < bytes.length; ) {
      const end = scanner.next(bytes, i, bytes.length)
      counter.add(bytes, i, end)
      i = end
    }
  })
  // The alphabet is in the order of its characters, as Hugging Face has it.
  const alphabet = Array.from({ length: 256 }, (_, byte) => byte).sort((a, b) => byteToUnit(a) - byteToUnit(b))
  const base = special.length
  if (options.vocabSize < base + 256)
    throw bad(`vocabSize ${options.vocabSize}`, `at least ${base + 256} for all bytes`)
  const idOfByte = new Int32Array(256)
  alphabet.forEach((byte, i) => {
    idOfByte[byte] = base + i
  })
  const corpus = corpusOf(words, (bytes, put) => {
    for (const byte of bytes) put(idOfByte[byte]!)
  })
  const pieces = [...special, ...alphabet.map(byte => String.fromCharCode(byteToUnit(byte)))]
  const lengths = pieces.map(() => 1)
  const merges = merge(corpus, pieces.length, options, lengths, options.maxTokenLength ?? Number.POSITIVE_INFINITY)
  return build(pieces, merges, special, options, {
    pre_tokenizer: splitSection([pattern]),
    decoder: BYTE_LEVEL,
    model: {},
  })
}

/** Letters, digits and the rest never share a token, and a digit stands alone, as in LLaMA's own vocabulary. */
function classOfCharacter(codePoint: number): number {
  const c = String.fromCodePoint(codePoint)
  return /[\p{L}\p{M}]/u.test(c) ? 1 : /\p{N}/u.test(c) ? 2 : 3
}

function trainCharacters(texts: Iterable<string>, special: readonly string[], options: TrainOptions): Tokenizer {
  const unknown = special[0]
  if (unknown === undefined) throw bad('no special token', 'the unknown token first')
  const classes = new Map<number, number>()
  const classAt = (c: number): number => {
    let k = classes.get(c)
    if (k === undefined) {
      k = c === 0x20 || c === 0x2581 ? 0 : classOfCharacter(c)
      classes.set(c, k)
    }
    return k
  }
  const words = countWords(texts, options, (raw, counter) => {
    // The dummy prefix in front, as encoding puts it.
    const bytes = new Uint8Array(raw.length + 1)
    bytes[0] = 0x20
    bytes.set(raw, 1)
    for (let i = 0; i < bytes.length; ) {
      let end = i
      while (end < bytes.length && bytes[end] === 0x20) end++
      // Of a run of spaces the last belongs to the word behind it; the rest is a word of its own.
      if (end - i > 1 && end < bytes.length) counter.add(bytes, i, end - 1)
      const start = end > i && end < bytes.length ? end - 1 : i
      if (end === bytes.length) {
        if (end > i) counter.add(bytes, i, end)
        break
      }
      const kind = classAt(codePointAt(bytes, end))
      end += sizeOf(bytes[end]!)
      if (kind === 2) {
        // The space before a digit is not part of its token.
        if (start < end - 1 && bytes[start] === 0x20) counter.add(bytes, start, start + 1)
      } else
        while (end < bytes.length && bytes[end] !== 0x20 && classAt(codePointAt(bytes, end)) === kind)
          end += sizeOf(bytes[end]!)
      if (kind !== 2) counter.add(bytes, start, end)
      else counter.add(bytes, bytes[start] === 0x20 ? start + 1 : start, end)
      i = end
    }
  })
  const frequency = new Map<number, number>()
  let total = 0
  for (let w = 0; w < words.size; w++) {
    const bytes = words.bytes(w)
    for (let p = 0; p < bytes.length; p += sizeOf(bytes[p]!)) {
      const c = codePointAt(bytes, p)
      frequency.set(c, (frequency.get(c) ?? 0) + words.count(w))
      total += words.count(w)
    }
  }
  const chars = [...frequency.entries()].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  const coverage = options.characterCoverage ?? 0.9995
  let covered = 0
  const kept = chars.filter(([, n]) => {
    const wanted = covered < total * coverage
    covered += n
    return wanted
  })
  if (!kept.some(([c]) => c === 0x20)) kept.push([0x20, 0])
  const bytePieces = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`)
  const pieces = [...special, ...bytePieces]
  const symbolOf = new Map<number, number>()
  for (const [c] of kept) {
    symbolOf.set(c, pieces.length)
    pieces.push(c === 0x20 ? '\u2581' : String.fromCodePoint(c))
  }
  if (options.vocabSize < pieces.length) {
    throw bad(`vocabSize ${options.vocabSize}`, `at least ${pieces.length} for all bytes and ${kept.length} characters`)
  }
  // A character without a token ends a word: nothing merges across it.
  const cut = new WordCounterView(words, c => symbolOf.has(c))
  const corpus = corpusOf(cut, (bytes, put) => {
    for (let p = 0; p < bytes.length; p += sizeOf(bytes[p]!)) put(symbolOf.get(codePointAt(bytes, p))!)
  })
  const lengths = pieces.map(() => 1)
  const merges = merge(corpus, pieces.length, options, lengths, options.maxTokenLength ?? 16)
  return build(pieces, merges, special, options, {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '\u2581' },
        { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
      ],
    },
    decoder: sentencePieceDecoder(true),
    model: { byte_fallback: true, fuse_unk: true, unk_token: unknown },
  })
}

interface CountedWords {
  readonly size: number
  bytes(word: number): Uint8Array
  count(word: number): number
}

/** Words cut where a character has no token. */
class WordCounterView implements CountedWords {
  readonly #parts: { bytes: Uint8Array; count: number }[] = []

  constructor(words: WordCounter, has: (codePoint: number) => boolean) {
    for (let w = 0; w < words.size; w++) {
      const bytes = words.bytes(w)
      let from = 0
      for (let p = 0; p < bytes.length; ) {
        const next = p + sizeOf(bytes[p]!)
        if (!has(codePointAt(bytes, p))) {
          if (p > from) this.#parts.push({ bytes: bytes.subarray(from, p), count: words.count(w) })
          from = next
        }
        p = next
      }
      if (from < bytes.length) this.#parts.push({ bytes: bytes.subarray(from), count: words.count(w) })
    }
  }

  get size(): number {
    return this.#parts.length
  }

  bytes(word: number): Uint8Array {
    return this.#parts[word]!.bytes
  }

  count(word: number): number {
    return this.#parts[word]!.count
  }
}

function corpusOf(words: CountedWords, symbols: (bytes: Uint8Array, put: (symbol: number) => void) => void): Corpus {
  let total = 0
  for (let w = 0; w < words.size; w++) total += words.bytes(w).length
  const flat = new Int32Array(total)
  const starts = new Uint32Array(words.size + 1)
  const counts = new Float64Array(words.size)
  let at = 0
  const put = (symbol: number): void => {
    flat[at++] = symbol
  }
  for (let w = 0; w < words.size; w++) {
    symbols(words.bytes(w), put)
    starts[w + 1] = at
    counts[w] = words.count(w)
  }
  return { symbols: flat.subarray(0, at), starts, counts }
}

/** The tokenizer, by way of the file that other tools read too. */
function build(
  pieces: readonly string[],
  merges: readonly (readonly [number, number])[],
  special: readonly string[],
  options: TrainOptions,
  sections: { readonly model: object; readonly [name: string]: unknown },
): Tokenizer {
  const all = [...pieces]
  const list: [string, string][] = []
  const vocab: Record<string, number> = Object.create(null) as Record<string, number>
  for (let id = 0; id < pieces.length; id++) vocab[pieces[id]!] = id
  for (const [left, right] of merges) {
    const piece = all[left]! + all[right]!
    list.push([all[left]!, all[right]!])
    vocab[piece] ??= all.length
    all.push(piece)
  }
  const bos = options.bos ?? special.find(s => s === '<s>')
  const eos = options.eos ?? special.find(s => s === '</s>')
  const template = bos !== undefined && {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    special_tokens: { [bos]: { id: bos, ids: [vocab[bos]], tokens: [bos] } },
  }
  return readTokenizerJson(
    {
      added_tokens: special.map((content, id) => ({ id, content, special: true })),
      post_processor: template || null,
      ...sections,
      model: { type: 'BPE', ...sections.model, vocab, merges: list },
    },
    { config: { bos_token: bos ?? null, eos_token: eos ?? null } },
    every,
    [jsonByteLevel, jsonCharacters],
  )
}

/** Lines of a text as an iterator of texts, for files that are one long text. */
export function* linesOf(bytes: Uint8Array): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    let end = bytes.indexOf(10, start)
    end = end < 0 ? bytes.length : end + 1
    yield textOf(bytes, start, end)
    start = end
  }
}
