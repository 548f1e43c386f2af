import { expect, test } from 'vitest'
import { gaussian } from '../test/helpers.js'
import { LogitsError, logprobs, ParameterError } from './index.js'

test('log-softmax, the likeliest, entropy', () => {
  const { top, entropy, of, rank, logsumexp } = logprobs(Float32Array.of(1, 2, 3), { top: 2 })
  expect(top.map(t => t.token)).toEqual([2, 1])
  expect(top[0]!.logprob).toBeCloseTo(-0.407606, 5)
  expect(of(0)).toBeCloseTo(-2.407606, 5)
  expect(of(9)).toBe(-Infinity)
  expect([rank(2), rank(0)]).toEqual([1, 3])
  expect(logsumexp).toBeCloseTo(3.407606, 5)
  expect(entropy).toBeCloseTo(0.832396, 5)
})

test('on 50,000 logits: sums to one, agrees with the definition', () => {
  const logits = gaussian(50_000, 3, 4)
  const all = logprobs(logits, { top: 50_000 })
  expect(all.top.length).toBe(50_000)
  const sum = all.top.reduce((s, t) => s + Math.exp(t.logprob), 0)
  expect(sum).toBeCloseTo(1, 9)
  const entropy = -all.top.reduce((s, t) => s + Math.exp(t.logprob) * t.logprob, 0)
  expect(all.entropy).toBeCloseTo(entropy, 8)
  expect(logprobs(logits, { top: 5 }).top).toEqual(all.top.slice(0, 5))
})

test('errors', () => {
  expect(() => logprobs(Float32Array.of(-Infinity))).toThrow(LogitsError)
  expect(() => logprobs(Float32Array.of(1), { top: -1 })).toThrow(ParameterError)
})
