import { describe, expect, test } from 'vitest'
import { EvaluationError } from './errors.js'
import { applyFilters } from './filters.js'
import { aggregate, choiceMetrics, exactMatch, type MetricName, rollingMetrics, standardError } from './metrics.js'
import { capitalize, countWords, length, literal, rstrip } from './python.js'
import { pythonRegExp } from './python-regexp.js'

const choose = (wanted: MetricName[], gold: number[], choices: string[], lls: number[], other?: number[]) =>
  choiceMetrics(wanted, gold, {
    choices,
    scores: lls.map((logprob, i) => ({ logprob, greedy: i === 1 })),
    ...(other && { unconditional: { acc_mutual_info: other, acc_answer: other } }),
  })

describe('multiple choice', () => {
  test('acc takes the likeliest, acc_norm the likeliest by character, acc_bytes by byte', () => {
    // −4/2 < −5/4 by characters; 🦙🦙 has 2 characters and 8 bytes: −4/8 > −5/4.
    const lls = [-4, -5]
    expect(choose(['acc', 'acc_norm', 'acc_bytes'], [0], ['🦙🦙', 'abcd'], lls)).toEqual({
      acc: 1,
      acc_norm: 0,
      acc_bytes: 1,
    })
  })

  test('acc_mutual_info and acc_answer subtract what the choice has without the question', () => {
    expect(choose(['acc', 'acc_mutual_info', 'acc_answer'], [1], ['a', 'b'], [-1, -2], [-1, -3])).toEqual({
      acc: 0,
      acc_mutual_info: 1,
      acc_answer: 1,
    })
  })

  test('the first of equals is taken; several may be right; exact_match asks greedy decoding', () => {
    expect(choose(['acc', 'exact_match'], [0, 2], ['a', 'b', 'c'], [-2, -2, -2])).toEqual({ acc: 1, exact_match: 0 })
    expect(choose(['exact_match'], [1], ['a', 'b'], [-1, -2])).toEqual({ exact_match: 1 })
  })

  test('the Brier score is the squared distance of the softmax', () => {
    // softmax(ln 3, 0) = (3/4, 1/4): (1/4)² + (1/4)².
    expect(choose(['brier_score'], [0], ['a', 'b'], [Math.log(3), 0]).brier_score).toBeCloseTo(0.125, 12)
  })
})

describe('aggregation', () => {
  test('rolling metrics weigh documents by words and bytes', () => {
    const values = (name: MetricName) => [
      rollingMetrics([name], -10, 2, 20)[name]!,
      rollingMetrics([name], -30, 6, 20)[name]!,
    ]
    expect(aggregate('word_perplexity', values('word_perplexity'))).toBeCloseTo(Math.exp(5), 9)
    expect(aggregate('byte_perplexity', values('byte_perplexity'))).toBeCloseTo(Math.E, 12)
    expect(aggregate('bits_per_byte', values('bits_per_byte'))).toBeCloseTo(1 / Math.LN2, 12)
    expect(standardError('word_perplexity', values('word_perplexity'))).toBeUndefined()
  })

  test('perplexity is e to the mean, accuracy the mean with the sample error', () => {
    expect(aggregate('perplexity', [-1, -3])).toBeCloseTo(Math.exp(2), 9)
    expect(aggregate('acc', [1, 0, 1, 1])).toBe(0.75)
    // Deviation of 1, 0, 1, 1: √(0.75 / 3) = 0.5; over √4.
    expect(standardError('acc', [1, 0, 1, 1])).toBeCloseTo(0.25, 12)
    expect(standardError('acc', [1])).toBeUndefined()
    expect(standardError('acc', [1, 0], 0)).toBeUndefined()
  })
})

describe('exact match', () => {
  test('removes, lowers and strips as told, on both sides', () => {
    const gsm8k = { ignoreCase: true, regexesToIgnore: [',', '\\$', '(?s).*#### ', '\\.$'] }
    expect(exactMatch('1200.', 'It is\n so.\n#### 1,200', gsm8k)).toBe(1)
    expect(exactMatch('Paris!', ['London', 'paris'], { ignoreCase: true, ignorePunctuation: true })).toBe(1)
    expect(exactMatch('room 12', 'room ', { ignoreNumbers: true })).toBe(1)
    expect(exactMatch('a', 'A')).toBe(0)
  })
})

describe('filters', () => {
  const strict = {
    name: 'strict',
    steps: [{ filter: 'regex', pattern: '#### (\\-?[0-9\\.\\,]+)' }, { filter: 'take_first' }],
  } as const
  const flexible = {
    name: 'flexible',
    steps: [{ filter: 'regex', pattern: '(-?[$0-9.,]{2,})|(-?[0-9]+)', select: -1 }, { filter: 'take_first' }],
  } as const

  test.each([
    ['so 3 + 4 = 7.\n#### 7', '7', '7'],
    ['it costs $1,200.50 in all', '[invalid]', '$1,200.50'],
    ['#### -12.', '-12.', '-12.'],
    ['none', '[invalid]', '[invalid]'],
  ])('GSM8K on %j', (answer, one, other) => {
    expect(applyFilters(strict, [answer])).toEqual([one])
    expect(applyFilters(flexible, [answer])).toEqual([other])
  })

  test('votes, maps and trims', () => {
    expect(applyFilters({ name: 'v', steps: [{ filter: 'majority_vote' }] }, ['a', 'b', 'b', 'a'])).toEqual(['a'])
    expect(
      applyFilters({ name: 'm', steps: [{ filter: 'map', mapping: { a: '1' }, fallback: '0' }] }, [
        'a',
        'b',
        'toString',
      ]),
    ).toEqual(['1', '0', '0'])
    expect(
      applyFilters({ name: 't', steps: [{ filter: 'remove_whitespace' }, { filter: 'uppercase' }] }, [' a\n']),
    ).toEqual(['A'])
    expect(() => applyFilters({ name: 'k', steps: [{ filter: 'take_first_k', k: 2 }] }, ['a'])).toThrow('repeats')
  })
})

describe('what Python has otherwise', () => {
  test('lengths, words, whitespace and capitals', () => {
    expect([length('🦙é'), countWords(' a  b '), countWords(''), countWords('a\u3000b')]).toEqual([2, 4, 1, 2])
    expect(rstrip('a \u00a0\u3000\x1f')).toBe('a')
    expect(rstrip('a\ufeff')).toBe('a\ufeff')
    expect(capitalize('éCOLE d’ÉTÉ')).toBe('École d’été')
    expect(pythonRegExp('(?s)(?P<a>.)b').exec('\nb')?.groups?.a).toBe('\n')
  })

  // re.findall(pattern, text)
  test.each([
    ['\\A(.*)\\Z', 'hello', ['hello']],
    ['\\Aa', 'aa', ['a']],
    ['a\\Z', 'a\n', []],
    ['a$', 'a\n', ['a']],
    ['(?m)^a$', 'a\r\na\na', ['a', 'a']],
    ['a.', 'a\ra\n', ['a\r']],
    ['[]a]+', ']a]', [']a]']],
    ['[^]a$.]+', 'b]$', ['b']],
    ['(?P<q>[\'"])x(?P=q)', '"x"', ['"']],
    ['xa{,2}', 'xaaa', ['xaa']],
    ['(?i)\\$A\\.', '$a.', ['$a.']],
    ['\\\\Z', '\\Z', ['\\Z']],
  ])('the pattern %s on %j finds %j', (pattern, text, found) => {
    expect(Array.from(text.matchAll(pythonRegExp(pattern, 'g')), match => match[1] ?? match[0])).toEqual(found)
  })

  test.each(['(', '\\Q', '[\\Z]', '(?x)a', 'a**', '(?P>x)', 'a\\'])('the pattern %s is refused', pattern => {
    expect(() => pythonRegExp(pattern)).toThrow(EvaluationError)
  })

  test.each([
    [`['it\\'s', "b", 3, -1.5, True, None, []]`, ["it's", 'b', 3, -1.5, true, null, []]],
    ['["a\\u00e9\\n"]', ['aé\n']],
    ['("a", "b",)', ['a', 'b']],
    ['[1, 2', undefined],
    ['[a]', undefined],
    ['["a"] b', undefined],
  ])('literal %s', (text, value) => {
    expect(literal(text)).toEqual(value)
  })
})
