import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { blockFormats, decodeBlocks } from '@cria/tensor'
import { describe, expect, it } from 'vitest'
import { bell, lcg } from '../../test/random.js'
import { golden } from '../../test/shared.js'
import { encodeBlocks, type QuantDType, quantDTypes } from './index.js'

/** ggml's own bytes (as a hash) and error on the same values, made by its C code. */
const reference: { values: string; formats: Record<string, { sha256: string; rmse: number }> } = JSON.parse(
  readFileSync(golden('quantize.json'), 'utf8'),
)

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function values(): Float32Array {
  const x = bell(256 * 64, 0.04, 12345)
  x.fill(0, 0, 256)
  x.fill(1e-30, 256, 288)
  x.fill(-3, 288, 320)
  x[320] = 65504
  return x
}

function encoded(dtype: QuantDType, x: Float32Array): Uint8Array {
  const { block, bytes } = blockFormats[dtype]
  const out = new Uint8Array((x.length / block) * bytes)
  encodeBlocks(dtype, x, out)
  return out
}

function rmse(dtype: QuantDType, x: Float32Array, from = 0): number {
  const y = new Float32Array(x.length)
  decodeBlocks(dtype, encoded(dtype, x), y)
  let sum = 0
  for (let i = from; i < x.length; i++) sum += (y[i]! - x[i]!) ** 2
  return Math.sqrt(sum / (x.length - from))
}

it('makes the values the reference was made from', () => {
  expect(sha256(new Uint8Array(values().buffer))).toBe(reference.values)
})

describe.each(['q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1'] as const)('%s', dtype => {
  it('equals ggml byte for byte', () => {
    expect(sha256(encoded(dtype, values()))).toBe(reference.formats[dtype]!.sha256)
  })
})

describe.each(['q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl'] as const)('%s', dtype => {
  it('has an error no larger than ggml on ordinary weights', () => {
    expect(rmse(dtype, values(), 512)).toBeLessThan(reference.formats[dtype]!.rmse * 1.005)
  })
})

describe.each(quantDTypes)('%s', dtype => {
  it('keeps zeros, and encodes what it decoded again with hardly any loss', () => {
    expect(rmse(dtype, new Float32Array(256))).toBe(0)
    const x = bell(2560, 1, 5)
    const once = new Float32Array(x.length)
    decodeBlocks(dtype, encoded(dtype, x), once)
    expect(rmse(dtype, once)).toBeLessThan(rmse(dtype, x) * 0.5)
  })

  it('survives groups of very different size, of one value, and with outliers', () => {
    const next = lcg(9)
    for (let trial = 0; trial < 50; trial++) {
      const x = Float32Array.from({ length: 256 }, (_, i) => (next() - 0.5) * 10 ** -Math.floor(i / 32))
      if (trial % 3 === 1) x.fill(next(), 64, 128)
      if (trial % 3 === 2) x[trial] = 100
      const y = new Float32Array(256)
      decodeBlocks(dtype, encoded(dtype, x), y)
      expect(y.every(Number.isFinite)).toBe(true)
    }
  })

  it('refuses NaN, infinities, scales beyond 16 bits and wrong lengths', () => {
    const x = new Float32Array(256).fill(1)
    const out = new Uint8Array((256 / blockFormats[dtype].block) * blockFormats[dtype].bytes)
    for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY, 3e38]) {
      expect(() => encodeBlocks(dtype, Float32Array.from(x).fill(bad, 7, 8), out)).toThrow(/encodeBlocks: got/)
    }
    expect(() => encodeBlocks(dtype, x.subarray(1), out)).toThrow(/got 255 values/)
  })
})
