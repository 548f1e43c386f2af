// Hand-written scanners against the regular expressions they stand for, and the translation of foreign patterns.

import { describe, expect, it } from 'vitest'
import { hurtfulTexts } from '../../test/hurt.js'
import { TokenizerError } from '../errors.js'
import { fromTokenizerJson } from '../family/readers.js'
import { ggufSplit } from '../source/gguf-splits.js'
import { classOf, classTable, LETTER, LOWER, MARK, NUMBER, PUNCTUATION, SPACE } from './classes.js'
import { splitScanner } from './known.js'
import { Cl100kScanner, ClassRunScanner, Gpt2Scanner, O200kScanner } from './patterns.js'
import { RegexScanner, type SplitBehavior, split, splitByRegex, translate } from './regex.js'
import type { Scanner } from './scanner.js'

function pieces(scanner: Scanner, text: string): string[] {
  const bytes = new TextEncoder().encode(text)
  const out: string[] = []
  scanner.begin?.(bytes, 0, bytes.length)
  for (let i = 0; i < bytes.length; ) {
    const end = scanner.next(bytes, i, bytes.length)
    out.push(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(i, end < 0 ? ~end : end)))
    i = end < 0 ? ~end : end
  }
  return out
}

const tail = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const suffix = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const letters = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'

describe('hand-written scanners', () => {
  const texts = hurtfulTexts(6000, 3)
  const cases: [string, Scanner, string][] = [
    ['gpt2', new Gpt2Scanner(), "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"],
    [
      'cl100k',
      new Cl100kScanner(3),
      `${suffix}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${tail}`,
    ],
    [
      'qwen2',
      new Cl100kScanner(1),
      `${suffix}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${tail}`,
    ],
    [
      'o200k',
      new O200kScanner(),
      `[^\\r\\n\\p{L}\\p{N}]?${letters}*${lower}+${suffix}?|[^\\r\\n\\p{L}\\p{N}]?${letters}+${lower}*${suffix}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${tail}`,
    ],
    ['digits', new ClassRunScanner(NUMBER, 1), '\\p{N}'],
    ['letter runs', new ClassRunScanner(LETTER, Number.POSITIVE_INFINITY), '\\p{L}+'],
  ]
  for (const [name, scanner, pattern] of cases) {
    it(name, () => {
      const regex = new RegexScanner(translate(pattern, 'test'), 'Isolated')
      for (const text of texts) expect(pieces(scanner, text)).toEqual(pieces(regex, text))
    })
  }
})

describe('splits of GGUF files', () => {
  it('take a space for no letter of a range, as llama.cpp', () => {
    for (const name of ['deepseek-llm', 'deepseek-coder']) {
      const scanner = splitScanner(ggufSplit(name)!.patterns, 'test', splitByRegex)
      expect(pieces(scanner, ' \u2028')).toEqual([' \u2028'])
      expect(pieces(scanner, '.\u2e80\u2e81.')).toEqual(['.', '\u2e80\u2e81', '.'])
    }
  })
})

describe('foreign patterns', () => {
  it('splits with every behaviour', () => {
    const cases: [SplitBehavior, string[]][] = [
      ['Isolated', ['the', '-', 'final', '-', '-', 'countdown']],
      ['Removed', ['the', 'final', 'countdown']],
      ['MergedWithPrevious', ['the-', 'final-', '-', 'countdown']],
      ['MergedWithNext', ['the', '-final', '-', '-countdown']],
      ['Contiguous', ['the', '-', 'final', '--', 'countdown']],
    ]
    const text = 'the-final--countdown'
    for (const [behavior, expected] of cases) {
      const out: string[] = []
      let from = 0
      for (const end of split(text, /-/gu, behavior, false)) {
        if (end >= 0) out.push(text.slice(from, end))
        from = end < 0 ? ~end : end
      }
      expect(out).toEqual(expected)
    }
  })

  it('means by escapes what other engines mean', () => {
    expect(translate('\\s', 't').test('\u0085')).toBe(true)
    expect(translate('\\s', 't').test('\ufeff')).toBe(false)
    expect(translate('\\d', 't').test('٣')).toBe(true)
    expect(translate('(?i:s)', 't').test('ſ')).toBe(true)
    expect(translate('[a-z--]', 't').test('-')).toBe(true)
    expect('aaab'.replace(translate('a++a', 't'), 'x')).toBe('aaab')
    expect('aaab'.replace(translate('(?>a+)b', 't'), 'x')).toBe('x')
    expect('a\rb\u2028\nc'.replace(translate('.+', 't'), 'x')).toBe('x\nx')
    // No place inside a character is the beginning of the text.
    expect('🦙'.replace(translate('\\A(?!a)', 't'), 'x')).toBe('x🦙')
  })

  it('reads classes as the `v` flag has them', () => {
    const punctuation = translate('[!!&\\-~~@@^^\\]"\'_/(){}|]+', 't')
    expect('a!&-~@^]"\'_/(){}|b'.replace(punctuation, 'x')).toBe('axb')
    expect('a-z.b'.replace(translate('[\\w-]+', 't'), 'x')).toBe('x.x')
    expect('1-2٣'.replace(translate('[^\\d]', 't'), 'x')).toBe('1x2٣')
    expect('aſK-'.replace(translate('(?i:[SK]+)', 't'), 'x')).toBe('ax-')
  })

  it('refuses what it cannot keep', () => {
    for (const pattern of ['(?<=a', '[a&&b]', '\\G', '(?#x)', '(a+)+b', '(a|a)*b', '((a|b)){20}', '[', '(', '\\']) {
      expect(() => translate(pattern, 't'), pattern).toThrow(TokenizerError)
    }
  })
})

describe('Unicode 16, whatever the engine knows', () => {
  // New in Unicode 17: letters, marks, a number, punctuation, symbols.
  const later = [0x88f, 0x1acf, 0x1aeb, 0xa7ce, 0x10940, 0x10ed0, 0x11de0, 0x16ff6, 0x1e6ff, 0x325a6, 0x32af8, 0x33479]
  const symbols = [0x20c1, 0xfdc9, 0xfdcc, 0x1cee0, 0x1fac8]
  const around = [0x88e, 0x1ace, 0xa7cd, 0x16ff1, 0x18d08, 0x2ceb0, 0x31350, 0x323af]

  it('has no class for what came later', () => {
    const any = LETTER | MARK | NUMBER | PUNCTUATION | SPACE
    for (const c of [...later, ...symbols]) expect(classOf(classTable(), c) & any, c.toString(16)).toBe(0)
    for (const c of around) expect(classOf(classTable(), c) & any, c.toString(16)).not.toBe(0)
    expect(classOf(classTable(), 0x295) & any).toBe(LOWER)
  })

  it('has none in foreign patterns', () => {
    const known = translate('[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\d\\w]', 't')
    const text = String.fromCodePoint(...later, ...symbols)
    expect(text.match(known)).toBeNull()
    expect(text.match(translate('[^\\p{L}]', 't'))).toHaveLength(later.length + symbols.length)
    expect(text.match(translate('\\P{L}', 't'))).toHaveLength(later.length + symbols.length)
    expect(String.fromCodePoint(...around).match(known)).toHaveLength(around.length)
    expect(text.match(translate('\\p{C}', 't'))).toHaveLength(later.length + symbols.length)
    expect(text.match(translate('[^\\p{C}]', 't'))).toBeNull()
    // A range is written out, and has whatever stands in it.
    expect('\u1acf'.match(translate('[\u0800-\u4e00]', 't'))).toHaveLength(1)
    expect(['Ll', 'Lo', 'L'].map(name => translate(`^\\p{${name}}$`, 't').test('\u0295'))).toEqual([true, false, true])
  })

  it('takes no later letter for one of a word, nor later punctuation for any', () => {
    const read = (pre_tokenizer: unknown): ReturnType<typeof fromTokenizerJson> =>
      fromTokenizerJson({
        added_tokens: [{ id: 1, content: 'xy', special: false, single_word: true }],
        pre_tokenizer,
        model: {
          type: 'BPE',
          vocab: { '!': 0, a: 2, '\u2e52': 3, 'a\u2e52': 4, 'a!': 5 },
          merges: ['a \u2e52', 'a !'],
        },
      })
    const added = read(null)
    for (const [text, found] of [
      ['xy\u088f', true],
      ['\u{16ea0}xy', true],
      ['xy\u088e', false],
      ['\u{10400}xy', false],
    ] as const)
      expect([text, added.encode(text).includes(1)]).toEqual([text, found])
    // The library knows the punctuation of Unicode 8 alone.
    const punctuation = read({ type: 'Punctuation', behavior: 'Isolated' })
    expect([...punctuation.encode('!a\u2e52a!')]).toEqual([0, 4, 2, 0])
  })

  it('joins later characters to what they are not told from', () => {
    const text = 'a\u{325a6}\u{32af8}!b'
    expect(pieces(new Cl100kScanner(3), text)).toEqual(['a', '\u{325a6}\u{32af8}!', 'b'])
    expect(pieces(new O200kScanner(), text)).toEqual(['a', '\u{325a6}\u{32af8}!', 'b'])
  })
})
