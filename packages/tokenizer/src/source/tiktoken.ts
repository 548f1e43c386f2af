// Reads tiktoken rank files (Llama 3's own `tokenizer.model`, OpenAI's encodings): base64 token and rank a line.

import type { Merges } from '../bpe/merger.js'
import { PairTable } from '../bpe/pair-table.js'
import { hashOn, hashPowers, VocabIndex } from '../bpe/vocab-index.js'
import { badArgument, badFile, show } from '../errors.js'
import type { Recipe } from '../model.js'
import { BYTE_LEVEL, CL100K, GPT2, isolate, O200K, type OtherSplit, splitSection } from '../scan/known.js'
import { addPlain, CONTROL, MAX_VOCAB, NORMAL, type TokenTable, TokenTableBuilder, UNUSED } from '../token-table.js'
import { Tokenizer } from '../tokenizer.js'
import { textOf, utf8 } from '../utf8.js'
import { assemble, type Family } from './assemble.js'
import { endIds } from './end-tokens.js'
import { noPreTokenizer } from './pre-tokenizer.js'

/** Encodings that are known by name: their split and their special tokens. */
export type TiktokenEncoding = 'llama3' | 'cl100k_base' | 'o200k_base' | 'gpt2' | 'p50k_base' | 'r50k_base'

/** Options of {@link fromTiktoken}: a known encoding, or a split pattern and special tokens of your own. */
export interface TiktokenOptions {
  /** Default `'llama3'` when no `pattern` is given. */
  readonly encoding?: TiktokenEncoding
  /** A regular expression in tiktoken's syntax, instead of the encoding's. */
  readonly pattern?: string
  /** Special tokens and their ids, instead of the encoding's. */
  readonly special?: Readonly<Record<string, number>>
  /** Names of the special tokens that begin and end a sequence, instead of the encoding's. */
  readonly bos?: string
  readonly eos?: string
  /** Default of `encode`'s `bos`. Default: true for Llama 3, else false. */
  readonly addBos?: boolean
  readonly chatTemplate?: string
}

const OP = 'fromTiktoken'
/** Longest token that is read, in bytes. */
const MAX_TOKEN = 2048

/** What `fromTiktoken` does, with the abilities of the entry it is called from. */
export function readTiktoken(
  file: Uint8Array | string,
  options: TiktokenOptions,
  families: readonly Family[],
  split: OtherSplit,
): Tokenizer {
  const ranks = readRanks(typeof file === 'string' ? utf8(file) : file)
  const encoding = options.encoding ?? (options.pattern === undefined ? 'llama3' : undefined)
  const known = encoding === undefined ? undefined : knownEncoding(encoding, ranks.size)
  const special = options.special ?? known?.special ?? {}
  const bos = options.bos ?? known?.bos
  const eos = options.eos ?? known?.eos
  let { size } = ranks
  for (const [name, id] of Object.entries(special)) {
    if (!Number.isInteger(id) || id < 0 || id >= MAX_VOCAB || ranks.ends[id] !== 0 || name === '') {
      throw badArgument(OP, `special token ${show(name)} with id ${show(id)}`, 'a name and an id that no rank uses')
    }
    size = Math.max(size, id + 1)
  }
  const names = new Map(Object.entries(special).map(([name, id]) => [id, name]))
  const builder = new TokenTableBuilder(size, OP)
  for (let id = 0; id < size; id++) {
    const start = ranks.starts[id]!
    const end = ranks.ends[id]!
    if (start === end) addPlain(builder, names.get(id) ?? '', names.has(id) ? CONTROL : UNUSED)
    else {
      const out = builder.room(end - start)
      for (let from = start, to = builder.at; from < end; ) out[to++] = ranks.bytes[from++]!
      builder.commit(end - start, NORMAL)
    }
  }
  const table = builder.finish('byte-level')
  const idOf = (name: string | undefined): number | undefined => (name === undefined ? undefined : special[name])
  const added = Object.entries(special).map(([content, id]) => ({ id, content, special: true }))
  const pattern = options.pattern ?? known!.pattern
  const index = new VocabIndex(table, kind => kind === NORMAL)
  const recipe: Recipe = {
    byteLevel: true,
    preTokenizer: splitSection([pattern]),
    decoder: BYTE_LEVEL,
    wholeWords: true,
  }
  return new Tokenizer({
    table,
    model: assemble(
      { table, recipe, merges: rankedMerges(table, index), unknown: undefined, index, op: OP },
      noPreTokenizer([isolate(pattern, OP, split)]),
      { families },
    ),
    recipe,
    added,
    decode: { stripSpace: false, perByte: false },
    bosId: idOf(bos),
    eosId: idOf(eos),
    eosIds: endIds([idOf(eos)], added),
    addBos: (options.addBos ?? encoding === 'llama3') && idOf(bos) !== undefined,
    addEos: false,
    chatTemplate: options.chatTemplate,
  })
}

/** The bytes of all tokens, and where those of each rank stand in them. */
interface Ranks {
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly size: number
}

const SPACE = 0x20
const LF = 10
const CR = 13

/** What each character of base64 stands for; others 64. */
function base64Values(): Uint8Array {
  const values = new Uint8Array(256).fill(64)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  for (let i = 0; i < 64; i++) values[letters.charCodeAt(i)] = i
  return values
}

function readRanks(b: Uint8Array): Ranks {
  const values = base64Values()
  const bytes = new Uint8Array(b.length)
  const starts = new Uint32Array(MAX_VOCAB)
  const ends = new Uint32Array(MAX_VOCAB)
  let used = 0
  let size = 0
  for (let p = 0; p < b.length; p++) {
    const line = p
    if (b[p] === CR && (b[p + 1] ?? LF) === LF) p++
    if ((b[p] ?? LF) === LF) continue
    const start = used
    let bits = 0
    let room = 0
    for (let value = values[b[p]!]!; value < 64; value = values[b[++p] ?? 0]!) {
      bits = (bits << 6) | value
      room += 6
      if (room >= 8) bytes[used++] = bits >> (room -= 8)
    }
    // Where they do not fill four characters, these may be filled with `=`.
    let filled = 0
    for (; b[p] === 0x3d; p++) filled += 2
    const good = room < 6 && (filled === 0 || filled === room) && b[p++] === SPACE
    let rank = 0
    let digits = 0
    for (; good && b[p]! >= 0x30 && b[p]! <= 0x39; p++, digits++) rank = rank * 10 + b[p]! - 0x30
    if (b[p] === CR) p++
    if (!good || digits === 0 || digits > 7 || (p < b.length && b[p] !== LF) || rank >= MAX_VOCAB) {
      const end = b.indexOf(LF, line)
      const text = textOf(b, line, end < 0 ? b.length : end)
      throw badFile(OP, `line ${show(text)}`, 'a base64 token, a space and a rank')
    }
    if (used === start || used - start > MAX_TOKEN)
      throw badFile(OP, `a token of ${used - start} bytes`, `1 to ${MAX_TOKEN} bytes`)
    if (ends[rank] !== 0) throw badFile(OP, `rank ${rank} twice`, 'distinct ranks')
    starts[rank] = start
    ends[rank] = used
    size = Math.max(size, rank + 1)
  }
  if (size === 0) throw badFile(OP, 'no line', 'a tiktoken rank file')
  return { bytes, starts, ends, size }
}

/** tiktoken's rule: any two neighbours whose joined bytes are a token may merge, the lowest rank first. */
function rankedMerges(table: TokenTable, index: VocabIndex): Merges {
  const { blob, offsets, kinds, size } = table
  for (let byte = 0; byte < 256; byte++) {
    if (index.get(Uint8Array.of(byte), 0, 1) < 0)
      throw badFile(OP, `no token for byte ${byte}`, 'one for each of the 256')
  }
  const pairs = new PairTable(size * 2)
  const result = new Int32Array(size)
  const powers = hashPowers(MAX_TOKEN)
  const hashes = new Int32Array(MAX_TOKEN + 1)
  for (let id = 0; id < size; id++) {
    result[id] = id
    if (kinds[id] !== NORMAL) continue
    const start = offsets[id]!
    const end = offsets[id + 1]!
    let hash = 0
    for (let m = start; m < end; m++) hashes[m - start] = hash = hashOn(hash, blob[m]!)
    for (let m = start + 1; m < end; m++) {
      const before = hashes[m - start - 1]!
      const left = index.find(before, blob, start, m)
      if (left < 0) continue
      const right = index.find((hash - Math.imul(before, powers[end - m]!)) | 0, blob, m, end)
      if (right >= 0) pairs.add(left, right, id)
    }
  }
  return { pairs, result }
}

interface KnownEncoding {
  readonly pattern: string
  readonly special: Record<string, number>
  readonly bos?: string
  readonly eos: string
}

function knownEncoding(name: TiktokenEncoding, ranks: number): KnownEncoding {
  const end = '<|endoftext|>'
  const fim = ['<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>']
  switch (name) {
    case 'llama3': {
      const names = [
        '<|begin_of_text|>',
        '<|end_of_text|>',
        '<|reserved_special_token_0|>',
        '<|reserved_special_token_1|>',
        '<|finetune_right_pad_id|>',
        '<|reserved_special_token_2|>',
        '<|start_header_id|>',
        '<|end_header_id|>',
        '<|eom_id|>',
        '<|eot_id|>',
        '<|python_tag|>',
      ]
      for (let i = 3; names.length < 256; i++) names.push(`<|reserved_special_token_${i}|>`)
      const special = Object.fromEntries(names.map((n, i) => [n, ranks + i]))
      return { pattern: CL100K, special, bos: '<|begin_of_text|>', eos: '<|end_of_text|>' }
    }
    case 'cl100k_base': {
      const special: Record<string, number> = { [end]: 100257, '<|endofprompt|>': 100276 }
      fim.forEach((token, i) => {
        special[token] = 100258 + i
      })
      return { pattern: CL100K, special, eos: end }
    }
    case 'o200k_base':
      return { pattern: O200K, special: { [end]: 199999, '<|endofprompt|>': 200018 }, eos: end }
    case 'gpt2':
    case 'p50k_base':
    case 'r50k_base':
      return { pattern: GPT2, special: { [end]: 50256 }, eos: end }
    default:
      throw badArgument(
        OP,
        `encoding ${show(name)}`,
        'llama3, cl100k_base, o200k_base, gpt2, p50k_base or r50k_base',
        'Give pattern and special for any other.',
      )
  }
}
