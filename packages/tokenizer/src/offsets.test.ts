// Offsets tile the text; counting and truncation agree with encoding.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hurtfulTexts } from '../test/hurt.js'
import { npmFile } from '../test/shared.js'
import { encodeWithOffsets, fromTokenizerJson, type Tokenizer, truncate } from './index.js'

const load = (name: string): Tokenizer =>
  fromTokenizerJson(npmFile(`@lenml/tokenizer-${name}`, 'models/tokenizer.json'))
const tokenizers = ['llama2', 'llama3', 'qwen2_5'].map(name => [name, load(name)] as const)
const texts = hurtfulTexts(600, 11)

describe.each(tokenizers)('%s', (name, tokenizer) => {
  it('gives ranges that tile the text', () => {
    for (const text of texts) {
      for (const allowSpecial of ['none', 'all'] as const) {
        const { ids, starts, ends, byteStarts, byteEnds } = encodeWithOffsets(tokenizer, text, {
          bos: false,
          allowSpecial,
        })
        expect([...ids]).toEqual([...tokenizer.encode(text, { bos: false, allowSpecial })])
        const bytes = new TextEncoder().encode(text)
        let byte = 0
        let fault = ''
        for (let i = 0; i < ids.length; i++) {
          // NFC may make one character of several, and then tokens that are parts of it share its range.
          if (byteStarts[i]! > byte || (name !== 'qwen2_5' && byteStarts[i] !== byte)) fault ||= `gap before token ${i}`
          if (starts[i]! > ends[i]!) fault ||= `range of token ${i}`
          const exact = [...tokenizer.bytes(ids[i]!)].join() === [...bytes.subarray(byteStarts[i], byteEnds[i])].join()
          if (name === 'llama3' && !exact) fault ||= `bytes of token ${i}`
          byte = Math.max(byte, byteEnds[i]!)
        }
        if (byte !== bytes.length) fault ||= `end at ${byte} of ${bytes.length}`
        expect({ text, fault }).toEqual({ text, fault: '' })
      }
    }
  })

  it('counts and truncates', () => {
    for (const text of texts.slice(0, 200)) {
      const n = tokenizer.count(text)
      expect(n).toBe(tokenizer.encode(text).length)
      for (const side of ['start', 'end'] as const) {
        const part = truncate(tokenizer, text, n >> 1, { side })
        expect(tokenizer.count(part)).toBeLessThanOrEqual(Math.max(n >> 1, part === '' ? n : 0))
        expect(side === 'end' ? text.startsWith(part) : text.endsWith(part)).toBe(true)
      }
      expect(truncate(tokenizer, text, n)).toBe(text)
    }
    expect(tokenizer.encodeBatch(['a', 'b']).map(ids => tokenizer.decode(ids))).toEqual(['a', 'b'])
  })
})

it('covers words with their space', () => {
  const llama3 = tokenizers[1]![1]
  const text = 'Hello wörld 🦙<|eot_id|>'
  const { starts, ends } = encodeWithOffsets(llama3, text, { allowSpecial: 'all' })
  expect([...starts].map((s, i) => text.slice(s, ends[i]))).toEqual([
    'Hello',
    ' w',
    'ör',
    'ld',
    ' 🦙',
    '🦙',
    '🦙',
    '<|eot_id|>',
  ])
})

it('follows the words of splits before Metaspace, and text that is unknown as a whole', () => {
  const file = new URL('../test/golden/unigram-json.json', import.meta.url)
  const { tokenizer } = JSON.parse(readFileSync(file, 'utf8')) as { tokenizer: object }
  const read = fromTokenizerJson(tokenizer)
  const text = 'has  the\nright'
  const { ids, starts, ends } = encodeWithOffsets(read, text)
  ids.forEach((id, i) => {
    expect(text.slice(starts[i], ends[i]).trim()).toBe(read.piece(id).replaceAll('▁', ''))
  })
  const unknown = encodeWithOffsets(read, 'the<unk>n')
  const at = unknown.ids.indexOf(0)
  expect([unknown.starts[at], unknown.ends[at]]).toEqual([3, 8])
})
