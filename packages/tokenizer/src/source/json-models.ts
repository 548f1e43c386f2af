// The `model` section of a `tokenizer.json`, for each family.

import { VocabIndex } from '../bpe/vocab-index.js'
import type { DecodeRules } from '../decoder.js'
import { badFile, show } from '../errors.js'
import { arrayOf, isObject, type JsonObject, objectOf, stringOf } from '../json-value.js'
import {
  addPlain,
  addSpaced,
  BYTE,
  lookup,
  MAX_VOCAB,
  NORMAL,
  type TokenTable,
  type TokenTableBuilder,
  UNKNOWN,
  UNREACHABLE,
} from '../token-table.js'
import type { ModelData } from './assemble.js'
import { addByteLevel, byteAlphabet, listedMerges, type MergeList } from './listed.js'

const OP = 'fromTokenizerJson'

/** The vocabulary by id, and a way back that costs nothing until it is used. */
export interface Vocab {
  readonly size: number
  readonly pieceOf: (id: number) => string | undefined
  readonly idOf: (piece: string) => number | undefined
  readonly scores?: Float64Array
}

/** How the section of one family is read. */
export interface JsonModel {
  readonly type: 'BPE' | 'Unigram'
  /** Whether it stands behind a ByteLevel pre-tokenizer. */
  readonly byteLevel: boolean
  readonly vocab: (model: JsonObject) => Vocab
  readonly unknown: (model: JsonObject, vocab: Vocab) => number | undefined
  /** Adds the text of an added token; `spaced`: every `▁` is a space. */
  readonly addText: (builder: TokenTableBuilder, text: string, kind: number, spaced: boolean) => void
  /** Adds any other piece, or returns false where there is none. */
  readonly add: (builder: TokenTableBuilder, vocab: Vocab, id: number, model: JsonObject, metaspace: boolean) => boolean
  /** The rules of the `decoder` section. */
  readonly decode: (section: unknown) => DecodeRules
  readonly data: (model: JsonObject, table: TokenTable, vocab: Vocab) => Pick<ModelData, 'merges' | 'scores' | 'index'>
}

export function isId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) < MAX_VOCAB
}

const listOf = (model: JsonObject): MergeList => arrayOf(model.merges, 'model.merges', OP) as MergeList
/** The inverse of GPT-2's byte alphabet. */
export const alphabet: Int16Array = /* @__PURE__ */ byteAlphabet()

/** Byte-level BPE. */
export const jsonByteLevel: JsonModel = {
  type: 'BPE',
  byteLevel: true,
  vocab: readVocab,
  unknown: unknownPiece,
  addText: addPlain,
  add(builder, { pieceOf }, id) {
    const piece = pieceOf(id)
    if (piece !== undefined) addByteLevel(builder, piece, NORMAL, alphabet)
    return piece !== undefined
  },
  decode: () => ({ stripSpace: false, perByte: false }),
  data(model, table, { idOf }) {
    const index = new VocabIndex(table, kind => kind === NORMAL)
    return { index, merges: listedMerges(listOf(model), idOf, OP, { index, alphabet }) }
  },
}

/** BPE over characters. */
export const jsonCharacters: JsonModel = {
  type: 'BPE',
  byteLevel: false,
  vocab: readVocab,
  unknown: unknownPiece,
  addText,
  add: addPiece,
  decode: readDecoder,
  data: (model, _table, { idOf }) => ({ merges: listedMerges(listOf(model), idOf, OP) }),
}

/** Unigram. */
export const jsonUnigram: JsonModel = {
  type: 'Unigram',
  byteLevel: false,
  vocab: readScored,
  unknown: ({ unk_id }, { size }) => (isId(unk_id) && unk_id < size ? unk_id : undefined),
  addText,
  add(builder, vocab, id, model, metaspace) {
    const piece = vocab.pieceOf(id)
    // Where a space is written `▁`, no text has one.
    if (!metaspace || !piece?.includes(' ')) return addPiece(builder, vocab, id, model, metaspace)
    addPlain(builder, piece, UNREACHABLE)
    return true
  },
  decode: readDecoder,
  data(model, table, vocab) {
    const unknown = jsonUnigram.unknown(model, vocab)
    // Listed among the added tokens or not.
    if (unknown !== undefined) table.kinds[unknown] = UNKNOWN
    // No text becomes a token by weighing that was added to the model.
    const all = new Float64Array(table.size).fill(Number.NaN)
    all.set(vocab.scores!)
    return { scores: all }
  },
}

function unknownPiece({ unk_token }: JsonObject, { idOf }: Vocab): number | undefined {
  return typeof unk_token === 'string' ? idOf(unk_token) : undefined
}

function addText(builder: TokenTableBuilder, text: string, kind: number, spaced: boolean): void {
  if (spaced) addSpaced(builder, text, kind)
  else addPlain(builder, text, kind)
}

function addPiece(
  builder: TokenTableBuilder,
  { pieceOf }: Vocab,
  id: number,
  model: JsonObject,
  metaspace: boolean,
): boolean {
  const piece = pieceOf(id)
  if (piece === undefined) return false
  const hex = model.byte_fallback === true ? /^<0x([0-9A-F]{2})>$/.exec(piece) : null
  if (hex !== null) builder.add(Uint8Array.of(Number.parseInt(hex[1]!, 16)), BYTE)
  else addText(builder, piece, NORMAL, metaspace)
  return true
}

function readVocab(model: JsonObject): Vocab {
  const vocab = objectOf(model.vocab, 'model.vocab', OP)
  const pieces: (string | undefined)[] = []
  for (const piece in vocab) {
    const id = vocab[piece]
    if (!isId(id)) throw badFile(OP, `id ${show(id)} of ${show(piece)}`, `a whole number below ${MAX_VOCAB}`)
    if (pieces[id] !== undefined)
      throw badFile(OP, `id ${id} for ${show(pieces[id])} and ${show(piece)}`, 'distinct ids')
    pieces[id] = piece
  }
  return vocabOf(pieces)
}

/** Unigram's vocabulary: `[piece, score]` in the order of ids. */
function readScored(model: JsonObject): Vocab {
  const list = arrayOf(model.vocab, 'model.vocab', OP)
  if (list.length >= MAX_VOCAB) throw badFile(OP, `${list.length} tokens`, `fewer than ${MAX_VOCAB}`)
  const scores = new Float64Array(list.length)
  const pieces = list.map((entry, id) => {
    const [piece, score] = arrayOf(entry, 'an entry of model.vocab', OP)
    if (typeof score !== 'number') throw badFile(OP, `score ${show(score)} of token ${id}`, 'a number')
    scores[id] = score
    return stringOf(piece, `token ${id}`, OP)
  })
  return { ...vocabOf(pieces), scores }
}

function vocabOf(pieces: readonly (string | undefined)[]): Vocab {
  const pieceOf = (id: number): string | undefined => pieces[id]
  return { size: pieces.length, pieceOf, idOf: lookup(pieces.length, pieceOf) }
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
