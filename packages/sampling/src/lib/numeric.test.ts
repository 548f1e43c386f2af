import { expect, test } from 'vitest'
import { exp, log, pow } from './numeric.js'

const ulps = (a: number, b: number): number => Math.abs(a - b) / (Math.abs(b) * 2 ** -52 || 1)

test('exp is within 2 ulp of the built-in over its whole range', () => {
  for (let x = -700; x < 700; x += 0.37) expect(ulps(exp(x), Math.exp(x))).toBeLessThan(2.5)
  expect(exp(0)).toBe(1)
  expect([exp(-800), exp(Number.NEGATIVE_INFINITY), exp(800), exp(Number.NaN)]).toEqual([0, 0, Infinity, Number.NaN])
  expect(exp(-740) / Math.exp(-740)).toBeCloseTo(1)
})

test('log is within 2 ulp of the built-in over its whole range', () => {
  for (let x = 1e-300; x < 1e300; x *= 1.73) expect(ulps(log(x), Math.log(x))).toBeLessThan(2)
  for (let x = 0.9; x < 1.1; x += 0.00093) expect(Math.abs(log(x) - Math.log(x))).toBeLessThan(4e-16)
  expect([log(0), log(-1), log(Infinity), log(Number.NaN)]).toEqual([-Infinity, Number.NaN, Infinity, Number.NaN])
  expect(log(5e-324)).toBeCloseTo(Math.log(5e-324), 10)
})

test('pow', () => {
  expect(pow(1.75, 3)).toBeCloseTo(1.75 ** 3, 12)
  expect([pow(0, 2), pow(0, 0), pow(5, 0), pow(0, -1)]).toEqual([0, 1, 1, Infinity])
})

test('exact bits: these must not change, or seeds stop reproducing', () => {
  expect([exp(-1), exp(-0.1), exp(-17.25), log(3), log(0.1)]).toMatchInlineSnapshot(`
    [
      0.3678794411714423,
      0.9048374180359595,
      3.224186737256733e-8,
      1.0986122886681096,
      -2.3025850929940455,
    ]
  `)
})
