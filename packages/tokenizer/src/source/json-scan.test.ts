// The fast way into a tokenizer.json takes what it takes exactly as the careful one does, and leaves the rest to it.

import { describe, expect, it } from 'vitest'
import { hurtfulTexts } from '../../test/hurt.js'
import { fromTokenizerJson, type Tokenizer, toTokenizerJson, trainBpe } from '../index.js'
import { scanByteLevel } from './json-scan.js'

const saved = toTokenizerJson(trainBpe(hurtfulTexts(200, 3), { vocabSize: 500, special: ['<s>', '</s>'] }))
const model = saved.model as { vocab: Record<string, number>; merges: [string, string][] }
const texts = hurtfulTexts(60, 8)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function expectSame(a: Tokenizer, b: Tokenizer): void {
  expect(a.vocabSize).toBe(b.vocabSize)
  for (let id = 0; id < a.vocabSize; id++) expect(a.piece(id)).toBe(b.piece(id))
  expect(a.idOf('Ġ')).toBe(b.idOf('Ġ'))
  for (const text of texts) expect(a.encode(text)).toEqual(b.encode(text))
}

describe('a scanned file', () => {
  const strings = { ...saved, model: { ...model, merges: model.merges.map(pair => pair.join(' ')) } }
  const { merges, ...others } = model
  const before = { ...saved, model: { merges, ...others, unk_token: 'a' } }
  const cases: [string, string][] = [
    ['merges as pairs', JSON.stringify(saved)],
    ['merges as strings', JSON.stringify(strings)],
    ['with spaces', JSON.stringify(saved, null, '\t ')],
    ['merges before the vocabulary', JSON.stringify(before)],
    ['escapes', JSON.stringify(strings).replaceAll('Ġ', '\\u0120').replaceAll('/', '\\/')],
    [
      'ids in any order',
      JSON.stringify({
        ...saved,
        model: { ...model, vocab: Object.fromEntries(Object.entries(model.vocab).reverse()) },
      }),
    ],
    [
      'text outside the alphabet',
      JSON.stringify({ ...saved, model: { ...model, vocab: { ...model.vocab, '中â ': 600 } } }),
    ],
  ]
  it.each(cases)('%s', (_name, text) => {
    expect(scanByteLevel(bytes(text))).toBeDefined()
    expectSame(fromTokenizerJson(bytes(text)), fromTokenizerJson(text))
  })

  it('is none where the model is of another kind, or the file is no such file', () => {
    const other = JSON.stringify({ ...saved, pre_tokenizer: null })
    for (const text of [other, '', '[]', '{"model":[]}', '{"model":{"vocab":{}}}', JSON.stringify(saved).slice(0, -9)])
      expect(scanByteLevel(bytes(text))).toBeUndefined()
  })

  it('that surprises is refused in the words of the careful reader', () => {
    const text = JSON.stringify(saved)
    for (const broken of [
      text.replace('"merges":[[', '"merges":[["x"],['),
      text.replace(/:300\b/, ':301'),
      text.replace(/:300\b/, ':-1'),
    ]) {
      expect(broken).not.toBe(text)
      const message = (source: string | Uint8Array): string => {
        try {
          return String(fromTokenizerJson(source).vocabSize)
        } catch (error) {
          return (error as Error).message
        }
      }
      expect(message(bytes(broken))).toBe(message(broken))
      expect(message(broken)).toMatch(/got .*, expected/)
    }
  })
})
