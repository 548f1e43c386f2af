// The arithmetic of the side-by-side benchmarks.
import { describe, expect, it } from 'vitest'
import { median, type Sample, summarise, table } from './summary.mjs'

const sample = (round: number, engine: Sample['engine'], tokensPerSecond: number, test = 'tg64'): Sample => ({
  round,
  engine,
  model: 'm.gguf',
  test,
  threads: 1,
  depth: 0,
  tokensPerSecond,
})

describe('summarise', () => {
  it('takes the median of the ratios of each round, not the ratio of medians', () => {
    // Round 1 ran on a machine half as fast: both sides halve, the ratio stays 2.
    const rows = summarise([
      sample(0, 'ours', 20),
      sample(0, 'theirs', 10),
      sample(1, 'theirs', 5),
      sample(1, 'ours', 10),
      sample(2, 'ours', 30),
      sample(2, 'theirs', 10),
    ])
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      rounds: 3,
      ours: { median: 20, min: 10, max: 30 },
      theirs: { median: 10, min: 5, max: 10 },
      ratio: { median: 2, min: 2, max: 3 },
    })
  })

  it('leaves out rounds that one side did not finish, and tests only one side ran', () => {
    const rows = summarise([
      sample(0, 'ours', 20),
      sample(0, 'theirs', 10),
      sample(1, 'ours', 20),
      sample(0, 'ours', 9, 'pp8'),
    ])
    expect(rows.map(r => [r.test, r.rounds])).toEqual([['tg64', 1]])
  })

  it('prints one aligned line a row', () => {
    const text = table(summarise([sample(0, 'ours', 20), sample(0, 'theirs', 10)]))
    expect(text.split('\n')).toHaveLength(2)
    expect(text).toContain('2.00 (2.00–2.00)')
  })
})

describe('median', () => {
  it('handles odd and even counts and refuses none', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow('got no values')
  })
})
