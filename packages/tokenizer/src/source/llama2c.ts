// Reads llama2.c's `tokenizer.bin`: the longest token's length, then score, length and text of each token.

import { badFile } from '../errors.js'
import type { Recipe } from '../model.js'
import { addPlain, addSpaced, BYTE, CONTROL, NORMAL, TokenTableBuilder, UNKNOWN } from '../token-table.js'
import { Tokenizer } from '../tokenizer.js'
import { textOf } from '../utf8.js'
import { assemble, type Family } from './assemble.js'
import { noPreTokenizer } from './pre-tokenizer.js'
import { sentencePieceDecoder } from './scored.js'

const OP = 'fromLlama2c'

/** What `fromLlama2c` does, for the given families. */
export function readLlama2c(bytes: Uint8Array, families: readonly Family[]): Tokenizer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12) throw badFile(OP, `${bytes.length} bytes`, 'a llama2.c vocabulary')
  const longest = view.getUint32(0, true)
  const spans: { start: number; end: number; score: number }[] = []
  for (let p = 4; p < bytes.length; ) {
    if (p + 8 > bytes.length) throw badFile(OP, `a token that breaks off at byte ${p}`, 'score, length and text')
    const length = view.getUint32(p + 4, true)
    if (length > bytes.length - p - 8)
      throw badFile(OP, `a token of ${length} bytes at byte ${p}`, 'a token inside the file')
    if (length > longest)
      throw badFile(OP, `a token of ${length} bytes`, `at most the ${longest} that the file announces`)
    spans.push({ start: p + 8, end: p + 8 + length, score: view.getFloat32(p, true) })
    p += 8 + length
  }
  const builder = new TokenTableBuilder(spans.length, OP)
  spans.forEach(({ start, end }, id) => {
    const text = textOf(bytes, start, end)
    const hex = /^<0x([0-9A-F]{2})>$/.exec(text)
    if (hex !== null) builder.add(Uint8Array.of(Number.parseInt(hex[1]!, 16)), BYTE)
    else if (id === 0) addPlain(builder, text, UNKNOWN)
    // llama2.c writes its control tokens between newlines; here they have their usual names.
    else if (id < 3) addPlain(builder, text.trim(), CONTROL)
    else addSpaced(builder, text, NORMAL)
  })
  if (spans.length < 4) throw badFile(OP, `${spans.length} tokens`, 'unknown, BOS, EOS and at least one more')
  const table = builder.finish('sentencepiece')
  const scores = Float64Array.from(spans, s => s.score)
  const recipe: Recipe = {
    byteLevel: false,
    sentencePiece: { dummyPrefix: true, removeExtra: false },
    decoder: sentencePieceDecoder(true),
    byteFallback: true,
    metaspace: true,
  }
  return new Tokenizer({
    table,
    model: assemble({ table, recipe, scores, unknown: 0, op: OP }, noPreTokenizer(), { families }),
    recipe,
    added: [1, 2].map(id => ({ id, content: table.piece(id), special: true })),
    decode: { stripSpace: true, perByte: true },
    bosId: 1,
    eosId: 2,
    eosIds: [2],
    unkId: 0,
    addBos: true,
    addEos: false,
    normalize: text => ` ${text}`,
  })
}
