// Reads SentencePiece's `tokenizer.model`: the pieces with their scores and kinds, how the model was trained and how
// it normalises text.

import type { AddedToken } from '../added-tokens.js'
import { badFile, unsupported } from '../errors.js'
import type { Recipe } from '../model.js'
import { type MakeCharsMap, sentencePieceNormalizer, toBase64 } from '../normalize/sentencepiece.js'
import { spaced } from '../normalize/spaces.js'
import {
  addPlain,
  addSpaced,
  BYTE,
  CONTROL,
  NORMAL,
  TokenTableBuilder,
  UNKNOWN,
  UNREACHABLE,
  USER_DEFINED,
} from '../token-table.js'
import { Tokenizer } from '../tokenizer.js'
import { textOf } from '../utf8.js'
import { assemble, type Family } from './assemble.js'
import { endIds } from './end-tokens.js'
import { noPreTokenizer } from './pre-tokenizer.js'
import { readMessage } from './protobuf.js'
import { sentencePieceDecoder } from './scored.js'

/** Options of {@link fromSentencePiece}. */
export interface SentencePieceOptions {
  /** Default of `encode`'s `bos`. Default true, as LLaMA's own code and Hugging Face's `add_bos_token` have it. */
  readonly addBos?: boolean
  /** Default of `encode`'s `eos`. Default false. */
  readonly addEos?: boolean
  /** A chat template for this model; the file has none. */
  readonly chatTemplate?: string
}

const OP = 'fromSentencePiece'

/** What `fromSentencePiece` does, for the given families. */
export function readSentencePiece(
  bytes: Uint8Array,
  options: SentencePieceOptions,
  families: readonly Family[],
  charsMap: MakeCharsMap,
): Tokenizer {
  const pieces: { text: string; score: number; kind: number }[] = []
  const trainer = { model: 1, byteFallback: false, unk: 0, bos: 1, eos: 2, pad: -1, unkText: ' \u2047 ', suffix: false }
  const rules = { dummyPrefix: true, removeExtra: true, escape: true, charsmap: undefined as string | undefined }
  readMessage(bytes, OP, field => {
    if (field.number === 1 && field.wire === 2) {
      const piece = { text: '', score: 0, kind: NORMAL as number }
      readMessage(field.bytes, OP, f => {
        if (f.number === 1) piece.text = textOf(f.bytes, 0, f.bytes.length)
        else if (f.number === 2) piece.score = f.value
        else if (f.number === 3) piece.kind = f.value
      })
      if (piece.kind < 1 || piece.kind > 6) throw badFile(OP, `piece kind ${piece.kind}`, '1 to 6')
      pieces.push(piece)
    } else if (field.number === 2 && field.wire === 2) {
      readMessage(field.bytes, OP, f => {
        // Negative numbers are written as 64-bit two's complement.
        const id = f.value >= 2 ** 63 ? -1 : f.value
        if (f.number === 3) trainer.model = f.value
        else if (f.number === 24) trainer.suffix = f.value !== 0
        else if (f.number === 35) trainer.byteFallback = f.value !== 0
        else if (f.number === 40) trainer.unk = id
        else if (f.number === 41) trainer.bos = id
        else if (f.number === 42) trainer.eos = id
        else if (f.number === 43) trainer.pad = id
        else if (f.number === 44) trainer.unkText = textOf(f.bytes, 0, f.bytes.length)
      })
    } else if (field.number === 3 && field.wire === 2) {
      readMessage(field.bytes, OP, f => {
        if (f.number === 2 && f.bytes.length > 0) rules.charsmap = toBase64(f.bytes)
        else if (f.number === 3) rules.dummyPrefix = f.value !== 0
        else if (f.number === 4) rules.removeExtra = f.value !== 0
        else if (f.number === 5) rules.escape = f.value !== 0
      })
    }
  })
  if (pieces.length === 0) {
    throw badFile(OP, 'a message without pieces', 'a SentencePiece model', 'Read Llama 3 rank files with fromTiktoken.')
  }
  if (trainer.model !== 1 && trainer.model !== 2) {
    const name = ['', 'unigram', 'bpe', 'word', 'char'][trainer.model] ?? `number ${trainer.model}`
    throw unsupported(OP, `a model of type ${name}`, 'bpe or unigram')
  }
  if (trainer.suffix) throw unsupported(OP, 'treat_whitespace_as_suffix', 'whitespace as a prefix')
  if (!rules.escape) throw unsupported(OP, 'escape_whitespaces: false', 'escaped whitespace')

  const builder = new TokenTableBuilder(pieces.length, OP)
  const added: AddedToken[] = []
  const seen = new Set<string>()
  pieces.forEach(({ text, kind }, id) => {
    if (text === '' || seen.has(text))
      throw badFile(OP, `piece ${id} ${text === '' ? 'empty' : 'twice'}`, 'distinct pieces')
    seen.add(text)
    if (kind === BYTE) {
      const hex = /^<0x([0-9A-F]{2})>$/.exec(text)
      if (hex === null) throw badFile(OP, `byte piece ${text}`, '<0x00> to <0xFF>')
      builder.add(Uint8Array.of(Number.parseInt(hex[1]!, 16)), kind)
    } else if (kind === CONTROL || kind === UNKNOWN) addPlain(builder, text, kind)
    // Every space of a normalised text is a `▁`.
    else if (text.includes(' ')) addPlain(builder, text, UNREACHABLE)
    else addSpaced(builder, text, kind)
    if (kind === CONTROL) added.push({ id, content: text, special: true })
    else if (kind === USER_DEFINED) {
      // A model that weighs finds its symbols itself.
      const form = trainer.model === 1 || text.includes(' ') ? '' : spaced(text)
      added.push({ id, content: text, special: false, normalized: true, form })
    }
  })
  const table = builder.finish('sentencepiece')
  const idIn = (id: number): number | undefined => (id >= 0 && id < pieces.length ? id : undefined)
  const unknown = pieces.findIndex(p => p.kind === UNKNOWN)
  const bosId = idIn(trainer.bos)
  const eosId = idIn(trainer.eos)
  const unkId = unknown >= 0 ? unknown : undefined
  const scores = Float64Array.from(pieces, p => p.score)
  const stripSpace = rules.dummyPrefix || rules.removeExtra
  const recipe: Recipe = {
    byteLevel: false,
    ...(trainer.model === 1 && { unigram: 'single' as const }),
    sentencePiece: rules,
    decoder: sentencePieceDecoder(stripSpace),
    byteFallback: trainer.byteFallback,
    fuseUnknown: true,
    metaspace: true,
  }
  return new Tokenizer({
    table,
    model: assemble({ table, recipe, scores, unknown: unkId, op: OP }, noPreTokenizer(), { families }),
    recipe,
    added,
    decode: { stripSpace, stripMore: rules.removeExtra, perByte: true, unknownText: trainer.unkText },
    bosId,
    eosId,
    eosIds: endIds(
      [eosId],
      added.filter(t => t.special),
    ),
    unkId,
    padId: idIn(trainer.pad),
    addBos: (options.addBos ?? true) && bosId !== undefined,
    addEos: options.addEos ?? false,
    chatTemplate: options.chatTemplate,
    normalize: sentencePieceNormalizer(rules, added, OP, charsMap),
  })
}
