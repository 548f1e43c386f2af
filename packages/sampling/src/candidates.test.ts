import { describe, expect, test } from 'vitest'
import { gaussian } from '../test/helpers.js'
import { Candidates } from './candidates.js'
import { LogitsError } from './errors.js'

function loaded(logits: Float32Array): Candidates {
  const c = new Candidates()
  c.load(logits)
  return c
}

const ids = (c: Candidates): number[] => [...c.ids.subarray(0, c.size)]

/** What a plain full sort says: ids by descending logit, lower id first among equals. */
const sorted = (logits: Float32Array): number[] =>
  Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b)

describe('keepTop equals a full sort', () => {
  for (const n of [1, 5, 63, 64, 65, 1000, 40_000]) {
    for (const k of [1, 2, 40, 256, 257, 900]) {
      test(`${k} of ${n}`, () => {
        const logits = gaussian(n, n + k, 3)
        const c = loaded(logits)
        c.keepTop(k)
        if (k < n) expect(ids(c)).toEqual(sorted(logits).slice(0, k))
        else expect(c.size).toBe(n)
      })
    }
  }

  test('with many ties', () => {
    const logits = Float32Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5)
    for (const k of [3, 100, 1500]) {
      const c = loaded(logits)
      c.keepTop(k)
      expect(ids(c)).toEqual(sorted(logits).slice(0, k))
    }
  })

  test('drops what is at -Infinity', () => {
    const c = loaded(Float32Array.of(1, -Infinity, 0, -Infinity, -Infinity, -Infinity))
    c.keepTop(4)
    expect(ids(c)).toEqual([0, 2])
  })

  test('after single logits changed', () => {
    const logits = gaussian(2000, 3)
    const c = loaded(logits)
    const edited = logits.slice()
    for (const t of sorted(logits).slice(0, 20)) {
      c.setLogit(t, -5)
      edited[t] = -5
    }
    c.keepTop(10)
    expect(ids(c)).toEqual(sorted(edited).slice(0, 10))
  })
})

test('sort: 5 to 20,000 entries, negative zeros and infinities', () => {
  for (const n of [5, 48, 49, 20_000]) {
    const logits = gaussian(n, n, 10)
    logits[1] = -Infinity
    const c = loaded(logits)
    c.sort()
    expect(ids(c)).toEqual(sorted(logits))
  }
})

test('keepMass on a large vocabulary equals the plain definition', () => {
  for (const scale of [0.5, 3, 8]) {
    const logits = gaussian(30_000, 11, scale)
    const c = loaded(logits)
    c.keepMass(0.9, 0)
    const order = sorted(logits)
    const max = logits[order[0]!]!
    const weights = order.map(i => Math.exp(logits[i]! - max))
    const total = weights.reduce((a, b) => a + b)
    let n = 0
    for (let sum = 0; sum < 0.9 * total; ) sum += weights[n++]!
    expect(Math.abs(c.size - n)).toBeLessThanOrEqual(1)
    expect(ids(c)).toEqual(order.slice(0, c.size))
  }
})

test('loading again restores every id', () => {
  const logits = gaussian(1000, 5)
  const c = loaded(logits)
  c.keepTop(300)
  c.load(logits)
  expect(ids(c)).toEqual(Array.from(logits.keys()))
  c.sort()
  c.load(logits)
  expect(ids(c)).toEqual(Array.from(logits.keys()))
  expect(c.token).toBeUndefined()
})

test('the logits given are not changed', () => {
  const logits = gaussian(100, 5)
  const before = logits.slice()
  const c = loaded(logits)
  c.keepTop(3)
  c.scale(2)
  expect(logits).toEqual(before)
})

test('NaN, +Infinity and nothing are refused by name', () => {
  expect(() => loaded(Float32Array.of(0, Number.NaN))).toThrow(/got logit NaN for token 1, expected finite/)
  expect(() => loaded(Float32Array.of(0, Infinity))).toThrow(LogitsError)
  expect(() => loaded(new Float32Array(0))).toThrow(/got no logits/)
})

test('argmax takes the lowest id among equals, in every state', () => {
  const logits = Float32Array.of(0, 3, 1, 3)
  const c = loaded(logits)
  expect(c.argmax()).toBe(1)
  c.keepAtLeast(0.5)
  expect(c.ids[c.argmax()]).toBe(1)
  c.sort()
  expect(c.token ?? c.ids[c.argmax()]).toBe(1)
  expect(loaded(Float32Array.of(-Infinity, -Infinity)).argmax()).toBe(-1)
})
