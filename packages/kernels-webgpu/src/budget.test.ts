/** Budgets are counted, not timed: what one replay of a decode plan asks of WebGPU. */
import { tinyLlama } from '@cria/conformance'
import { add, argmax, type Device, f32, i32, mul, plan, reshape } from '@cria/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Counters, countersOf, webgpu } from './index.js'
import { gpuMissing, useSoftwareAdapter } from './testing.js'

useSoftwareAdapter()

describe.skipIf(gpuMissing())('budgets (needs an adapter, which CI has)', () => {
  let device: Device
  beforeAll(async () => {
    device = await webgpu()
  })
  afterAll(() => device.dispose())

  /** What `fn` adds to each counter. */
  async function counted(fn: () => Promise<void>): Promise<Counters> {
    const before = { ...countersOf(device)! }
    await fn()
    const after = countersOf(device)!
    return Object.fromEntries(
      Object.entries(before).map(([k, v]) => [k, after[k as keyof Counters] - v]),
    ) as unknown as Counters
  }

  test('a decode step creates nothing, submits once, reads back once', async () => {
    const model = tinyLlama(device, { weights: 'q8_0', cache: 'f16' })
    const decode = plan(device, { token: i32([1]), position: i32([1]) }, ({ token, position }) =>
      reshape(argmax(model.step(token, position)), []),
    )
    await (await decode.run({ token: [1], position: [0] })).item()
    const steps = 5
    const spent = await counted(async () => {
      for (let i = 1; i <= steps; i++) await (await decode.run({ token: [i], position: [i] })).item()
    })
    expect(spent.bindGroups).toBe(0)
    expect(spent.pipelines).toBe(0)
    expect(spent.buffers).toBe(0)
    expect(spent.reads).toBe(steps)
    // One for the plan, one for the copy that the reading maps.
    expect(spent.submits).toBe(2 * steps)
    // Two layers of seventeen, then the embedding, the last norm, the logits and the choice.
    expect(spent.dispatches).toBe(steps * (2 * 17 + 4))
    decode.dispose()
    model.dispose()
  })

  test('temporaries reuse buffers by their lifetimes', () => {
    const before = device.liveBytes
    const chain = plan(device, { x: f32([1024]) }, ({ x }) => {
      let y = x
      for (let i = 0; i < 20; i++) y = mul(add(y, 1), 0.5)
      return y
    })
    // The input, two buffers that take turns, and the result.
    expect(device.liveBytes - before).toBeLessThanOrEqual(4 * 4096)
    chain.dispose()
    expect(device.liveBytes).toBe(before)
  })

  test('eager calls gather into few submits', async () => {
    const x = device.tensor([1, 2, 3])
    const spent = await counted(async () => {
      const y = device.scope(() => {
        let t = x
        for (let i = 0; i < 100; i++) t = add(t, 1)
        return t
      })
      expect(await y.data()).toEqual(new Float32Array([101, 102, 103]))
      y.dispose()
    })
    expect(spent.dispatches).toBe(100)
    expect(spent.submits).toBeLessThanOrEqual(3)
    x.dispose()
  })
})
