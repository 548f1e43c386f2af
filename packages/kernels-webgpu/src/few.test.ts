/** Kernels of decoding, where few rows meet much: one query over more keys than a workgroup has threads, uneven outputs. */
import { attention, cast, type Device, linear, softmax, spec, type Tensor } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { webgpu } from './index.js'
import { gpuMissing, useSoftwareAdapter, weightBytes } from './testing.js'

useSoftwareAdapter()

const values = (n: number, seed: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * seed))

describe.skipIf(gpuMissing())('few rows (needs an adapter, which CI has)', () => {
  let device: Device
  const oracle = reference()
  beforeAll(async () => {
    device = await webgpu()
  })
  afterAll(() => device.dispose())

  async function same(fn: (d: Device) => Tensor, relative = 1e-5): Promise<void> {
    const [got, want] = await Promise.all([fn(device).data(), fn(oracle).data()])
    const scale = Math.max(...(want as Float32Array).map(Math.abs))
    want.forEach((x, i) => expect(Math.abs(got[i]! - x), `${i}`).toBeLessThan(relative * scale))
  }

  test.each([
    [1, 64, 'f32', 0],
    [1, 96, 'f16', 0],
    [3, 130, 'f32', 0],
    [2, 256, 'bf16', 0],
    [2, 6, 'f32', 290],
    [8, 96, 'f32', 0],
    [8, 256, 'f32', 100],
  ] as const)('%s queries on 600 keys, heads of %s, %s cache, window %s', (t, d, dtype, window) =>
    same(device => {
      const q = device.tensor(values(t * 4 * d, 1.1), [t, 4, d])
      const [k, v] = [1.3, 1.7].map(seed => cast(device.tensor(values(600 * 2 * d, seed), [600, 2, d]), dtype))
      const positions = device.tensor(
        Int32Array.from({ length: t }, (_, i) => (i === 0 ? 555 : 599 - i)),
        [t],
        'i32',
      )
      return attention(q, k!, v!, { positions, window })
    }),
  )

  test.each([
    [1, 67, 32, 'f32'],
    [4, 67, 21, 'f16'],
    [3, 9, 640, 'q8_0'],
    [1, 1, 1056, 'q4_0'],
    [4, 130, 96, 'q4_0'],
    [2, 15, 512, 'q4_k'],
  ] as const)('%s rows by %s outputs over %s, %s weights', (rows, n, k, dtype) =>
    same(d =>
      linear(d.tensor(values(rows * k, 1.1), [rows, k]), d.upload(spec(dtype, [n, k]), weightBytes(dtype, [n, k]))),
    ),
  )

  test('softmax of long rows', () => same(d => softmax(d.tensor(values(3 * 2500, 1.1), [3, 2500]))))
})
