// Reads Hugging Face's `tokenizer.json`, with `tokenizer_config.json` where it is given.

import type { AddedToken } from '../added-tokens.js'
import { badFile, show, unsupported } from '../errors.js'
import { arrayOf, eachSection, isObject, type JsonObject, objectOf, parseObject, stringOf } from '../json-value.js'
import type { Recipe } from '../model.js'
import { normalizeOf, readNormalizer } from '../normalize/normalizer.js'
import { CONTROL, MAX_VOCAB, type TokenTable, TokenTableBuilder, UNUSED, USER_DEFINED } from '../token-table.js'
import { Tokenizer } from '../tokenizer.js'
import { type Abilities, assemble, otherFamily } from './assemble.js'
import { endIds } from './end-tokens.js'
import { isId, type JsonModel, type Vocab } from './json-models.js'
import { readPreTokenizer } from './pre-tokenizer.js'

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
  models: readonly JsonModel[],
): Tokenizer {
  const root = parseObject(json, 'tokenizer.json', OP)
  const config = options.config === undefined ? {} : parseObject(options.config, 'tokenizer_config.json', OP)
  const model = objectOf(root.model, 'model', OP)
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout']) {
    if (model[key]) throw unsupported(OP, `${key} ${show(model[key])}`, 'none')
  }

  const normalizer = readNormalizer(root.normalizer, OP, abilities.normalizer)
  const pre = readPreTokenizer(root.pre_tokenizer, OP, abilities.preTokenizer)
  const type = model.type ?? (model.merges && 'BPE')
  const reader = models.find(each => each.type === type && each.byteLevel === pre.byteLevel)
  if (reader === undefined) {
    const got = `a model of type ${show(type)}${pre.byteLevel ? ' behind ByteLevel' : ''}`
    throw otherFamily(got, abilities.families, OP)
  }
  const vocab = reader.vocab(model)
  const { idOf } = vocab
  const added = readAdded(root.added_tokens)
  const unkId = reader.unknown(model, vocab)
  const metaspace = !pre.byteLevel && (normalizer.metaspace || pre.metaspace !== undefined)
  const table = buildTable(vocab, added, metaspace, reader, model)
  const recipe: Recipe = {
    byteLevel: pre.byteLevel,
    ...(type === 'Unigram' && { unigram: 'double' as const }),
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
    model: assemble({ table, recipe, unknown: unkId, op: OP, ...reader.data(model, table, vocab) }, pre, abilities),
    recipe,
    added,
    decode: reader.decode(root.decoder),
    bosId,
    eosId,
    eosIds: endIds([eosId, tokenId(config.eot_token)], special),
    unkId,
    padId: tokenId(config.pad_token),
    addBos: before.length > 0,
    addEos: after.length > 0,
    before,
    after,
    chatTemplate: options.chatTemplate ?? chatTemplateOf(config.chat_template),
    normalize: normalizeOf(normalizer, metaspace && pre.outer.length === 0),
    prefix: pre.prefix,
  })
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
  vocab: Vocab,
  added: readonly AddedToken[],
  metaspace: boolean,
  reader: JsonModel,
  model: JsonObject,
): TokenTable {
  let { size } = vocab
  const special: AddedToken[] = []
  for (const token of added) {
    const there = special[token.id]?.content ?? vocab.pieceOf(token.id)
    if (there !== undefined && there !== token.content) {
      throw badFile(OP, `id ${token.id} for ${show(there)} and ${show(token.content)}`, 'distinct ids')
    }
    special[token.id] = token
    size = Math.max(size, token.id + 1)
  }
  const builder = new TokenTableBuilder(size, OP)
  const nothing = new Uint8Array(0)
  for (let id = 0; id < size; id++) {
    const token = special[id]
    if (token !== undefined)
      reader.addText(builder, token.content, token.special ? CONTROL : USER_DEFINED, metaspace && !token.special)
    else if (!reader.add(builder, vocab, id, model, metaspace)) builder.add(nothing, UNUSED)
  }
  return builder.finish(reader.byteLevel ? 'byte-level' : metaspace ? 'sentencepiece' : 'plain')
}

/** The special tokens that the post-processor puts before and after one text. */
function readTemplate(section: unknown): { before: number[]; after: number[] } {
  const before: number[] = []
  const after: number[] = []
  eachSection(section, 'post_processor', 'processors', OP, part => {
    // Each puts its own around those of the one before it.
    const outside: number[] = []
    if (part.type === 'TemplateProcessing') {
      const tokens = isObject(part.special_tokens) ? part.special_tokens : {}
      let side = outside
      for (const piece of arrayOf(part.single, 'single', OP)) {
        if (!isObject(piece)) continue
        if (piece.Sequence !== undefined) side = after
        if (!isObject(piece.SpecialToken)) continue
        const { id } = piece.SpecialToken
        const token = tokens[String(id)]
        const ids = isObject(token) ? token.ids : undefined
        if (!Array.isArray(ids) || !ids.every(isId)) throw badFile(OP, `special token ${show(id)}`, 'its ids')
        side.push(...(ids as number[]))
      }
    } else if (/^(?:Bert|Roberta)Processing$/.test(String(part.type))) {
      for (const [ids, pair] of [
        [outside, part.cls],
        [after, part.sep],
      ] as const)
        if (Array.isArray(pair) && isId(pair[1])) ids.push(pair[1])
    }
    before.unshift(...outside)
  })
  return { before, after }
}

function chatTemplateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const named = value.filter(isObject)
  const chosen = named.find(t => t.name === 'default') ?? named[0]
  return typeof chosen?.template === 'string' ? chosen.template : undefined
}
