/** Products in large tiles: every way an operand may lie, edges that no tile divides, batches, and shards. */
import { type Device, linear, matmul, spec, square, sum, type Tensor, valueAndGrad } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { webgpu } from './index.js'
import { gpuMissing, useSoftwareAdapter, weightBytes } from './testing.js'

useSoftwareAdapter()

const values = (n: number, seed: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * seed))

describe.skipIf(gpuMissing())('products in large tiles (needs an adapter, which CI has)', () => {
  let device: Device
  const oracle = reference()
  beforeAll(async () => {
    device = await webgpu({ bindingLimit: 98_304 })
  })
  afterAll(() => device.dispose())

  async function same(fn: (d: Device) => Tensor): Promise<void> {
    const [got, want] = await Promise.all([fn(device).data(), fn(oracle).data()])
    const scale = Math.max(...(want as Float32Array).map(Math.abs))
    want.forEach((x, i) => expect(Math.abs(got[i]! - x), `${i}`).toBeLessThan(1e-5 * scale))
  }

  describe.each([
    [33, 33, 1],
    [67, 65, 19],
    [64, 128, 32],
  ])('[%s, %s] over %s', (m, n, k) => {
    test.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])('matmul, transposed: %s, %s', (transposeA, transposeB) =>
      same(d => {
        const a = d.tensor(values(m * k, 1.1), transposeA ? [k, m] : [m, k])
        const b = d.tensor(values(n * k, 1.7), transposeB ? [n, k] : [k, n])
        return matmul(a, b, { transposeA, transposeB })
      }),
    )
  })

  test('a batch, and one matrix for all of it', async () => {
    await same(d =>
      matmul(d.tensor(values(3 * 40 * 9, 1.1), [3, 40, 9]), d.tensor(values(3 * 9 * 35, 1.7), [3, 9, 35])),
    )
    await same(d => matmul(d.tensor(values(3 * 40 * 9, 1.1), [3, 40, 9]), d.tensor(values(9 * 35, 1.7), [9, 35])))
  })

  test.each(['f32', 'f16', 'bf16', 'q8_0', 'q4_0', 'q4_k'] as const)(
    'linear on %s weights, whole and in shards',
    async dtype => {
      const dense = ['f32', 'f16', 'bf16'].includes(dtype)
      const sizes = dense
        ? [
            [70, 24],
            [70, 21],
            [300, 128],
          ]
        : [
            [70, 256],
            [300, 512],
          ]
      for (const [n, k] of sizes as [number, number][]) {
        const bytes = weightBytes(dtype, [n, k])
        await same(d => linear(d.tensor(values(40 * k, 1.1), [40, k]), d.upload(spec(dtype, [n, k]), bytes)))
      }
    },
  )

  test('linear and its gradients', () =>
    same(d => {
      const [x, w] = [d.tensor(values(45 * 40, 1.1), [45, 40]), d.tensor(values(50 * 40, 1.7), [50, 40])]
      return valueAndGrad(() => sum(square(linear(x, w))), [w]).grads[0]!
    }))
})
