import { expect, test } from 'vitest'
import { ParameterError } from './errors.js'
import { philox, Random } from './random.js'

const hex = (words: Uint32Array): string => [...words].map(w => w.toString(16).padStart(8, '0')).join(' ')

test('Philox 4x32-10: the known answers of its authors', () => {
  expect(hex(philox(0, 0, 0, 0, 0, 0))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8')
  const f = 0xffffffff
  expect(hex(philox(f, f, f, f, f, f))).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd')
  expect(hex(philox(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0))).toBe(
    'd16cfe09 94fdcceb 5001e420 24126ea1',
  )
})

test('a draw depends on seed, stream and index alone', () => {
  const a = new Random(42)
  const first = [a.next(), a.next(), a.next()]
  a.index = 1
  expect(a.next()).toBe(first[1])
  expect(new Random(42n).next()).toBe(first[0])
  expect(new Random(42, 1).next()).not.toBe(first[0])
  expect(new Random(43).next()).not.toBe(first[0])
  expect(new Random(42 + 2 ** 40).next()).not.toBe(first[0])
  const copy = a.clone()
  expect(copy.next()).toBe(a.next())
})

test('uniform in [0, 1): mean, spread and range', () => {
  const random = new Random(7)
  let sum = 0
  let squares = 0
  const n = 100_000
  for (let i = 0; i < n; i++) {
    const x = random.next()
    expect(x >= 0 && x < 1).toBe(true)
    sum += x
    squares += x * x
  }
  expect(Math.abs(sum / n - 0.5)).toBeLessThan(0.004)
  expect(Math.abs(squares / n - 1 / 3)).toBeLessThan(0.004)
})

test('a seed is a whole number', () => {
  expect(() => new Random(1.5)).toThrow(ParameterError)
  expect(typeof new Random().seed).toBe('number')
})
