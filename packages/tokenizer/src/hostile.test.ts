// Broken and hostile files: thousands of seeded mutations of each kind end in a TokenizerError or a tokenizer that
// works, in bounded time. Nothing else may be thrown.

import { describe, expect, it } from 'vitest'
import { random } from '../test/hurt.js'
import {
  fromGguf,
  fromLlama2c,
  fromSentencePiece,
  fromTiktoken,
  fromTokenizerJson,
  type Tokenizer,
  TokenizerError,
} from './index.js'

/** A protobuf field with a length. */
function field(number: number, bytes: readonly number[]): number[] {
  return [(number << 3) | 2, ...varint(bytes.length), ...bytes]
}
function varint(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]
}
function float(n: number): number[] {
  return [...new Uint8Array(Float32Array.of(n).buffer)]
}
const text = (s: string): number[] => [...new TextEncoder().encode(s)]

const PIECES = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', 'c', '▁a', 'ab', 'bc', 'abc', '▁ab', 'é', 'éa', '<user>']
const KINDS = [2, 3, 3, ...PIECES.slice(3, -1).map(() => 1), 4]

const sentencePiece = Uint8Array.from([
  ...PIECES.flatMap((piece, i) =>
    field(1, [...field(1, text(piece)), (2 << 3) | 5, ...float(-i), 3 << 3, ...varint(KINDS[i]!)]),
  ),
  ...field(2, [3 << 3, 2, (40 << 3) << 0, 0].slice(0, 2)),
  ...field(3, [3 << 3, 1, 4 << 3, 0, 5 << 3, 1]),
])

const llama2c = Uint8Array.from([
  ...[8, 0, 0, 0],
  ...PIECES.flatMap((piece, i) => {
    const bytes = text(piece.replaceAll('▁', ' '))
    return [...float(-i), bytes.length, 0, 0, 0, ...bytes]
  }),
])

const json = JSON.stringify({
  added_tokens: [
    { id: 9, content: '<s>', special: true, lstrip: true, rstrip: true, single_word: true, normalized: true },
  ],
  normalizer: {
    type: 'Sequence',
    normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: 'x+' }, content: 'y' }],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      {
        type: 'Split',
        pattern: { Regex: '(?i:a|b)++|[^\\s\\p{L}]{1,3}|\\s+(?!\\S)' },
        behavior: 'Isolated',
        invert: false,
      },
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    ],
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    special_tokens: { '<s>': { id: '<s>', ids: [9], tokens: ['<s>'] } },
  },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: { a: 0, b: 1, c: 2, ab: 3, Ġ: 4, Ġa: 5, abc: 6, é: 7 },
    merges: ['a b', 'Ġ a', ['ab', 'c']],
    ignore_merges: true,
  },
})

const tiktoken = Array.from({ length: 256 }, (_, i) => `${btoa(String.fromCharCode(i))} ${i}`)
  .concat([`${btoa('ab')} 256`, `${btoa('abc')} 257`])
  .join('\n')

const gguf: Record<string, unknown> = {
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': PIECES,
  'tokenizer.ggml.scores': PIECES.map((_, i) => -i),
  'tokenizer.ggml.token_type': KINDS,
  'tokenizer.ggml.merges': ['a b'],
  'tokenizer.ggml.pre': 'llama-bpe',
  'tokenizer.ggml.bos_token_id': 1,
  'tokenizer.ggml.eos_token_id': 2,
}

function use(make: () => Tokenizer): boolean {
  try {
    const tokenizer = make()
    const ids = tokenizer.encode('abc aé <user> <s> abcabc\u{1f999}', { bos: false, eos: false, allowSpecial: 'all' })
    for (const id of ids) expect(id).toBeLessThan(tokenizer.vocabSize)
    tokenizer.decode(ids)
    return true
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error
    expect(error.message).toMatch(/got .*, expected .*/s)
    return false
  }
}

function mutate(bytes: Uint8Array, next: () => number): Uint8Array {
  let out = bytes.slice()
  for (let n = 1 + Math.floor(next() * 4); n > 0; n--) {
    const at = Math.floor(next() * out.length)
    const kind = next()
    if (kind < 0.4) out[at] = Math.floor(next() * 256)
    else if (kind < 0.6) out[at] = [0, 0xff, 0x7f, 0x80][Math.floor(next() * 4)]!
    else if (kind < 0.75) out = out.slice(0, at)
    else if (kind < 0.9) out = Uint8Array.from([...out.slice(0, at), ...out.slice(at + Math.floor(next() * 9))])
    else out = Uint8Array.from([...out.slice(0, at), ...out.slice(at >> 1, at), ...out.slice(at)])
    if (out.length === 0) out = new Uint8Array(1)
  }
  return out
}

/** Replaces values anywhere inside by strange ones. */
function scramble(value: unknown, next: () => number, rate: number): unknown {
  const strange = [
    null,
    -1,
    1e9,
    1.5,
    '',
    'x',
    [],
    {},
    true,
    Number.NaN,
    '\ud800',
    ['a', 'b', 'c'],
    { type: 'Sequence' },
    4294967295,
  ]
  if (next() < rate) return strange[Math.floor(next() * strange.length)]
  if (Array.isArray(value)) return value.map(v => scramble(v, next, rate))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [next() < rate ? `${k}x` : k, scramble(v, next, rate)]),
  )
}

describe('hostile files', () => {
  it('reads the originals', () => {
    expect(use(() => fromSentencePiece(sentencePiece))).toBe(true)
    expect(use(() => fromLlama2c(llama2c))).toBe(true)
    expect(use(() => fromTokenizerJson(json))).toBe(true)
    expect(use(() => fromTiktoken(tiktoken))).toBe(true)
    expect(use(() => fromGguf(gguf))).toBe(true)
  })

  const binary: [string, Uint8Array, (bytes: Uint8Array) => Tokenizer][] = [
    ['tokenizer.model', sentencePiece, fromSentencePiece],
    ['tokenizer.bin', llama2c, fromLlama2c],
    ['tokenizer.json', new TextEncoder().encode(json), fromTokenizerJson],
    ['tiktoken ranks', new TextEncoder().encode(tiktoken), fromTiktoken],
  ]
  for (const [name, bytes, read] of binary) {
    it(`survives mutations of ${name}`, () => {
      const next = random(name.length)
      for (let i = 0; i < 3000; i++) use(() => read(mutate(bytes, next)))
    })
  }

  it('survives strange values in tokenizer.json, its config and GGUF metadata', () => {
    const next = random(99)
    const root: unknown = JSON.parse(json)
    const config = {
      bos_token: '<s>',
      eos_token: { content: '<s>' },
      add_bos_token: true,
      chat_template: [{ name: 'default', template: 'x' }],
    }
    for (let i = 0; i < 4000; i++) {
      use(() =>
        fromTokenizerJson(scramble(root, next, 0.03) as object, { config: scramble(config, next, 0.1) as object }),
      )
      use(() =>
        fromGguf(
          scramble({ ...gguf, 'tokenizer.ggml.model': i % 2 === 0 ? 'llama' : 'gpt2' }, next, 0.04) as Record<
            string,
            unknown
          >,
        ),
      )
    }
  })

  it('refuses what would cost without end', () => {
    const long = 'a'.repeat(5000)
    expect(use(() => fromGguf({ ...gguf, 'tokenizer.ggml.tokens': PIECES.map((p, i) => (i === 4 ? long : p)) }))).toBe(
      false,
    )
    expect(use(() => fromTokenizerJson({ model: { type: 'BPE', vocab: { a: 4e9 }, merges: [] } }))).toBe(false)
    expect(use(() => fromTiktoken('YQ== 99999999999'))).toBe(false)
  })
})
