// A tokenizer from the metadata of a GGUF file. Reading the file itself is the business of whoever holds it; here it
// is a record or Map of the `tokenizer.*` keys.

import type { AddedToken } from '../added-tokens.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import { badFile, show, unsupported } from '../errors.js'
import type { Recipe } from '../model.js'
import { BYTE_LEVEL, type OtherSplit, splitScanner, splitSection } from '../scan/known.js'
import {
  addPlain,
  addSpaced,
  BYTE,
  CONTROL,
  NORMAL,
  type TokenTable,
  TokenTableBuilder,
  UNKNOWN,
  UNUSED,
  USER_DEFINED,
} from '../token-table.js'
import { Tokenizer, type TokenizerParts } from '../tokenizer.js'
import { assemble, type Family } from './assemble.js'
import { endIds, endsGeneration } from './end-tokens.js'
import { ggufSplit, ggufSplitNames } from './gguf-splits.js'
import { addByteLevel, byteAlphabet, listedMerges } from './listed.js'
import { noPreTokenizer } from './pre-tokenizer.js'
import { sentencePieceDecoder } from './scored.js'

/** GGUF metadata by key; only `tokenizer.*` and `general.name` are read. */
export type GgufMetadata = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>

/** Options of {@link fromGguf}. */
export interface GgufOptions {
  /** The split to use instead of the file's `tokenizer.ggml.pre`, for old files that have none. */
  readonly pre?: string
}

const OP = 'fromGguf'

/** What `fromGguf` does, with the abilities of the entry it is called from. */
export function readGguf(
  metadata: GgufMetadata,
  options: GgufOptions,
  families: readonly Family[],
  split: OtherSplit,
): Tokenizer {
  const meta = new Reader(metadata)
  const model = meta.get('ggml.model')
  if (model !== 'llama' && model !== 'gpt2') {
    const got = model === undefined ? 'metadata without tokenizer.ggml.model' : `tokenizer.ggml.model ${show(model)}`
    throw unsupported(OP, got, "'llama' or 'gpt2'")
  }
  const tokens = meta.list('ggml.tokens')
  if (tokens === undefined) throw badFile(OP, 'no tokenizer.ggml.tokens', 'the list of tokens')
  const types = meta.list('ggml.token_type')
  if (types !== undefined && types.length !== tokens.length) {
    throw badFile(OP, `${types.length} token types for ${tokens.length} tokens`, 'one each')
  }
  const byteLevel = model === 'gpt2'
  const { table, added } = readTokens(tokens, types, byteLevel, stripsAfter(meta.modelName))
  const common = {
    table,
    added,
    bosId: meta.id('bos_token_id', tokens.length) ?? (byteLevel || tokens.length < 3 ? undefined : 1),
    eosId: meta.id('eos_token_id', tokens.length) ?? (byteLevel || tokens.length < 3 ? undefined : 2),
    unkId: meta.id('unknown_token_id', tokens.length) ?? (byteLevel ? undefined : 0),
    padId: meta.id('padding_token_id', tokens.length),
    chatTemplate: meta.text('chat_template'),
  }
  const eosIds = endIds(
    [common.eosId, meta.id('eot_token_id', tokens.length), meta.id('eom_token_id', tokens.length)],
    added.filter(t => t.special),
  )
  const parts = byteLevel
    ? byteLevelParts(meta, table, tokens, options, families, split)
    : sentencePieceParts(meta, table, common.unkId, families)
  return new Tokenizer({
    ...common,
    ...parts,
    eosIds,
    addBos: (meta.flag('ggml.add_bos_token') ?? parts.addBos) && common.bosId !== undefined,
    addEos: (meta.flag('ggml.add_eos_token') ?? false) && common.eosId !== undefined,
  })
}

type FamilyParts = Pick<TokenizerParts, 'model' | 'recipe' | 'decode' | 'addBos' | 'normalize'>

function byteLevelParts(
  meta: Reader,
  table: TokenTable,
  tokens: readonly unknown[],
  options: GgufOptions,
  families: readonly Family[],
  other: OtherSplit,
): FamilyParts {
  const name = options.pre ?? meta.text('ggml.pre')
  if (name === undefined) {
    throw unsupported(
      OP,
      'no tokenizer.ggml.pre',
      'the name of the split, without which a text has wrong ids',
      `The file is old: convert it again, or pass pre, one of ${ggufSplitNames().join(', ')}.`,
    )
  }
  const split = ggufSplit(name)
  if (split === undefined) throw unsupported(OP, `tokenizer.ggml.pre ${show(name)}`, ggufSplitNames().join(', '))
  const list = meta.list('ggml.merges')
  if (list === undefined) throw badFile(OP, 'no tokenizer.ggml.merges', 'the list of merges')
  const index = new VocabIndex(table, kind => kind === NORMAL)
  let ids: Map<unknown, number> | undefined
  const idOf = (text: string): number | undefined => {
    ids ??= new Map(tokens.map((token, id) => [token, id]))
    return ids.get(text)
  }
  const merges = listedMerges(list as string[], idOf, OP, { index, alphabet: byteAlphabet() })
  const prefix = meta.flag('ggml.add_space_prefix') === true
  const recipe: Recipe = {
    byteLevel: true,
    normalizer: prefix ? { type: 'Prepend', prepend: ' ' } : null,
    preTokenizer: splitSection(split.patterns),
    decoder: BYTE_LEVEL,
    wholeWords: split.whole === true,
  }
  return {
    model: assemble(
      { table, recipe, merges, unknown: undefined, index, op: OP },
      noPreTokenizer([splitScanner(split.patterns, OP, other)]),
      { families },
    ),
    recipe,
    decode: { stripSpace: false, perByte: false },
    addBos: split.addBos === true,
    normalize: prefix ? text => ` ${text}` : undefined,
  }
}

function sentencePieceParts(
  meta: Reader,
  table: TokenTable,
  unknown: number | undefined,
  families: readonly Family[],
): FamilyParts {
  const scores = meta.list('ggml.scores')
  if (scores === undefined || scores.length !== table.size) {
    throw badFile(OP, `${scores?.length ?? 'no'} scores for ${table.size} tokens`, 'one each')
  }
  const prefix = meta.flag('ggml.add_space_prefix') ?? true
  const recipe: Recipe = {
    byteLevel: false,
    sentencePiece: { dummyPrefix: prefix, removeExtra: false },
    decoder: sentencePieceDecoder(prefix),
    byteFallback: true,
    metaspace: true,
  }
  return {
    model: assemble({ table, recipe, scores: Float64Array.from(scores, Number), unknown, op: OP }, noPreTokenizer(), {
      families,
    }),
    recipe,
    decode: { stripSpace: prefix, perByte: true },
    addBos: true,
    normalize: prefix ? text => ` ${text}` : undefined,
  }
}

function readTokens(
  tokens: readonly unknown[],
  types: ArrayLike<unknown> | undefined,
  byteLevel: boolean,
  rstrip: (content: string) => boolean,
): { table: TokenTable; added: AddedToken[] } {
  const builder = new TokenTableBuilder(tokens.length, OP)
  const alphabet = byteAlphabet()
  const added: AddedToken[] = []
  for (let id = 0; id < tokens.length; id++) {
    const text = tokens[id]
    if (typeof text !== 'string') throw badFile(OP, `token ${id} ${show(text)}`, 'a string')
    let kind = types === undefined ? NORMAL : Number(types[id])
    if (!(kind >= 0 && kind <= 6)) throw badFile(OP, `type ${show(types![id])} of token ${id}`, '0 to 6')
    // llama.cpp mends files that call the end of a turn text.
    if (kind === USER_DEFINED && endsGeneration(text)) kind = CONTROL
    const hex = kind === BYTE ? /^<0x([0-9A-Fa-f]{2})>$/.exec(text) : null
    if (kind === CONTROL || kind === USER_DEFINED || kind === UNKNOWN) {
      if (text !== '') added.push({ id, content: text, special: kind !== USER_DEFINED, rstrip: rstrip(text) })
      const add = !byteLevel && kind === USER_DEFINED ? addSpaced : addPlain
      add(builder, text, kind)
    } else if (hex !== null) builder.add(Uint8Array.of(Number.parseInt(hex[1]!, 16)), kind)
    else if (kind === BYTE) throw badFile(OP, `byte token ${id} ${show(text)}`, '<0x00> to <0xFF>')
    else if (byteLevel) addByteLevel(builder, text, kind === 0 ? UNUSED : kind, alphabet)
    else addSpaced(builder, text, kind === 0 ? UNUSED : kind)
  }
  return { table: builder.finish(byteLevel ? 'byte-level' : 'sentencepiece'), added }
}

/** Phi-3's special tokens swallow the space behind them; its files do not say so, and llama.cpp goes by the name too. */
function stripsAfter(name: string): (content: string) => boolean {
  const phi3 = name.includes('phi-3') || name.includes('phi3')
  return content => phi3 && content !== '<unk>' && content !== '<s>' && content !== '<|endoftext|>'
}

/** Typed access to the `tokenizer.` keys. */
class Reader {
  readonly #source: GgufMetadata

  constructor(source: GgufMetadata) {
    if (typeof source !== 'object' || source === null) throw badFile(OP, show(source), 'a record or Map of metadata')
    this.#source = source
  }

  #raw(key: string): unknown {
    return this.#source instanceof Map ? this.#source.get(key) : (this.#source as Record<string, unknown>)[key]
  }

  /** In lower case; empty where the file has none. */
  get modelName(): string {
    const name = this.#raw('general.name')
    return typeof name === 'string' ? name.toLowerCase() : ''
  }

  get(name: string): unknown {
    return this.#raw(`tokenizer.${name}`)
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (Array.isArray(value)) return value
    if (ArrayBuffer.isView(value) && 'length' in value) return value as unknown as readonly unknown[]
    throw badFile(OP, `tokenizer.${name} ${show(value)}`, 'an array')
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    if (value === undefined || typeof value === 'string') return value
    throw badFile(OP, `tokenizer.${name} ${show(value)}`, 'a string')
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name)
    if (value === undefined || typeof value === 'boolean') return value
    throw badFile(OP, `tokenizer.${name} ${show(value)}`, 'a boolean')
  }

  id(name: string, size: number): number | undefined {
    const value = this.get(`ggml.${name}`)
    if (value === undefined) return undefined
    const id = Number(value)
    // Converters write the largest number for a token that there is not.
    if (id === 0xffffffff || id === -1) return undefined
    if (Number.isInteger(id) && id >= 0 && id < size) return id
    throw badFile(OP, `tokenizer.ggml.${name} ${show(String(value))}`, `a token id below ${size}`)
  }
}
