/** Weights larger than one binding, on a device whose bindings are tiny; and what is refused. */
import {
  add,
  assign,
  type Device,
  DeviceError,
  embedding,
  f32,
  i32,
  linear,
  plan,
  type Shape,
  spec,
  type Tensor,
  Unavailable,
  writeRows,
  zeros,
} from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WebGpuBackend } from './backend.js'
import { countersOf, webgpu } from './index.js'
import { gpuMissing, useSoftwareAdapter, weightBytes } from './testing.js'

useSoftwareAdapter()

describe.skipIf(gpuMissing())('shards (needs an adapter, which CI has)', () => {
  let device: Device
  const oracle = reference()
  beforeAll(async () => {
    device = await webgpu({ bindingLimit: 16_384 })
  })
  afterAll(() => device.dispose())

  test.each(['f32', 'f16', 'q8_0', 'q4_0', 'q4_k'] as const)('%s weights across bindings', async dtype => {
    const shape: Shape = dtype === 'q4_k' ? [190, 256] : dtype.startsWith('q') ? [603, 96] : [301, 65]
    const bytes = weightBytes(dtype, shape)
    const ids = [0, 5, shape[0]! - 1, 170, -1, shape[0]!]
    const x = Float32Array.from({ length: 6 * shape[1]! }, (_, i) => Math.cos(i))
    const results = async (d: Device): Promise<Float32Array[]> => {
      const w = d.upload(spec(dtype, shape), bytes)
      const few = d.tensor(x.slice(0, shape[1]!), [1, shape[1]!])
      const out = [linear(few, w), linear(d.tensor(x, [6, shape[1]!]), w), embedding(d.tensor(ids, [6], 'i32'), w)]
      return Promise.all(out.map(t => t.data())) as Promise<Float32Array[]>
    }
    const got = await results(device)
    const expected = await results(oracle)
    got.forEach((g, k) => {
      g.forEach((v, i) => expect(Math.abs(v - expected[k]![i]!)).toBeLessThan(1e-3))
    })
    const w = device.upload(spec(dtype, shape), bytes)
    expect(Buffer.compare(await w.bytes(), bytes)).toBe(0)
    const { buf } = w.storage('test')
    const row = bytes.length / shape[0]!
    const middle = await device.backend.read(buf, 100 * row, 80 * row)
    expect(Buffer.compare(middle, bytes.subarray(100 * row, 180 * row))).toBe(0)
  })

  test('a plan over shards', async () => {
    const shape: Shape = [603, 96]
    const w = device.upload(spec('q8_0', shape), weightBytes('q8_0', shape))
    const p = plan(device, { x: f32([1, 96]) }, ({ x }) => linear(x, w))
    const x = Array.from({ length: 96 }, (_, i) => i / 96)
    const got = await (await p.run({ x })).data()
    const wanted = linear(oracle.tensor(x, [1, 96]), oracle.upload(spec('q8_0', shape), weightBytes('q8_0', shape)))
    const expected = await wanted.data()
    got.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 3))
    p.dispose()
  })

  test('ops that need a tensor whole refuse one in shards', () => {
    const w = device.empty(f32([603, 96]))
    expect(() => add(w, 1)).toThrow(DeviceError)
    expect(() => add(w, 1)).toThrow(/add: got \[603,96\] f32, expected at most 16384 bytes/)
    expect(() => plan(device, { x: f32([603, 96]) }, ({ x }) => add(x, 1))).toThrow(DeviceError)
    w.dispose()
  })

  test('what no adapter can hold is refused by name', () => {
    expect(() => device.empty(f32([2 ** 20, 2 ** 10, 4]))).toThrow(DeviceError)
    expect(() => device.empty(f32([2 ** 20, 2 ** 10, 4]))).toThrow(/\[1048576,1024,4\] f32/)
  })
})

describe.skipIf(gpuMissing())('effects (needs an adapter, which CI has)', () => {
  test('a tensor written onto itself', async () => {
    const device = await webgpu()
    const x = device.tensor([1, 2, 3, 4], [4, 1])
    assign(x, x)
    expect(await x.data()).toEqual(new Float32Array([1, 2, 3, 4]))
    expect(() => writeRows(x, x, device.tensor([0, 1, 2, 3], [4], 'i32'))).toThrow(DeviceError)
    const p = plan(device, { k: i32([1]) }, ({ k }) => {
      assign(x, x)
      return add(k, 1)
    })
    expect(await (await p.run({ k: [1] })).data()).toEqual(new Int32Array([2]))
    device.dispose()
  })

  test('a plan takes its own inputs and results back', async () => {
    const device = await webgpu()
    const p = plan(device, { x: f32([2]), y: f32([2]), k: f32([]) }, ({ x, y, k }) => ({ x, y, z: add(add(x, y), k) }))
    let out = await p.run({ x: [1, 2], y: [10, 20], k: 0 })
    out = await p.run({ x: out.y, y: out.x, k: 5 })
    expect(await out.x.data()).toEqual(new Float32Array([10, 20]))
    expect(await out.y.data()).toEqual(new Float32Array([1, 2]))
    out = await p.run({ x: out.x, y: out.z, k: 0 })
    expect(await out.x.data()).toEqual(new Float32Array([10, 20]))
    expect(await out.z.data()).toEqual(new Float32Array([26, 47]))
    device.dispose()
  })

  test('an error that the GPU reports becomes a typed error at the next read', async () => {
    const device = await webgpu()
    const x = device.tensor([1])
    const { gpu } = device.backend as WebGpuBackend
    gpu.device.createBuffer({ size: 16, usage: 0 })
    await expect(x.data()).rejects.toThrow(DeviceError)
    device.dispose()
  })

  test('more workgroups than one axis holds', async () => {
    const device = await webgpu()
    const n = 65_536 * 64 + 100
    const x: Tensor = add(zeros(device, [n]), 1)
    const data = await x.data()
    expect(data[n - 1]).toBe(1)
    expect(data.every(v => v === 1)).toBe(true)
    device.dispose()
  })
})

test('no adapter, no WebGPU: typed, with reason and fix', async () => {
  const gpu = { requestAdapter: async () => null }
  await expect(webgpu({ gpu })).rejects.toThrow(Unavailable)
  await expect(webgpu({ gpu })).rejects.toMatchObject({ reason: 'there is no adapter', code: 'unavailable' })
  await expect(webgpu({ gpu })).rejects.toThrow(/cpu backend/)
  if (process.platform === 'linux')
    for (const missing of ['libvulkan1', 'mesa-vulkan-drivers', 'NVIDIA', 'chromium'])
      await expect(webgpu({ gpu })).rejects.toMatchObject({ fix: expect.stringContaining(missing) })
  expect(countersOf(reference())).toBeUndefined()
})
