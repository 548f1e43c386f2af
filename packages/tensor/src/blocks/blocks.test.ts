import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type BlockDType, blockFormats, decodeBlocks } from './index.js'

/** Six blocks a format (ordinary, extreme and random scales, all zeros, all ones), decoded by ggml's own C code. */
const golden: Record<string, { blocks: string; sha256: string; first: (number | null)[] }> = JSON.parse(
  readFileSync(new URL('./golden/decode.json', import.meta.url), 'utf8'),
)
const names = Object.keys(blockFormats) as BlockDType[]

describe('decodeBlocks', () => {
  it.each(names)('%s equals ggml bit for bit', name => {
    const { blocks, sha256, first } = golden[name]!
    const bytes = Uint8Array.from(Buffer.from(blocks, 'base64'))
    const out = new Float32Array((bytes.length / blockFormats[name].bytes) * blockFormats[name].block)
    decodeBlocks(name, bytes, out)
    for (let i = 0; i < out.length; i++) if (Number.isNaN(out[i])) out[i] = Number.NaN // one NaN pattern
    expect(Array.from(out.subarray(0, 4), v => (Number.isFinite(v) ? v : null))).toEqual(first)
    expect(createHash('sha256').update(new Uint8Array(out.buffer)).digest('hex')).toBe(sha256)
  })

  it('reads from any offset of a larger buffer', () => {
    const bytes = Uint8Array.from(Buffer.from(golden.q6_k!.blocks, 'base64'))
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    const want = new Float32Array(6 * 256)
    const got = new Float32Array(6 * 256)
    decodeBlocks('q6_k', bytes, want)
    decodeBlocks('q6_k', shifted.subarray(3), got)
    expect(got).toEqual(want)
  })

  it('refuses lengths that are not whole blocks', () => {
    expect(() => decodeBlocks('q4_0', new Uint8Array(17), new Float32Array(32))).toThrow(/got 17 bytes of q4_0/)
    expect(() => decodeBlocks('q4_0', new Uint8Array(18), new Float32Array(31))).toThrow(/room for 31 values/)
  })
})
