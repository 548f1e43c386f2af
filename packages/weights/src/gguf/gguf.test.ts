import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { shared, withoutShared } from '../../test/shared.js'
import { memorySink } from '../sink.js'
import { type ByteSource, bytesSource } from '../source.js'
import type { GgufValue } from './format.js'
import { openGguf } from './read.js'
import { type GgufInput, writeGguf } from './write.js'

async function written(input: GgufInput): Promise<Uint8Array> {
  const sink = memorySink()
  await writeGguf(sink, input)
  return sink.bytes()
}

const everyType = new Map<string, GgufValue>([
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['a.u8', { type: 'u8', value: 255 }],
  ['a.i8', { type: 'i8', value: -128 }],
  ['a.u16', { type: 'u16', value: 65535 }],
  ['a.i16', { type: 'i16', value: -32768 }],
  ['a.u32', { type: 'u32', value: 4294967295 }],
  ['a.i32', { type: 'i32', value: -2147483648 }],
  ['a.f32', { type: 'f32', value: 0.5 }],
  ['a.f64', { type: 'f64', value: Math.PI }],
  ['a.u64', { type: 'u64', value: 2n ** 64n - 1n }],
  ['a.i64', { type: 'i64', value: -5 }],
  ['a.bool', { type: 'bool', value: true }],
  ['a.string', { type: 'string', value: 'ünïcode ▁ 🦙' }],
  ['a.strings', { type: 'array', of: 'string', value: ['', 'x', '🦙'] }],
  ['a.floats', { type: 'array', of: 'f32', value: Float32Array.of(1, -2.5) }],
  ['a.bytes', { type: 'array', of: 'u8', value: Uint8Array.of(1, 2, 3) }],
  ['a.bools', { type: 'array', of: 'bool', value: [true, false] }],
  ['a.longs', { type: 'array', of: 'i64', value: [1, -(2n ** 60n)] }],
  [
    'a.nested',
    {
      type: 'array',
      of: 'array',
      value: [
        { type: 'array', of: 'u32', value: Uint32Array.of(7) },
        { type: 'array', of: 'string', value: ['deep'] },
      ],
    },
  ],
  ['a.empty', { type: 'array', of: 'i32', value: new Int32Array(0) }],
])

const tensors: GgufInput['tensors'] = [
  { name: 'one', shape: [2, 64], dtype: 'q4_0', data: () => Uint8Array.from({ length: 72 }, (_, i) => i) },
  { name: 'two', shape: [3], dtype: 'f32', data: () => new Uint8Array(12).fill(7) },
  { name: 'three', shape: [1, 2, 3, 4], dtype: 'bf16', data: () => new Uint8Array(48).fill(9) },
]

describe('GGUF', () => {
  it('returns every metadata type and every tensor as written', async () => {
    const file = await openGguf(bytesSource(await written({ metadata: everyType, tensors })))
    expect(file.version).toBe(3)
    expect(file.values).toEqual(everyType)
    expect(file.metadata['a.nested']).toEqual([Uint32Array.of(7), ['deep']])
    expect([...file.tensors.values()].map(({ name, shape, dtype, bytes }) => [name, shape, dtype, bytes])).toEqual([
      ['one', [2, 64], 'q4_0', 72],
      ['two', [3], 'f32', 12],
      ['three', [1, 2, 3, 4], 'bf16', 48],
    ])
    for (const { name, data } of tensors) expect(await file.read(name)).toEqual(await data())
  })

  it('writes headers of any size', async () => {
    const tokens = Array.from({ length: 20_000 }, (_, i) => `${i}${'▁'.repeat(i % 40)}`)
    const metadata = new Map<string, GgufValue>([
      ['bytes', { type: 'array', of: 'u8', value: Uint8Array.from({ length: 70_001 }, (_, i) => i) }],
      ['tokens', { type: 'array', of: 'string', value: tokens }],
      ['scores', { type: 'array', of: 'f32', value: Float32Array.from(tokens, (_, i) => -i) }],
      ['sizes', { type: 'array', of: 'i64', value: tokens.map((_, i) => i) }],
    ])
    const file = await openGguf(bytesSource(await written({ metadata, tensors })))
    expect(file.values).toEqual(metadata)
    expect(await file.read('two')).toEqual(new Uint8Array(12).fill(7))
  })

  it('keeps a larger alignment', async () => {
    const metadata = new Map(everyType).set('general.alignment', { type: 'u32', value: 256 })
    const file = await openGguf(bytesSource(await written({ metadata, tensors })))
    expect(file.alignment).toBe(256)
    for (const { offset } of file.tensors.values()) expect(offset % 256).toBe(0)
  })

  it('reads only the header and the tensors asked for', async () => {
    const inner = bytesSource(
      await written({
        metadata: everyType,
        tensors: [...tensors, { name: 'big', shape: [2 ** 21], dtype: 'f32', data: () => new Uint8Array(2 ** 23) }],
      }),
    )
    let read = 0
    const counting: ByteSource = {
      ...inner,
      read: (at, n) => {
        read += n
        return inner.read(at, n)
      },
    }
    await (await openGguf(counting)).read('one')
    expect(read).toBeLessThan(2 ** 20 + 100)
  })

  it('puts the parts of a split file together, in any order', async () => {
    const part = (no: number, own: GgufInput['tensors']): Promise<Uint8Array> =>
      written({
        metadata: new Map<string, GgufValue>([
          ...(no === 0 ? everyType : []),
          ['split.no', { type: 'u16', value: no }],
          ['split.count', { type: 'u16', value: 2 }],
          ['split.tensors.count', { type: 'i32', value: 3 }],
        ]),
        tensors: own,
      })
    const a = bytesSource(await part(0, tensors.slice(0, 1)), 'a')
    const b = bytesSource(await part(1, tensors.slice(1)), 'b')
    const file = await openGguf([b, a])
    expect(file.metadata['a.u8']).toBe(255)
    expect(file.tensors.get('three')?.file).toBe('b')
    expect(await file.read('two')).toEqual(new Uint8Array(12).fill(7))
    await expect(openGguf(a)).rejects.toThrow(/got 1 part\(s\) of a split GGUF, expected 2/)
    await expect(openGguf([a, a])).rejects.toThrow(/got part 0 twice/)
  })

  it('names what it refuses', async () => {
    const good = await written({ metadata: everyType, tensors })
    const patched = (at: number, ...bytes: number[]): ByteSource => {
      const copy = good.slice()
      copy.set(bytes, at)
      return bytesSource(copy, 'x')
    }
    await expect(openGguf(patched(0, 0x67))).rejects.toThrow(/begins with "GGUF"/)
    await expect(openGguf(patched(4, 1))).rejects.toThrow(/GGUF version 1/)
    await expect(openGguf(patched(4, 0, 0, 0, 3))).rejects.toThrow(/big-endian/)
    await expect(openGguf(patched(8, 255, 255, 255, 255, 255))).rejects.toThrow(/bytes remain/)
    await expect(openGguf(bytesSource(good.subarray(0, good.length - 40)))).rejects.toThrow(/truncated or corrupt/)
    const twice = { metadata: everyType, tensors: [tensors[0]!, tensors[0]!] }
    await expect(written(twice)).rejects.toThrow(/two tensors named "one"/)
  })

  it.skipIf(withoutShared)('writes a file of llama.cpp again, byte for byte', async () => {
    const bytes = new Uint8Array(readFileSync(shared('models/stories260K.gguf')))
    const file = await openGguf(bytesSource(bytes))
    const again = await written({
      metadata: file.values,
      tensors: [...file.tensors.values()].map(tensor => ({ ...tensor, data: () => file.read(tensor.name) })),
    })
    expect(Buffer.compare(again, bytes)).toBe(0)
  })
})
