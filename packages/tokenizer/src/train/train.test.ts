// Training: deterministic, exact against a plain count on small texts, and usable for what it was trained on.

import { describe, expect, it } from 'vitest'
import { hurtfulTexts } from '../../test/hurt.js'
import { TokenizerError } from '../errors.js'
import { fromTokenizerJson, toTokenizerJson } from '../index.js'
import { trainBpe } from './train.js'

const texts = Array.from({ length: 40 }, (_, i) => `the low lower lowest newer newest ${i} widest 12 aaaa aaaaaa été\n`)

/** The textbook algorithm, on arrays of strings. */
function naive(words: Map<string, number>, merges: number): string[] {
  const parts = [...words].map(([word, n]) => ({ symbols: [...word], n }))
  const out: string[] = []
  for (let k = 0; k < merges; k++) {
    const counts = new Map<string, number>()
    for (const { symbols, n } of parts) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        const key = `${symbols[i]} ${symbols[i + 1]}`
        counts.set(key, (counts.get(key) ?? 0) + n)
      }
    }
    const best = Math.max(0, ...counts.values())
    if (best < 2) break
    out.push(String(best))
    const [left, right] = [...counts].find(([, n]) => n === best)![0].split(' ')
    for (const part of parts) {
      const next: string[] = []
      for (let i = 0; i < part.symbols.length; i++) {
        if (part.symbols[i] === left && part.symbols[i + 1] === right) {
          next.push(left! + right!)
          i++
        } else next.push(part.symbols[i]!)
      }
      part.symbols = next
    }
  }
  return out
}

describe('trainBpe', () => {
  it('joins the most frequent pair first', () => {
    // All counts are different, so that the textbook's arbitrary choice among equals does not matter.
    const words = new Map([
      ['abab', 16],
      ['abc', 8],
      ['cde', 4],
      ['de', 2],
    ])
    const text = [...words].flatMap(([word, n]) => Array.from({ length: n }, () => word))
    const tokenizer = trainBpe(text, { vocabSize: 400, pattern: 'gpt2' })
    const { model } = toTokenizerJson(tokenizer) as { model: { merges: [string, string][] } }
    expect(model.merges[0]).toEqual(['a', 'b'])
    expect(model.merges.length).toBe(naive(words, 400).length)
  })

  it.each(['byte-level', 'sentencepiece'] as const)('%s: trains, encodes and round-trips', kind => {
    const progress: string[] = []
    const make = (): ReturnType<typeof trainBpe> =>
      trainBpe(texts, {
        kind,
        vocabSize: 330,
        onProgress: p => progress.push(p.phase),
        ...(kind === 'byte-level' && { special: ['<s>', '</s>'] }),
      })
    const tokenizer = make()
    expect(JSON.stringify(toTokenizerJson(make()))).toBe(JSON.stringify(toTokenizerJson(tokenizer)))
    expect(new Set(progress)).toEqual(new Set(['count', 'merge']))
    expect(tokenizer.vocabSize).toBeLessThanOrEqual(330)
    expect(tokenizer.addBos).toBe(true)
    expect(tokenizer.encode('the lowest', { bos: false }).length).toBeLessThan(6)
    for (const text of [...texts.slice(0, 2), ...hurtfulTexts(300, 4)]) {
      const clean = new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text))
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(kind === 'byte-level' ? clean : clean.replaceAll('▁', ' '))
    }
    const again = fromTokenizerJson(JSON.parse(JSON.stringify(toTokenizerJson(tokenizer))) as object)
    for (const text of texts) expect([...again.encode(text)]).toEqual([...tokenizer.encode(text)])
  })

  it('makes no token across digits or longer than asked', () => {
    const tokenizer = trainBpe(texts, { kind: 'sentencepiece', vocabSize: 400, maxTokenLength: 4 })
    for (let id = 259; id < tokenizer.vocabSize; id++) {
      const piece = tokenizer.piece(id)
      expect([...piece].length).toBeLessThanOrEqual(4)
      if (/\d/.test(piece)) expect(piece).toMatch(/^\d$/)
    }
  })

  it('refuses what cannot be', () => {
    expect(() => trainBpe(texts, { vocabSize: 100 })).toThrow(TokenizerError)
    expect(() => trainBpe(texts, { vocabSize: 300, bos: '<s>' })).toThrow(TokenizerError)
    expect(() => trainBpe(texts, { vocabSize: 300, kind: 'x' as never })).toThrow(TokenizerError)
    expect(() => trainBpe(texts, { vocabSize: 260, kind: 'sentencepiece' })).toThrow(TokenizerError)
    expect(trainBpe([], { vocabSize: 300 }).vocabSize).toBe(256)
  })
})
