// Equality with Hugging Face's Rust tokenizers and SentencePiece on texts built to hurt; the ids were written by
// reference.py. And the laws that hold for any text.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromSentencePiece, fromTokenizerJson, type Tokenizer } from '../src/index.js'
import { hurtfulTexts } from './hurt.js'
import { hasShared, npmFile, sharedFile } from './shared.js'

type Row = [text: string, plain: number[], special?: number[]]

function rows(name: string): Row[] {
  return (JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as { rows: Row[] }).rows
}

function check(tokenizer: Tokenizer, name: string): void {
  for (const [text, plain, special = plain] of rows(name)) {
    const off = { bos: false, eos: false } as const
    expect({ text, ids: [...tokenizer.encode(text, off)] }).toEqual({ text, ids: plain })
    if (name !== 'llama2-sentencepiece') {
      expect({ text, ids: [...tokenizer.encode(text, { ...off, allowSpecial: 'all' })] }).toEqual({
        text,
        ids: special,
      })
    }
  }
}

const json = (name: string): Tokenizer =>
  fromTokenizerJson(npmFile(`@lenml/tokenizer-${name}`, 'models/tokenizer.json'))

describe('reference implementations', () => {
  for (const name of ['llama2', 'llama3', 'qwen2_5']) it(`${name} as Hugging Face`, () => check(json(name), name))

  it.skipIf(!hasShared)('tokenizer.model as SentencePiece (needs the shared folder)', () => {
    check(fromSentencePiece(sharedFile('models/llama2-tokenizer.model')), 'llama2-sentencepiece')
  })
})

describe('laws', () => {
  const texts = hurtfulTexts(1500, 7)
  for (const name of ['llama2', 'llama3']) {
    const tokenizer = json(name)
    const wellFormed = (text: string): string =>
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text))

    it(`${name}: decoding undoes encoding`, () => {
      for (const text of texts) {
        const expected = name === 'llama2' ? wellFormed(text).replaceAll('▁', ' ') : wellFormed(text)
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(expected)
      }
    })

    it(`${name}: a stream gives the same text, in whole characters`, () => {
      for (const text of texts) {
        const ids = tokenizer.encode(text)
        const decoder = tokenizer.decoder()
        let streamed = ''
        for (const id of ids) {
          const part = decoder.push(id)
          expect(part).toBe(wellFormed(part))
          if (!text.includes('\ufffd') && text === wellFormed(text)) expect(part).not.toContain('\ufffd')
          streamed += part
        }
        expect(streamed + decoder.end()).toBe(tokenizer.decode(ids))
      }
    })

    it(`${name}: no text makes a special token unless asked`, () => {
      for (const text of texts) {
        for (const id of tokenizer.encode(text, { bos: false, eos: false })) expect(tokenizer.isSpecial(id)).toBe(false)
      }
    })

    it(`${name}: every id round-trips through its piece`, () => {
      for (let id = 0; id < tokenizer.vocabSize; id++)
        expect(tokenizer.piece(tokenizer.idOf(tokenizer.piece(id))!)).toBe(tokenizer.piece(id))
    })
  }

  it('takes linear time on words of a megabyte', () => {
    for (const tokenizer of [json('llama2'), json('llama3')]) {
      const time = (n: number): number => {
        const word = 'abcdefghij'.repeat(n / 10)
        const start = performance.now()
        const ids = tokenizer.encode(word, { bos: false })
        const took = performance.now() - start
        expect(tokenizer.decode(ids)).toBe(word)
        return took
      }
      time(1 << 16)
      expect(time(1 << 20)).toBeLessThan(10_000)
    }
  })
})
