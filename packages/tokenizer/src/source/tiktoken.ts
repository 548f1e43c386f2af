// Reads tiktoken rank files (Llama 3's own `tokenizer.model`, OpenAI's encodings): base64 token and rank a line.

import type { Merges } from '../bpe/merger.js'
import { PairTable } from '../bpe/pair-table.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import { badArgument, badFile, show } from '../errors.js'
import type { Recipe } from '../model.js'
import { BYTE_LEVEL, CL100K, GPT2, isolate, O200K, type OtherSplit, splitSection } from '../scan/known.js'
import { CONTROL, MAX_VOCAB, NORMAL, type TokenTable, TokenTableBuilder, UNUSED } from '../token-table.js'
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
  const ranks = readRanks(typeof file === 'string' ? file : textOf(file, 0, file.length))
  const encoding = options.encoding ?? (options.pattern === undefined ? 'llama3' : undefined)
  const known = encoding === undefined ? undefined : knownEncoding(encoding, ranks.length)
  const special = options.special ?? known?.special ?? {}
  const bos = options.bos ?? known?.bos
  const eos = options.eos ?? known?.eos
  let size = ranks.length
  for (const [name, id] of Object.entries(special)) {
    if (!Number.isInteger(id) || id < 0 || id >= MAX_VOCAB || ranks[id] !== undefined || name === '') {
      throw badArgument(OP, `special token ${show(name)} with id ${show(id)}`, 'a name and an id that no rank uses')
    }
    size = Math.max(size, id + 1)
  }
  const names: string[] = []
  for (const [name, id] of Object.entries(special)) names[id] = name
  const builder = new TokenTableBuilder(size, OP)
  for (let id = 0; id < size; id++) {
    const token = ranks[id]
    const name = names[id]
    if (token !== undefined) builder.add(token, NORMAL)
    else builder.add(name === undefined ? new Uint8Array(0) : utf8(name), name === undefined ? UNUSED : CONTROL)
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

function readRanks(text: string): Uint8Array[] {
  const ranks: Uint8Array[] = []
  let lines = 0
  for (const line of text.split('\n')) {
    if (line === '' || line === '\r') continue
    const match = /^([A-Za-z0-9+/]+={0,2}) (\d{1,7})\r?$/.exec(line)
    const rank = match === null ? MAX_VOCAB : Number(match[2])
    if (match === null || rank >= MAX_VOCAB)
      throw badFile(OP, `line ${show(line)}`, 'a base64 token, a space and a rank')
    let raw: string
    try {
      raw = atob(match[1]!)
    } catch {
      throw badFile(OP, `line ${show(line)}`, 'a base64 token, a space and a rank')
    }
    const bytes = new Uint8Array(raw.length)
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i)
    if (bytes.length === 0 || bytes.length > MAX_TOKEN) {
      throw badFile(OP, `a token of ${bytes.length} bytes`, `1 to ${MAX_TOKEN} bytes`)
    }
    if (ranks[rank] !== undefined) throw badFile(OP, `rank ${rank} twice`, 'distinct ranks')
    ranks[rank] = bytes
    lines++
  }
  if (lines === 0) throw badFile(OP, 'no line', 'a tiktoken rank file')
  return ranks
}

/** tiktoken's rule: any two neighbours whose joined bytes are a token may merge, the lowest rank first. */
function rankedMerges(table: TokenTable, index: VocabIndex): Merges {
  const { blob, offsets, kinds, size } = table
  for (let byte = 0; byte < 256; byte++) {
    if (index.get(Uint8Array.of(byte), 0, 1) < 0)
      throw badFile(OP, `no token for byte ${byte}`, 'one for each of the 256')
  }
  const pairs = new PairTable(size * 2)
  for (let id = 0; id < size; id++) {
    if (kinds[id] !== NORMAL) continue
    const start = offsets[id]!
    const end = offsets[id + 1]!
    for (let m = start + 1; m < end; m++) {
      const left = index.get(blob, start, m)
      if (left < 0) continue
      const right = index.get(blob, m, end)
      if (right >= 0) pairs.add(left, right, id)
    }
  }
  return { pairs, result: Int32Array.from({ length: size }, (_, i) => i) }
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
