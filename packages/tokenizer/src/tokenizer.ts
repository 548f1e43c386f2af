// The tokenizer as users see it: encode and decode over a model, its added tokens and its normalisation. Where these
// come from is the business of source/.

import { type AcceptToken, AddedTokenMatcher, type AllowSpecial, acceptOf, checkAllow } from './added-tokens.js'
import { type DecodeOptions, type DecodeRules, StreamDecoder } from './decoder.js'
import { badArgument, show, unknownId } from './errors.js'
import { IdSink } from './ids.js'
import type { Recipe } from './model.js'
import { Pipeline, type PipelineParts } from './pipeline.js'
import { CONTROL, lookup, type TokenTable, UNKNOWN } from './token-table.js'

/** Options of {@link Tokenizer.encode}. */
export interface EncodeOptions {
  /** Put the BOS token first. Default: {@link Tokenizer.addBos}. */
  readonly bos?: boolean
  /** Put the EOS token last. Default: {@link Tokenizer.addEos}. */
  readonly eos?: boolean
  /** Special tokens that the text may contain as such. Default `'none'`: what looks like a special token stays text. */
  readonly allowSpecial?: AllowSpecial
}

/** What a source gives a {@link Tokenizer}. */
export interface TokenizerParts extends PipelineParts {
  readonly table: TokenTable
  readonly decode: DecodeRules
  readonly recipe: Recipe
  readonly bosId?: number | undefined
  readonly eosId?: number | undefined
  readonly eosIds?: readonly number[]
  readonly unkId?: number | undefined
  readonly padId?: number | undefined
  readonly addBos: boolean
  readonly addEos: boolean
  /** Ids put before and after a text where BOS and EOS alone are not what the source puts there. */
  readonly before?: readonly number[] | undefined
  readonly after?: readonly number[] | undefined
  readonly chatTemplate?: string | undefined
}

/**
 * A tokenizer: text to token ids and back. Made by `fromSentencePiece`, `fromTokenizerJson`, `fromGguf`,
 * `fromTiktoken` or `fromLlama2c`.
 *
 * @example
 * const tokenizer = fromTokenizerJson(await readFile('tokenizer.json'))
 * const ids = tokenizer.encode('Hello world')
 * tokenizer.decode(ids) // 'Hello world'
 */
export class Tokenizer {
  /** Number of token ids: valid ids are `0 … vocabSize - 1`. */
  readonly vocabSize: number
  /** Beginning-of-sequence id, if the source names one. */
  readonly bosId: number | undefined
  /** End-of-sequence id, if the source names one. */
  readonly eosId: number | undefined
  /** Every id that ends a generation: {@link eosId}, end of turn, end of message. */
  readonly eosIds: readonly number[]
  readonly unkId: number | undefined
  readonly padId: number | undefined
  /** Whether {@link encode} puts BOS first by default, as the source says. */
  readonly addBos: boolean
  /** Whether {@link encode} puts EOS last by default, as the source says. */
  readonly addEos: boolean
  /** The chat template (Jinja), if the source has one; render it with `@cria/tokenizer/chat`. */
  readonly chatTemplate: string | undefined
  /** Tokens that are found in text as they are: special ones (when allowed) and added ones. */
  readonly addedTokens: PipelineParts['added']

  readonly #parts: TokenizerParts
  readonly #special: ReadonlySet<number>
  readonly #pipeline: Pipeline
  readonly #sink = new IdSink()
  #idOf: ReturnType<typeof lookup> | undefined

  constructor(parts: TokenizerParts) {
    this.#parts = parts
    this.vocabSize = parts.table.size
    this.bosId = parts.bosId
    this.eosId = parts.eosId
    this.eosIds = parts.eosIds ?? (parts.eosId === undefined ? [] : [parts.eosId])
    this.unkId = parts.unkId
    this.padId = parts.padId
    this.addBos = parts.addBos
    this.addEos = parts.addEos
    this.chatTemplate = parts.chatTemplate
    this.addedTokens = parts.added
    const special = new Set<number>()
    for (let id = 0; id < parts.table.size; id++) {
      const kind = parts.table.kinds[id]!
      if (kind === CONTROL || kind === UNKNOWN) special.add(id)
    }
    for (const token of parts.added) if (token.special) special.add(token.id)
    this.#special = special
    this.#pipeline = new Pipeline(parts)
    inside.set(this, { parts, pipeline: this.#pipeline })
  }

  /**
   * Token ids of `text`.
   *
   * Lone surrogates are read as U+FFFD. The result is exactly that of the reference implementation of the source's
   * family; time is linear in the length of the text but for a logarithm in single words over 96 bytes.
   *
   * @throws TokenizerError `tokenizer/bad-argument` when `text` is not a string, BOS or EOS are asked for and the
   * tokenizer has none, or `allowSpecial` names no special token.
   */
  encode(text: string, options: EncodeOptions = {}): Uint32Array {
    return takeAll(this.#fill(text, options))
  }

  /** {@link encode} for each text. */
  encodeBatch(texts: readonly string[], options: EncodeOptions = {}): Uint32Array[] {
    return texts.map(text => this.encode(text, options))
  }

  /** How many ids {@link encode} gives for `text`. */
  count(text: string, options: EncodeOptions = {}): number {
    return this.#fill(text, options).length
  }

  /** Encodes into the shared sink. */
  #fill(text: string, options: EncodeOptions): IdSink {
    if (typeof text !== 'string') {
      throw badArgument('encode', show(text), 'a string')
    }
    const allow = options.allowSpecial ?? 'none'
    checkAllow(allow, this.addedTokens, 'encode')
    const sink = this.#sink
    sink.length = 0
    if (options.bos ?? this.addBos) this.#wrap(this.#parts.before, this.bosId, 'BOS', sink)
    this.#pipeline.append(text, true, acceptOf(allow), sink)
    if (options.eos ?? this.addEos) this.#wrap(this.#parts.after, this.eosId, 'EOS', sink)
    return sink
  }

  /**
   * Token ids of a prompt in parts: numbers are ids and stand for themselves, strings are text and can never become
   * special tokens. The safe way to build a prompt around text from users.
   *
   * `accept` says which added tokens are found in the text parts; by default those that are not special.
   *
   * @example
   * tokenizer.encodeParts([tokenizer.bosId!, 'text from a user', tokenizer.eosId!])
   */
  encodeParts(parts: readonly (string | number)[], accept?: AcceptToken): Uint32Array {
    const sink = this.#sink
    sink.length = 0
    parts.forEach((part, i) => {
      if (typeof part === 'string') this.#pipeline.append(part, i === 0, accept, sink)
      else {
        this.#check(part, 'encodeParts')
        sink.push(part)
      }
    })
    return takeAll(sink)
  }

  /**
   * Cuts text where it contains added tokens, special ones included: what {@link encodeParts} takes. `accept` chooses
   * among them; by default the special ones.
   */
  splitSpecial(text: string, accept: AcceptToken = token => token.special): (string | number)[] {
    const segments = new AddedTokenMatcher(this.addedTokens).split(text, accept)
    if (segments === undefined) return text === '' ? [] : [text]
    return segments.map(({ id, start, end }) => (id >= 0 ? id : text.slice(start, end)))
  }

  /**
   * Text of `ids`. Ids that do not form whole characters give U+FFFD.
   *
   * @throws TokenizerError `tokenizer/unknown-id` for an id outside the vocabulary.
   */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    const decoder = this.decoder(options)
    const text = decoder.push(ids)
    return text + decoder.end()
  }

  /** A decoder for ids that come one at a time, as in generation. */
  decoder(options?: DecodeOptions): StreamDecoder {
    const { table, decode, model } = this.#parts
    return new StreamDecoder(table, decode, decode.perByte ? model.readPerByte : undefined, this.#special, options)
  }

  /** The token as its source writes it: `▁the`, `Ġthe`, `<0x0A>`, `<s>`. For people; {@link bytes} is exact. */
  piece(id: number): string {
    this.#check(id, 'piece')
    return this.#parts.table.piece(id)
  }

  /** The bytes that the token stands for (a copy). */
  bytes(id: number): Uint8Array {
    this.#check(id, 'bytes')
    return this.#parts.table.bytes(id).slice()
  }

  /** The id whose {@link piece} is `piece`, if there is one; the lowest where several share it. */
  idOf(piece: string): number | undefined {
    this.#idOf ??= lookup(this.vocabSize, id => this.#parts.table.piece(id))
    return this.addedTokens.find(token => token.content === piece)?.id ?? this.#idOf(piece)
  }

  /** Whether the token is a special one: control, unknown, or added as special. */
  isSpecial(id: number): boolean {
    this.#check(id, 'isSpecial')
    return this.#special.has(id)
  }

  #wrap(ids: readonly number[] | undefined, id: number | undefined, name: string, sink: IdSink): void {
    if (ids !== undefined && ids.length > 0) for (const each of ids) sink.push(each)
    else if (id !== undefined) sink.push(id)
    else {
      throw badArgument(
        'encode',
        `a request for ${name}`,
        `a tokenizer that has a ${name} token`,
        `Pass ${name.toLowerCase()}: false, or name the token when loading.`,
      )
    }
  }

  #check(id: number, op: string): void {
    if (Number.isInteger(id) && id >= 0 && id < this.vocabSize) return
    throw unknownId(op, id, this.vocabSize)
  }
}

const inside: WeakMap<Tokenizer, { readonly parts: TokenizerParts; readonly pipeline: Pipeline }> =
  /* @__PURE__ */ new WeakMap()

/** What a tokenizer is made of, for saving it. */
export const partsOf = (tokenizer: Tokenizer): TokenizerParts => inside.get(tokenizer)!.parts

/** How its text becomes ids, for those who want to know more than the ids. */
export const pipelineOf = (tokenizer: Tokenizer): Pipeline => inside.get(tokenizer)!.pipeline

/** The content of the shared sink, which lets go of the memory that a very long text needed. */
function takeAll(sink: IdSink): Uint32Array {
  const ids = sink.take()
  if (sink.ids.length > 1 << 20) sink.ids = new Uint32Array(256)
  return ids
}
