// The tokenizer as users see it: encode and decode over a model, its added tokens and its normalisation. Where these
// come from is the business of source/.

import {
  type AcceptToken,
  type AddedToken,
  AddedTokenMatcher,
  type AllowSpecial,
  acceptOf,
  checkAllow,
} from './added-tokens.js'
import { type DecodeOptions, type DecodeRules, StreamDecoder } from './decoder.js'
import { badArgument, show, TokenizerError } from './errors.js'
import { IdSink } from './ids.js'
import type { Recipe, TextModel } from './model.js'
import { type EncodingWithOffsets, offsetsOf, type TracedSegment } from './offsets.js'
import { Kind, type TokenTable } from './token-table.js'

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
export interface TokenizerParts {
  readonly table: TokenTable
  readonly model: TextModel
  readonly added: readonly AddedToken[]
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
  /** Normalises a stretch of text between added tokens. */
  readonly normalize?: ((text: string) => string) | undefined
  /** Adds the dummy prefix to a stretch between all added tokens, normalised ones too; `first`: nothing is before it. */
  readonly prefix?: ((text: string, first: boolean) => string) | undefined
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
  readonly addedTokens: readonly AddedToken[]

  private readonly parts: TokenizerParts
  private readonly special: ReadonlySet<number>
  private readonly raw: AddedTokenMatcher
  private readonly normalized: AddedTokenMatcher
  private readonly sink = new IdSink()
  private all: AddedTokenMatcher | undefined
  private pieceIds: Map<string, number> | undefined

  constructor(parts: TokenizerParts) {
    this.parts = parts
    partsByTokenizer.set(this, parts)
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
      if (kind === Kind.control || kind === Kind.unknown) special.add(id)
    }
    for (const token of parts.added) if (token.special) special.add(token.id)
    this.special = special
    const normalize = parts.normalize
    this.raw = new AddedTokenMatcher(parts.added.filter(t => t.normalized !== true))
    this.normalized = new AddedTokenMatcher(
      parts.added.filter(t => t.normalized === true),
      t => (normalize === undefined ? t.content : normalize(t.content)),
    )
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
    return takeAll(this.fill(text, options))
  }

  /** {@link encode} for each text. */
  encodeBatch(texts: readonly string[], options: EncodeOptions = {}): Uint32Array[] {
    return texts.map(text => this.encode(text, options))
  }

  /** How many ids {@link encode} gives for `text`. */
  count(text: string, options: EncodeOptions = {}): number {
    return this.fill(text, options).length
  }

  /**
   * {@link encode} with the range of the text that each token covers, in UTF-16 units and in bytes of UTF-8. A leading
   * space belongs to its token; a token that covers a part of a character has that character's range, and its bytes
   * exactly. Tokens that come from no text (BOS, a lone dummy prefix) have empty ranges.
   *
   * @example
   * const { ids, starts, ends } = tokenizer.encodeWithOffsets('Hello world')
   * ids.forEach((id, i) => console.log(id, 'Hello world'.slice(starts[i], ends[i])))
   */
  encodeWithOffsets(text: string, options: EncodeOptions = {}): EncodingWithOffsets {
    const trace: TracedSegment[] = []
    this.fill(text, options, trace)
    return this.located(text, trace)
  }

  /**
   * The longest beginning of `text` that has at most `most` ids, cut at a token's end and between characters.
   * `side: 'start'` cuts there instead and keeps the end of the text.
   */
  truncate(text: string, most: number, options: EncodeOptions & { readonly side?: 'start' | 'end' } = {}): string {
    if (!Number.isInteger(most) || most < 0) {
      throw badArgument('truncate', `most ${show(most)}`, 'a whole number from 0')
    }
    const { ids, starts, ends } = this.encodeWithOffsets(text, options)
    if (ids.length <= most) return text
    const fromStart = options.side === 'start'
    // What is left may split otherwise than it did inside the whole, so the first guess is checked.
    for (let keep = most; keep > 0; keep--) {
      const cut = fromStart ? ends[ids.length - keep - 1]! : starts[keep]!
      const part = fromStart ? text.slice(cut) : text.slice(0, cut)
      if (this.count(part, options) <= most) return part
    }
    return ''
  }

  /** Encodes into the shared sink. */
  private fill(text: string, options: EncodeOptions, trace?: TracedSegment[]): IdSink {
    if (typeof text !== 'string') {
      throw badArgument('encode', show(text), 'a string')
    }
    const allow = options.allowSpecial ?? 'none'
    checkAllow(allow, this.addedTokens, 'encode')
    const sink = this.sink
    sink.length = 0
    if (options.bos ?? this.addBos) this.wrap(this.parts.before, this.bosId, 'BOS', sink)
    this.append(text, true, acceptOf(allow), sink, trace)
    if (options.eos ?? this.addEos) this.wrap(this.parts.after, this.eosId, 'EOS', sink)
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
    this.fillParts(parts, accept)
    return takeAll(this.sink)
  }

  /** {@link encodeParts} with ranges in the joined text, in which numbers stand as their {@link piece}. */
  encodePartsWithOffsets(parts: readonly (string | number)[], accept?: AcceptToken): EncodingWithOffsets {
    const trace: TracedSegment[] = []
    return this.located(this.fillParts(parts, accept, trace), trace)
  }

  /** What is in the shared sink, with its ranges. */
  private located(text: string, trace: readonly TracedSegment[]): EncodingWithOffsets {
    const { table, normalize } = this.parts
    return offsetsOf(text, takeAll(this.sink), trace, table, normalize)
  }

  /** Encodes into the shared sink; with a trace, returns the joined text. */
  private fillParts(parts: readonly (string | number)[], accept?: AcceptToken, trace?: TracedSegment[]): string {
    const sink = this.sink
    sink.length = 0
    let text = ''
    parts.forEach((part, i) => {
      const start = text.length
      if (typeof part === 'string') {
        const inner: TracedSegment[] | undefined = trace && []
        this.append(part, i === 0, accept, sink, inner)
        for (const each of inner ?? []) trace!.push({ ...each, start: each.start + start, end: each.end + start })
        if (trace) text += part
      } else {
        this.check(part, 'encodeParts')
        sink.push(part)
        if (trace) text += this.piece(part)
        trace?.push({ idFrom: sink.length - 1, idTo: sink.length, start, end: text.length, seen: undefined })
      }
    })
    return text
  }

  /**
   * Cuts text where it contains added tokens, special ones included: what {@link encodeParts} takes. `accept` chooses
   * among them; by default the special ones.
   */
  splitSpecial(text: string, accept: AcceptToken = token => token.special): (string | number)[] {
    this.all ??= new AddedTokenMatcher(this.addedTokens)
    const segments = this.all.split(text, accept)
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
    return new StreamDecoder(this.parts.table, this.parts.decode, this.special, options)
  }

  /** The token as its source writes it: `▁the`, `Ġthe`, `<0x0A>`, `<s>`. For people; {@link bytes} is exact. */
  piece(id: number): string {
    this.check(id, 'piece')
    return this.parts.table.piece(id)
  }

  /** The bytes that the token stands for (a copy). */
  bytes(id: number): Uint8Array {
    this.check(id, 'bytes')
    return this.parts.table.bytes(id).slice()
  }

  /** The id whose {@link piece} is `piece`, if there is one; the lowest where several share it. */
  idOf(piece: string): number | undefined {
    if (this.pieceIds === undefined) {
      this.pieceIds = new Map()
      for (let id = this.vocabSize - 1; id >= 0; id--) this.pieceIds.set(this.parts.table.piece(id), id)
      for (const token of this.addedTokens) this.pieceIds.set(token.content, token.id)
    }
    return this.pieceIds.get(piece)
  }

  /** Whether the token is a special one: control, unknown, or added as special. */
  isSpecial(id: number): boolean {
    this.check(id, 'isSpecial')
    return this.special.has(id)
  }

  private append(
    text: string,
    first: boolean,
    accept: AcceptToken | undefined,
    sink: IdSink,
    trace?: TracedSegment[],
  ): void {
    const segments = this.raw.split(text, accept)
    if (segments === undefined) {
      this.appendRaw(text, first, accept, sink, 0, trace)
      return
    }
    for (const { id, start, end } of segments) {
      if (id < 0) this.appendRaw(text.slice(start, end), first && start === 0, accept, sink, start, trace)
      else {
        trace?.push({ idFrom: sink.length, idTo: sink.length + 1, start, end, seen: undefined })
        sink.push(id)
      }
    }
  }

  /** A stretch without raw added tokens, at `offset`: normalise, then look for the normalised ones. */
  private appendRaw(
    text: string,
    first: boolean,
    accept: AcceptToken | undefined,
    sink: IdSink,
    offset: number,
    trace?: TracedSegment[],
  ): void {
    if (text === '') return
    const { normalize, prefix, model } = this.parts
    const normal = normalize === undefined ? text : normalize(text)
    const segments = this.normalized.split(normal, accept) ?? [{ id: -1, start: 0, end: normal.length }]
    const idFrom = sink.length
    let seen = ''
    for (const { id, start, end } of segments) {
      const part = normal.slice(start, end)
      if (id >= 0) {
        sink.push(id)
        seen += part
      } else {
        const ready = prefix === undefined || part === '' ? part : prefix(part, first && start === 0)
        if (ready !== '') model.encode(ready, sink)
        seen += ready
      }
    }
    trace?.push({ idFrom, idTo: sink.length, start: offset, end: offset + text.length, seen })
  }

  private wrap(ids: readonly number[] | undefined, id: number | undefined, name: string, sink: IdSink): void {
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

  private check(id: number, op: string): void {
    if (Number.isInteger(id) && id >= 0 && id < this.vocabSize) return
    throw new TokenizerError('tokenizer/unknown-id', {
      op,
      got: `id ${show(id)}`,
      expected: `a whole number from 0 to ${this.vocabSize - 1}`,
    })
  }
}

const partsByTokenizer: WeakMap<Tokenizer, TokenizerParts> = /* @__PURE__ */ new WeakMap()

/** What a tokenizer is made of, for saving it. */
export function partsOf(tokenizer: Tokenizer): TokenizerParts {
  return partsByTokenizer.get(tokenizer)!
}

/** The content of the shared sink, which lets go of the memory that a very long text needed. */
function takeAll(sink: IdSink): Uint32Array {
  const ids = sink.take()
  if (sink.ids.length > 1 << 20) sink.ids = new Uint32Array(256)
  return ids
}
