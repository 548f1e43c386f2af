import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { golden } from '../../test/shared.js'
import { decodeTensor, encodeFloats } from '../dtype.js'
import { bytesSource } from '../source.js'
import type { TensorInfo, WeightFile } from '../types.js'
import { mergeMeta } from './meta.js'
import { openPytorch } from './read.js'
import { unpickle } from './unpickle.js'

const fixture = (name: string) => bytesSource(new Uint8Array(readFileSync(golden(name))), name)

describe('PyTorch checkpoints', () => {
  it('reads what torch.save wrote: types, scalars, empty tensors, views, transposed views', async () => {
    const expected: Record<string, { shape: number[]; dtype: string; data: number[] }> = JSON.parse(
      readFileSync(golden('plain.json'), 'utf8'),
    )
    const file = await openPytorch(fixture('plain.pth'))
    expect([...file.tensors.keys()]).toEqual(Object.keys(expected))
    for (const [name, { shape, data }] of Object.entries(expected)) {
      const info = file.tensors.get(name)!
      expect(info.shape).toEqual(shape)
      const values = new Float32Array(data.length)
      decodeTensor(info.dtype, await file.read(name), values)
      expect(values).toEqual(Float32Array.from(data))
    }
    expect(file.location('t')).toBeUndefined() // transposed: not in one piece
  })

  it('refuses code, by name, and the legacy format', async () => {
    await expect(openPytorch(fixture('evil.pth'))).rejects.toThrow(/the pickle wants "posix.system", which is refused/)
    await expect(openPytorch(fixture('legacy.pth'))).rejects.toThrow(/legacy PyTorch format/)
  })

  it.each([
    ['an endless line', [0x63, 0x61], /no end/],
    ['an empty stack', [0x80, 2, 0x2e], /stack is empty/],
    ['no mark', [0x74], /no mark/],
    ['memo that was never set', [0x68, 9], /memo 9/],
    ['an opcode for objects', [0x81], /opcode 0x81/],
    ['a huge string', [0x58, 255, 255, 255, 255], /expected 4294967295/],
    ['a call of a value', [0x4b, 1, 0x29, 0x52], /no function/],
    ['no end', [0x80, 2], /expected 1/],
    ['a global by the stack', [...'\x8c\x02os\x8c\x06system\x93'].map(c => c.charCodeAt(0)), /"os.system"/],
  ])('stops at %s', (_, bytes, message) => {
    expect(() => unpickle('x', Uint8Array.from(bytes))).toThrow(message)
  })
})

describe('mergeMeta', () => {
  const memoryFile = (tensors: Record<string, { shape: number[]; values: number[] }>): WeightFile => {
    const infos = new Map<string, TensorInfo>(
      Object.entries(tensors).map(([name, { shape, values }]) => [
        name,
        { name, shape, dtype: 'f32', bytes: values.length * 4, offset: 0 },
      ]),
    )
    return {
      format: 'pytorch',
      naming: 'meta',
      metadata: {},
      tensors: infos,
      read: async name => encodeFloats('f32', Float32Array.from(tensors[name]!.values)),
      location: () => undefined,
      close: async () => {},
    }
  }
  const rank = (r: number, embedding: { shape: number[]; values: number[] }): WeightFile =>
    memoryFile({
      'tok_embeddings.weight': embedding,
      'layers.0.attention.wq.weight': { shape: [1, 2], values: [10 * r, 10 * r + 1] },
      'layers.0.attention.wo.weight': { shape: [2, 1], values: [r, r + 10] },
      'norm.weight': { shape: [2], values: [1, 2] },
      'rope.freqs': { shape: [1], values: [1] },
    })
  const values = async (file: WeightFile, name: string): Promise<number[]> => {
    const bytes = await file.read(name)
    const out = new Float32Array(bytes.length / 4)
    decodeTensor('f32', bytes, out)
    return [...out]
  }

  it('joins rows, columns and either cut of the embedding', async () => {
    const byFeature = mergeMeta(
      [0, 1].map(r => rank(r, { shape: [3, 1], values: [r, r + 2, r + 4] })),
      2,
    )
    expect(byFeature.tensors.get('tok_embeddings.weight')!.shape).toEqual([3, 2])
    expect(await values(byFeature, 'tok_embeddings.weight')).toEqual([0, 1, 2, 3, 4, 5])
    const byWord = mergeMeta(
      [0, 1].map(r => rank(r, { shape: [1, 2], values: [2 * r, 2 * r + 1] })),
      2,
    )
    expect(byWord.tensors.get('tok_embeddings.weight')!.shape).toEqual([2, 2])
    expect(await values(byWord, 'tok_embeddings.weight')).toEqual([0, 1, 2, 3])
    expect(await values(byWord, 'layers.0.attention.wq.weight')).toEqual([0, 1, 10, 11])
    expect(await values(byWord, 'layers.0.attention.wo.weight')).toEqual([0, 1, 10, 11])
    expect(await values(byWord, 'norm.weight')).toEqual([1, 2])
    expect(byWord.tensors.has('rope.freqs')).toBe(false)
  })

  it('refuses ranks that do not belong together', () => {
    const one = rank(0, { shape: [1, 2], values: [0, 1] })
    expect(() => mergeMeta([one, memoryFile({})], 2)).toThrow(/is not in rank 1/)
    expect(() => mergeMeta([one, rank(1, { shape: [2, 2], values: [0, 1, 2, 3] })], 2)).toThrow(/differs/)
  })
})
