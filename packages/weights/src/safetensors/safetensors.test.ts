import { describe, expect, it } from 'vitest'
import { openShards } from '../shards.js'
import { memorySink } from '../sink.js'
import { bytesSource } from '../source.js'
import { openSafetensors } from './read.js'
import { type SafetensorsInput, writeSafetensors } from './write.js'

async function written(input: SafetensorsInput): Promise<Uint8Array> {
  const sink = memorySink()
  await writeSafetensors(sink, input)
  return sink.bytes()
}

const input: SafetensorsInput = {
  metadata: { format: 'pt', note: 'ü' },
  tensors: [
    { name: 'byte', shape: [3], dtype: 'u8', data: () => Uint8Array.of(1, 2, 3) },
    { name: 'wide', shape: [2, 1], dtype: 'f64', data: () => new Uint8Array(16).fill(1) },
    { name: 'none', shape: [0, 4], dtype: 'f32', data: () => new Uint8Array(0) },
    { name: 'scalar', shape: [], dtype: 'bf16', data: () => Uint8Array.of(9, 9) },
  ],
}

/** A file with any header over `data` bytes. */
function file(header: unknown, data = 8): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const out = new Uint8Array(8 + json.length + data)
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true)
  out.set(json, 8)
  return out
}

const entry = (dtype: string, shape: number[], begin: number, end: number): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

describe('safetensors', () => {
  it('returns tensors and metadata as written, every tensor aligned to its elements', async () => {
    const read = await openSafetensors(bytesSource(await written(input)))
    expect(read.metadata).toEqual(input.metadata)
    for (const { name, shape, dtype, data } of input.tensors) {
      expect(read.tensors.get(name)).toMatchObject({ shape, dtype })
      expect(await read.read(name)).toEqual(await data())
    }
    expect(read.tensors.get('wide')!.offset % 8).toBe(0)
  })

  it('joins shards by their index', async () => {
    const shards: Record<string, Uint8Array> = {
      'a.safetensors': await written({ tensors: input.tensors.slice(0, 2) }),
      'b.safetensors': await written({ tensors: input.tensors.slice(2) }),
    }
    const open = async (name: string) => openSafetensors(bytesSource(shards[name]!, name))
    const map = { byte: 'a.safetensors', wide: 'a.safetensors', scalar: 'b.safetensors' }
    const joined = await openShards({ weight_map: map }, open)
    expect(await joined.read('scalar')).toEqual(Uint8Array.of(9, 9))
    expect(joined.tensors.get('wide')!.file).toBe('a.safetensors')
    await expect(openShards({ weight_map: { ...map, gone: 'b.safetensors' } }, open)).rejects.toThrow(
      /"gone" is not in b/,
    )
    await expect(openShards({ weight_map: { x: '../b.safetensors' } }, open)).rejects.toThrow(/plain file name/)
    await expect(openShards({ weight_map: 3 }, open)).rejects.toThrow(/weight_map/)
  })

  it.each([
    ['a hole', { a: entry('U8', [4], 4, 8) }, /hole of 4 bytes/],
    ['an overlap', { a: entry('U8', [4], 0, 4), b: entry('U8', [6], 2, 8) }, /overlaps/],
    ['bytes behind', { a: entry('U8', [4], 0, 4) }, /got 8 bytes of data, expected 4/],
    ['a wrong size', { a: entry('F32', [4], 0, 8) }, /got 8 bytes, expected 16/],
    ['a range outside', { a: entry('U8', [80], 0, 80) }, /truncated/],
    ['an overflow', { a: entry('F32', [2 ** 40, 2 ** 40], 0, 8) }, /does not fit/],
    ['a negative axis', { a: entry('F32', [-2], 0, 8) }, /expected \{ dtype/],
    ['an unknown type', { a: entry('F4', [16], 0, 8) }, /element type "F4"/],
    ['no JSON', '{"a":', /not JSON/],
    ['a list', '[]', /not a JSON object/],
    ['absurd rank', { a: entry('U8', [8, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0, 8) }, /at most 8 axes/],
  ])('refuses %s', async (_, header, message) => {
    await expect(openSafetensors(bytesSource(file(header)))).rejects.toThrow(message)
  })

  it('refuses headers longer than the file, and block formats', async () => {
    const bytes = file({})
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 63n, true)
    await expect(openSafetensors(bytesSource(bytes))).rejects.toThrow(/expected at most/)
    const quantised = { tensors: [{ name: 'q', shape: [32], dtype: 'q8_0' as const, data: () => new Uint8Array(34) }] }
    await expect(written(quantised)).rejects.toThrow(/q8_0/)
  })

  it('keeps names that objects give a meaning', async () => {
    const header = '{"__proto__":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}'
    const read = await openSafetensors(bytesSource(file(header)))
    expect([...read.tensors.keys()]).toEqual(['__proto__'])
  })
})
