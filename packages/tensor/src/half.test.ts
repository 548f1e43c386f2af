import { describe, expect, it } from 'vitest'
import {
  bf16ArrayToF32,
  bf16ToF32,
  f16ArrayToF32,
  f16ToF32,
  f32ArrayToBf16,
  f32ArrayToF16,
  f32ToBf16,
  f32ToF16,
} from './half.js'

const word = new Uint32Array(1)
const real = new Float32Array(word.buffer)
const bitsOf = (x: number): number => {
  real[0] = x
  return word[0]!
}
const fromBits = (bits: number): number => {
  word[0] = bits
  return real[0]!
}

describe.each([
  { name: 'f16', widen: f16ToF32, narrow: f32ToF16, infinity: 0x7c00 },
  { name: 'bf16', widen: bf16ToF32, narrow: f32ToBf16, infinity: 0x7f80 },
])('$name', ({ widen, narrow, infinity }) => {
  it('returns every pattern unchanged', () => {
    for (let bits = 0; bits < 65536; bits++) {
      if ((bits & 0x7fff) > infinity) expect(widen(bits)).toBeNaN()
      else if (narrow(widen(bits)) !== bits) expect.fail(`pattern ${bits.toString(16)}`)
    }
  })

  it('rounds to nearest, ties to even, between every two neighbours', () => {
    for (let bits = 0; bits < infinity - 1; bits++) {
      const middle = (widen(bits) + widen(bits + 1)) / 2
      if (Math.fround(middle) !== middle) continue // between float32 subnormals there is no middle
      const even = bits & 1 ? bits + 1 : bits
      const near = [fromBits(bitsOf(middle) - 1), middle, fromBits(bitsOf(middle) + 1)].map(narrow)
      if (near[0] !== bits || near[1] !== even || near[2] !== bits + 1)
        expect.fail(`after ${bits.toString(16)}: ${near}`)
      if (narrow(-middle) !== (even | 0x8000)) expect.fail(`sign, after ${bits.toString(16)}`)
    }
  })

  it('keeps zero signs, infinities and NaN', () => {
    expect(narrow(0)).toBe(0)
    expect(narrow(-0)).toBe(0x8000)
    expect(narrow(Number.POSITIVE_INFINITY)).toBe(infinity)
    expect(narrow(Number.NEGATIVE_INFINITY)).toBe(infinity | 0x8000)
    expect(narrow(3.4e38 * 1)).toBe(infinity) // past the largest value
    expect(widen(narrow(Number.NaN))).toBeNaN()
    expect(widen(narrow(fromBits(0x7f800001)))).toBeNaN() // a payload that narrowing would cut to infinity
  })
})

it('array forms agree with the scalar ones, also inside a larger buffer', () => {
  const values = Float32Array.from([0, -0, 1, 1 / 3, -65504, 1e-7, 1e30, Number.NEGATIVE_INFINITY])
  const inner = new Float32Array(10).subarray(1, 9)
  inner.set(values)
  expect([...f32ArrayToF16(inner)]).toEqual([...values].map(f32ToF16))
  expect([...f32ArrayToBf16(inner)]).toEqual([...values].map(f32ToBf16))
  const bits = Uint16Array.from({ length: 100 }, (_, i) => i * 311)
  expect(f16ArrayToF32(bits)).toEqual(Float32Array.from(bits, f16ToF32))
  expect(bf16ArrayToF32(bits)).toEqual(Float32Array.from(bits, bf16ToF32))
})
