/**
 * Tokenizer keys of a GGUF file, made from the tokenizer files beside a checkpoint: `tokenizer.model`
 * (SentencePiece), `tokenizer.json` (byte-level BPE, or BPE with byte fallback), llama2.c's `tokenizer.bin`.
 */
import type { ModelConfig } from '../config/types.js'
import { corrupt, WeightsError } from '../errors.js'
import type { GgufValue } from '../gguf/format.js'
import { type Folder, type Model, readJson } from '../open.js'
import { readSentencePiece, type Vocabulary } from './sentencepiece.js'

type Values = Map<string, GgufValue>

const text = (value: string): GgufValue => ({ type: 'string', value })
const flag = (value: boolean): GgufValue => ({ type: 'bool', value })
const u32 = (value: number): GgufValue => ({ type: 'u32', value })

/** Reads the tokenizer of a model's folder. Without one, llama.cpp is told that there is no vocabulary. */
export async function readTokenizerMetadata(model: Model, notes: string[]): Promise<Values> {
  const { folder, config } = model
  const has = (file: string): boolean => folder.files.includes(file)
  const out: Values = new Map()
  const json = has('tokenizer.json') ? checkedJson(await readJson(folder, 'tokenizer.json')) : undefined
  const settings = has('tokenizer_config.json') ? await readJson(folder, 'tokenizer_config.json') : {}
  const byteLevel = json !== undefined && isByteLevel(json)
  const pieces = has('tokenizer.model') && !byteLevel ? await readFile(folder, 'tokenizer.model') : undefined
  const c2 = model.weights.format === 'llama2c' ? ['tokenizer.bin', `tok${config.vocab}.bin`].find(has) : undefined
  if (pieces && pieces[0] === 0x0a) {
    const { addSpacePrefix, ...vocabulary } = readSentencePiece('tokenizer.model', pieces)
    addTokens(vocabulary, json)
    writeLlama(out, config, vocabulary, addSpacePrefix)
  } else if (c2) {
    writeLlama(out, config, readLlama2cTokens(c2, await readFile(folder, c2)), true)
  } else if (json !== undefined) {
    if (byteLevel) writeByteLevel(out, config, json)
    else writeLlama(out, config, vocabularyOf(json), prependsSpace(json))
  } else {
    notes.push(
      pieces
        ? 'tokenizer.model is not SentencePiece: the file has no vocabulary'
        : 'no tokenizer beside the weights: the file has no vocabulary',
    )
    out.set('tokenizer.ggml.model', text('no_vocab'))
    addIds(out, model)
    return out
  }
  await addSettings(out, model, (settings ?? {}) as Record<string, unknown>, json)
  return out
}

interface TokenizerJson {
  readonly model: {
    readonly vocab: Record<string, number>
    readonly merges: readonly (string | readonly [string, string])[]
    readonly byte_fallback?: boolean
  }
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special: boolean }[]
  readonly pre_tokenizer?: unknown
  readonly normalizer?: unknown
  readonly post_processor?: unknown
}

async function readFile(folder: Folder, file: string): Promise<Uint8Array> {
  const source = await folder.open(file)
  try {
    if (source.size > 2 ** 27) throw corrupt(file, `got ${source.size} bytes, more than a tokenizer has`)
    return await source.read(0, source.size)
  } finally {
    await source.close?.()
  }
}

/** Checks everything that is used of an untrusted `tokenizer.json`. */
function checkedJson(json: unknown): TokenizerJson {
  const { model, added_tokens: added = [] } = (json ?? {}) as {
    model?: Record<string, unknown> | null
    added_tokens?: unknown
  }
  const { type, vocab, merges } = model ?? {}
  if (type !== 'BPE' || typeof vocab !== 'object' || vocab === null || !Array.isArray(merges)) {
    throw new WeightsError(
      'unsupported',
      `tokenizer.json: got model ${JSON.stringify(type)?.slice(0, 80)}, expected BPE with vocab and merges`,
    )
  }
  const isText = (value: unknown): boolean => typeof value === 'string'
  const isId = (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < maxTokens
  const refuse = (what: string): never => {
    throw corrupt('tokenizer.json', `got ${what}`)
  }
  if (!Object.values(vocab).every(isId)) refuse('a vocabulary with ids that are no whole numbers')
  if (!merges.every(merge => isText(merge) || (Array.isArray(merge) && merge.length === 2 && merge.every(isText)))) {
    refuse('merges that are no pairs of tokens')
  }
  if (!Array.isArray(added) || !added.every(token => isText(token?.content) && isId(token?.id))) {
    refuse('added tokens without content or id')
  }
  return json as TokenizerJson
}

const maxTokens = 2 ** 22

const isByteLevel = (json: TokenizerJson): boolean => JSON.stringify(json.pre_tokenizer ?? null).includes('"ByteLevel"')

/** Tokens by id, of the vocabulary and of the added tokens. */
function vocabularyOf({ model, added_tokens = [] }: TokenizerJson): Vocabulary {
  const { vocab, merges, byte_fallback = false } = model
  const entries = Object.entries(vocab)
  let size = 0
  for (const [, id] of entries) size = Math.max(size, id + 1)
  for (const { id } of added_tokens) size = Math.max(size, id + 1)
  const out: Vocabulary = { tokens: Array(size).fill(''), scores: Array(size).fill(0), types: Array(size).fill(5) }
  const rank = new Map(
    merges.map((merge, i) => [typeof merge === 'string' ? merge.replace(' ', '') : merge.join(''), i]),
  )
  for (const [token, id] of entries) {
    out.tokens[id] = token
    out.types[id] = byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token) ? 6 : 1
    // SentencePiece merges the pair with the highest score first: the first merge is the best.
    out.scores[id] = rank.has(token) ? -rank.get(token)! : 0
  }
  addTokens(out, { added_tokens })
  return out
}

function addTokens(vocabulary: Vocabulary, json: Pick<TokenizerJson, 'added_tokens'> | undefined): void {
  for (const { id, content, special } of json?.added_tokens ?? []) {
    while (vocabulary.tokens.length < id) push(vocabulary, '', 0, 5)
    vocabulary.tokens[id] = content
    vocabulary.scores[id] ??= -1000
    vocabulary.types[id] = content === '<unk>' ? 2 : special ? 3 : 4
  }
}

function push({ tokens, scores, types }: Vocabulary, token: string, score: number, type: number): void {
  tokens.push(token)
  scores.push(score)
  types.push(type)
}

/** As many tokens as embeddings: checkpoints pad their vocabularies, llama.cpp wants a name for every row. */
function fitted(config: ModelConfig, vocabulary: Vocabulary): Vocabulary {
  if (vocabulary.tokens.length > config.vocab) {
    throw new WeightsError(
      'format',
      `convert: the tokenizer has ${vocabulary.tokens.length} tokens, the model ${config.vocab} embeddings`,
    )
  }
  vocabulary.tokens.forEach((token, id) => {
    if (token === '' && vocabulary.types[id] === 5) vocabulary.tokens[id] = `[PAD${id}]`
  })
  while (vocabulary.tokens.length < config.vocab) push(vocabulary, `[PAD${vocabulary.tokens.length}]`, -1000, 5)
  return vocabulary
}

function writeLlama(out: Values, config: ModelConfig, vocabulary: Vocabulary, addSpacePrefix: boolean): void {
  const { tokens, scores, types } = fitted(config, vocabulary)
  out.set('tokenizer.ggml.model', text('llama'))
  out.set('tokenizer.ggml.pre', text('default'))
  out.set('tokenizer.ggml.tokens', { type: 'array', of: 'string', value: tokens })
  out.set('tokenizer.ggml.scores', { type: 'array', of: 'f32', value: Float32Array.from(scores) })
  out.set('tokenizer.ggml.token_type', { type: 'array', of: 'i32', value: Int32Array.from(types) })
  out.set('tokenizer.ggml.add_space_prefix', flag(addSpacePrefix))
  const unknown = types.indexOf(2)
  if (unknown >= 0) out.set('tokenizer.ggml.unknown_token_id', u32(unknown))
}

function writeByteLevel(out: Values, config: ModelConfig, json: TokenizerJson): void {
  const { tokens, types } = fitted(config, vocabularyOf(json))
  out.set('tokenizer.ggml.model', text('gpt2'))
  out.set('tokenizer.ggml.pre', text(splitName(json)))
  out.set('tokenizer.ggml.tokens', { type: 'array', of: 'string', value: tokens })
  out.set('tokenizer.ggml.token_type', { type: 'array', of: 'i32', value: Int32Array.from(types) })
  const merges = json.model.merges.map(merge => (typeof merge === 'string' ? merge : merge.join(' ')))
  out.set('tokenizer.ggml.merges', { type: 'array', of: 'string', value: merges })
}

/** llama.cpp's name for the way text is split before merging, known by the pattern. */
function splitName(json: TokenizerJson): string {
  const rule = JSON.stringify(json.pre_tokenizer)
  if (rule.includes('\\\\p{N}{1,3}')) return 'llama-bpe'
  if (rule.includes('[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}|')) return 'qwen2'
  if (rule.includes('"Digits"')) return 'smollm'
  if (/"pattern"/.test(rule)) {
    throw new WeightsError(
      'unsupported',
      `tokenizer.json: got the splitting rule ${rule.slice(0, 200)}, which has no name in llama.cpp that is known here`,
    )
  }
  return 'gpt-2'
}

const prependsSpace = (json: TokenizerJson): boolean =>
  /"Prepend"|"prepend_scheme":"(first|always)"/.test(JSON.stringify([json.normalizer, json.pre_tokenizer]))

/** llama2.c's tokenizer: pieces as text, with spaces where SentencePiece has ▁. */
function readLlama2cTokens(file: string, bytes: Uint8Array): Vocabulary {
  const out: Vocabulary = { tokens: [], scores: [], types: [] }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  const special = ['<unk>', '<s>', '</s>']
  for (let at = 4; at < bytes.length; ) {
    const length = at + 8 <= bytes.length ? view.getInt32(at + 4, true) : -1
    if (length < 0 || at + 8 + length > bytes.length)
      throw corrupt(file, `token ${out.tokens.length} runs past the end`)
    const piece = utf8.decode(bytes.subarray(at + 8, at + 8 + length))
    const id = out.tokens.length
    const type = id === 0 ? 2 : id < 3 ? 3 : /^<0x[0-9A-F]{2}>$/.test(piece) ? 6 : 1
    push(out, special[id] ?? piece.replaceAll(' ', '▁'), view.getFloat32(at, true), type)
    at += 8 + length
  }
  return out
}

function addIds(out: Values, { config, weights }: Model): void {
  if (config.bosTokenId !== undefined) out.set('tokenizer.ggml.bos_token_id', u32(config.bosTokenId))
  const eos = weights.format === 'llama2c' ? 2 : config.eosTokenIds[0]
  if (eos !== undefined) out.set('tokenizer.ggml.eos_token_id', u32(eos))
  if (config.padTokenId !== undefined) out.set('tokenizer.ggml.padding_token_id', u32(config.padTokenId))
}

/** Special ids, whether BOS and EOS are added, what ends a turn, and the chat template. */
async function addSettings(
  out: Values,
  model: Model,
  settings: Record<string, unknown>,
  json: TokenizerJson | undefined,
): Promise<void> {
  const { config, folder } = model
  addIds(out, model)
  const sentencePiece = out.get('tokenizer.ggml.model')?.value === 'llama'
  const tokens = out.get('tokenizer.ggml.tokens')?.value as readonly string[]
  const template = JSON.stringify(json?.post_processor ?? null)
  const bosInTemplate =
    config.bosTokenId !== undefined && template.includes(JSON.stringify({ id: tokens[config.bosTokenId] }).slice(1, -1))
  const addBos =
    typeof settings.add_bos_token === 'boolean' ? settings.add_bos_token : bosInTemplate || (sentencePiece && !json)
  out.set('tokenizer.ggml.add_bos_token', flag(addBos))
  out.set('tokenizer.ggml.add_eos_token', flag(settings.add_eos_token === true))
  const endOfTurn = typeof settings.eot_token === 'string' ? tokens.indexOf(settings.eot_token) : -1
  if (endOfTurn >= 0) out.set('tokenizer.ggml.eot_token_id', u32(endOfTurn))
  let chat = settings.chat_template
  if (folder.files.includes('chat_template.jinja'))
    chat = new TextDecoder().decode(await readFile(folder, 'chat_template.jinja'))
  if (typeof chat === 'string') out.set('tokenizer.chat_template', text(chat))
}
