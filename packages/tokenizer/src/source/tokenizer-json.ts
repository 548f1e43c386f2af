// Reads Hugging Face's `tokenizer.json`, with `tokenizer_config.json` where it is given.

import type { AddedToken } from '../added-tokens.js'
import type { Merges } from '../bpe/merger.js'
import { VocabIndex } from '../bpe/vocab-index.js'
import type { DecodeRules } from '../decoder.js'
import { badFile, show, unsupported } from '../errors.js'
import { arrayOf, isObject, type JsonObject, objectOf, parseObject, stringOf } from '../json-value.js'
import type { Recipe } from '../model.js'
import { type Normalizer, normalizeOf, readNormalizer } from '../normalize/normalizer.js'
import { Kind, MAX_VOCAB, type TokenTable, TokenTableBuilder } from '../token-table.js'
import { Tokenizer } from '../tokenizer.js'
import { type Abilities, assemble, prefixOf } from './assemble.js'
import { endIds } from './end-tokens.js'
import { addByteLevel, byteAlphabet, listedMerges, type MergeList } from './listed.js'
import { type PreTokenizer, readPreTokenizer } from './pre-tokenizer.js'

/** Options of {@link fromTokenizerJson}. */
export interface TokenizerJsonOptions {
  /** The model's `tokenizer_config.json`: names BOS and EOS, says whether to add them, holds the chat template. */
  readonly config?: string | Uint8Array | object
  /** The chat template, when it is in a file of its own (`chat_template.jinja`). */
  readonly chatTemplate?: string
}

const OP = 'fromTokenizerJson'

/** What `fromTokenizerJson` does, with the abilities of the entry it is called from. */
export function readTokenizerJson(
  json: string | Uint8Array | object,
  options: TokenizerJsonOptions,
  abilities: Abilities,
): Tokenizer {
  const root = parseObject(json, 'tokenizer.json', OP)
  const config = options.config === undefined ? {} : parseObject(options.config, 'tokenizer_config.json', OP)
  const model = objectOf(root.model, 'model', OP)
  const type = model.type ?? (model.merges === undefined ? undefined : 'BPE')
  if (type !== 'BPE' && type !== 'Unigram') throw unsupported(OP, `a model of type ${show(type)}`, 'BPE or Unigram')
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    if (model[key]) throw unsupported(OP, `${key} ${show(model[key])}`, 'none')
  }
  if (model.dropout) throw unsupported(OP, `dropout ${show(model.dropout)}`, 'none')

  const normalizer = readNormalizer(root.normalizer, OP, abilities.normalizer)
  const pre = readPreTokenizer(root.pre_tokenizer, OP, abilities)
  const unigram = type === 'Unigram'
  if (unigram && pre.byteLevel) throw unsupported(OP, 'Unigram behind ByteLevel', 'Unigram over characters')
  const { pieces, idOf, scores } = unigram ? readScored(model.vocab) : readVocab(model.vocab)
  const added = readAdded(root.added_tokens)
  const unkId = unigram
    ? isId(model.unk_id) && model.unk_id < pieces.length
      ? model.unk_id
      : undefined
    : typeof model.unk_token === 'string'
      ? idOf(model.unk_token)
      : undefined
  const { table, metaspace } = buildTable([...pieces], added, pre, normalizer, model.byte_fallback === true)
  // The unknown token is no text, listed among the added ones or not.
  if (unigram && unkId !== undefined && table.kinds[unkId] === Kind.normal) table.kinds[unkId] = Kind.unknown
  const index = pre.byteLevel ? new VocabIndex(table, kind => kind === Kind.normal) : undefined
  const recipe: Recipe = {
    byteLevel: pre.byteLevel,
    ...(unigram && { unigram: 'double' as const }),
    normalizer: root.normalizer,
    preTokenizer: root.pre_tokenizer,
    decoder: root.decoder,
    wholeWords: model.ignore_merges === true,
    byteFallback: model.byte_fallback === true,
    fuseUnknown: model.fuse_unk === true,
    metaspace,
  }

  const tokenId = (value: unknown): number | undefined => {
    const content = isObject(value) ? value.content : value
    if (typeof content !== 'string') return undefined
    return added.find(t => t.content === content)?.id ?? idOf(content)
  }
  const special = added.filter(t => t.special)
  const guess = (names: readonly string[]): number | undefined => special.find(t => names.includes(t.content))?.id
  const template = readTemplate(root.post_processor)
  const named = options.config !== undefined
  const bosId = named ? tokenId(config.bos_token) : (template.before[0] ?? guess(['<s>', '<|begin_of_text|>', '<bos>']))
  const eosId = named
    ? tokenId(config.eos_token)
    : guess(['</s>', '<|end_of_text|>', '<eos>', '<|im_end|>', '<|endoftext|>'])
  let { before, after } = template
  if (typeof config.add_bos_token === 'boolean') before = config.add_bos_token && bosId !== undefined ? [bosId] : []
  if (typeof config.add_eos_token === 'boolean') after = config.add_eos_token && eosId !== undefined ? [eosId] : []
  return new Tokenizer({
    table,
    model: assemble(
      {
        table,
        recipe,
        ...(unigram ? { scores: padded(scores!, table.size) } : { merges: readMerges(model, idOf, index) }),
        unknown: unkId,
        index,
        op: OP,
      },
      pre,
      abilities,
    ),
    recipe,
    added,
    decode: readDecoder(root.decoder),
    bosId,
    eosId,
    eosIds: endIds([eosId], special),
    unkId,
    padId: tokenId(config.pad_token),
    addBos: before.length > 0,
    addEos: after.length > 0,
    before,
    after,
    chatTemplate: options.chatTemplate ?? chatTemplateOf(config.chat_template),
    normalize: normalizeOf(normalizer, metaspace),
    prefix: prefixOf(pre),
  })
}

/** The vocabulary as pieces by id, and a way back that costs nothing until it is used. */
interface Vocab {
  readonly pieces: (string | undefined)[]
  readonly idOf: (piece: string) => number | undefined
  readonly scores?: Float64Array
}

function readVocab(section: unknown): Vocab {
  const vocab = objectOf(section, 'model.vocab', OP)
  const pieces: (string | undefined)[] = []
  for (const piece in vocab) {
    const id = vocab[piece]
    if (!isId(id)) throw badFile(OP, `id ${show(id)} of ${show(piece)}`, `a whole number below ${MAX_VOCAB}`)
    if (pieces[id] !== undefined)
      throw badFile(OP, `id ${id} for ${show(pieces[id])} and ${show(piece)}`, 'distinct ids')
    pieces[id] = piece
  }
  return { pieces, idOf: lookup(pieces) }
}

/** Unigram's vocabulary: `[piece, score]` in the order of ids. */
function readScored(section: unknown): Vocab {
  const list = arrayOf(section, 'model.vocab', OP)
  if (list.length >= MAX_VOCAB) throw badFile(OP, `${list.length} tokens`, `fewer than ${MAX_VOCAB}`)
  const scores = new Float64Array(list.length)
  const pieces = list.map((entry, id) => {
    const [piece, score] = arrayOf(entry, 'an entry of model.vocab', OP)
    if (typeof score !== 'number') throw badFile(OP, `score ${show(score)} of token ${id}`, 'a number')
    scores[id] = score
    return stringOf(piece, `token ${id}`, OP)
  })
  return { pieces, idOf: lookup(pieces), scores }
}

/** Scores for added tokens as well, which no text becomes by weighing. */
function padded(scores: Float64Array, size: number): Float64Array {
  const all = new Float64Array(size)
  all.set(scores)
  return all
}

function lookup(pieces: readonly (string | undefined)[]): Vocab['idOf'] {
  let ids: Map<string, number> | undefined
  return piece => {
    if (ids === undefined) {
      ids = new Map()
      for (let id = 0; id < pieces.length; id++) if (pieces[id] !== undefined) ids.set(pieces[id]!, id)
    }
    return ids.get(piece)
  }
}

function isId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) < MAX_VOCAB
}

function readAdded(section: unknown): AddedToken[] {
  return arrayOf(section ?? [], 'added_tokens', OP).map(entry => {
    const t = objectOf(entry, 'an added token', OP)
    if (!isId(t.id)) throw badFile(OP, `id ${show(t.id)} of an added token`, `a whole number below ${MAX_VOCAB}`)
    return {
      id: t.id,
      content: stringOf(t.content, 'content of an added token', OP),
      special: t.special === true,
      normalized: t.normalized === true,
      lstrip: t.lstrip === true,
      rstrip: t.rstrip === true,
      singleWord: t.single_word === true,
    }
  })
}

function buildTable(
  pieces: (string | undefined)[],
  added: readonly AddedToken[],
  pre: PreTokenizer,
  normalizer: Normalizer,
  byteFallback: boolean,
): { table: TokenTable; metaspace: boolean } {
  const metaspace = !pre.byteLevel && (normalizer.metaspace || pre.metaspace !== undefined)
  const special: AddedToken[] = []
  for (const token of added) {
    const there = pieces[token.id]
    if (there !== undefined && there !== token.content) {
      throw badFile(OP, `id ${token.id} for ${show(there)} and ${show(token.content)}`, 'distinct ids')
    }
    pieces[token.id] = token.content
    special[token.id] = token
  }
  const builder = new TokenTableBuilder(pieces.length, OP)
  const alphabet = byteAlphabet()
  const nothing = new Uint8Array(0)
  for (let id = 0; id < pieces.length; id++) {
    const piece = pieces[id]
    const token = special[id]
    if (piece === undefined) builder.add(nothing, Kind.unused)
    else if (token !== undefined)
      builder.addText(piece, token.special ? Kind.control : Kind.userDefined, metaspace && !token.special)
    else if (pre.byteLevel) addByteLevel(builder, piece, Kind.normal, alphabet)
    else {
      const hex = byteFallback ? /^<0x([0-9A-F]{2})>$/.exec(piece) : null
      if (hex !== null) builder.add(Uint8Array.of(Number.parseInt(hex[1]!, 16)), Kind.byte)
      else builder.addText(piece, Kind.normal, metaspace)
    }
  }
  return { table: builder.finish(pre.byteLevel ? 'byte-level' : metaspace ? 'sentencepiece' : 'plain'), metaspace }
}

function readMerges(
  model: JsonObject,
  idOf: (piece: string) => number | undefined,
  index: VocabIndex | undefined,
): Merges {
  const list = arrayOf(model.merges, 'model.merges', OP) as MergeList
  return listedMerges(list, idOf, OP, index && { index, alphabet: byteAlphabet() })
}

/** The special tokens that the post-processor puts before and after one text. */
function readTemplate(section: unknown): { before: number[]; after: number[] } {
  const before: number[] = []
  const after: number[] = []
  if (!isObject(section)) return { before, after }
  if (section.type === 'Sequence') {
    for (const part of arrayOf(section.processors, 'processors', OP)) {
      const inner = readTemplate(isObject(part) && part.type === 'Sequence' ? null : part)
      before.unshift(...inner.before)
      after.push(...inner.after)
    }
  } else if (section.type === 'TemplateProcessing') {
    const tokens = isObject(section.special_tokens) ? section.special_tokens : {}
    let side = before
    for (const part of arrayOf(section.single, 'TemplateProcessing.single', OP)) {
      if (isObject(part) && part.Sequence !== undefined) side = after
      else if (isObject(part) && isObject(part.SpecialToken)) {
        const token = tokens[String(part.SpecialToken.id)]
        const ids = isObject(token) ? token.ids : undefined
        if (!Array.isArray(ids) || !ids.every(isId)) {
          throw badFile(OP, `special token ${show(part.SpecialToken.id)} of TemplateProcessing`, 'its ids')
        }
        side.push(...(ids as number[]))
      }
    }
  } else if (section.type === 'BertProcessing' || section.type === 'RobertaProcessing') {
    const idIn = (pair: unknown): number[] => (Array.isArray(pair) && isId(pair[1]) ? [pair[1]] : [])
    before.push(...idIn(section.cls))
    after.push(...idIn(section.sep))
  }
  return { before, after }
}

function readDecoder(section: unknown): DecodeRules {
  let stripSpace = false
  let perByte = false
  const visit = (part: unknown, depth: number): void => {
    if (!isObject(part) || depth > 8) return
    if (part.type === 'Sequence' && Array.isArray(part.decoders))
      for (const inner of part.decoders) visit(inner, depth + 1)
    if (part.type === 'ByteFallback') perByte = true
    if (part.type === 'Strip' && part.content === ' ' && Number(part.start) > 0) stripSpace = true
    if (part.type === 'Metaspace') {
      stripSpace = part.prepend_scheme === undefined ? part.add_prefix_space !== false : part.prepend_scheme !== 'never'
    }
  }
  visit(section, 0)
  return { stripSpace, perByte }
}

function chatTemplateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const named = value.filter(isObject)
  const chosen = named.find(t => t.name === 'default') ?? named[0]
  return typeof chosen?.template === 'string' ? chosen.template : undefined
}
