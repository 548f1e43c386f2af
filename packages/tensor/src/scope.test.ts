/** Ownership: scopes, disposal, and what a plan holds. */
import { expect, test } from 'vitest'
import { add, assign, DeviceError, DisposedError, f32, mul, plan, reshape, type Tensor } from './index.js'
import { reference } from './reference/index.js'

test('a scope frees all but what it returns, however nested', () => {
  const device = reference()
  const kept = device.scope(() => {
    const inner = device.scope(() => ({ list: [add(device.tensor([1, 2]), 1)], n: 3, nothing: undefined }))
    mul(inner.list[0]!, 2)
    return inner
  })
  expect(device.liveTensors).toBe(1)
  expect(device.liveBytes).toBe(8)
  kept.list[0]!.dispose()
  expect(device.liveBytes).toBe(0)
})

test('a scope frees everything when its function throws', () => {
  const device = reference()
  expect(() =>
    device.scope(() => {
      device.tensor([1, 2, 3])
      throw new Error('stop')
    }),
  ).toThrow('stop')
  expect(device.liveTensors).toBe(0)
})

test('a scope refuses an async function and frees what it made', () => {
  const device = reference()
  const run = async (): Promise<Tensor> => device.tensor([1])
  expect(() => device.scope(run as unknown as () => Tensor)).toThrow(DeviceError)
})

test('reshapes share storage until the last of them goes', async () => {
  const device = reference()
  const x = device.tensor([1, 2, 3, 4])
  const y = reshape(x, [2, 2])
  expect(device.liveBytes).toBe(16)
  x.dispose()
  expect(await y.data()).toEqual(new Float32Array([1, 2, 3, 4]))
  expect(device.liveBytes).toBe(16)
  y.dispose()
  expect(device.liveBytes).toBe(0)
})

test('a disposed tensor says so, and disposing twice is harmless', async () => {
  const device = reference()
  const x = device.tensor([1, 2])
  x.dispose()
  x.dispose()
  expect(device.liveTensors).toBe(0)
  expect(() => add(x, 1)).toThrow(DisposedError)
  await expect(x.data()).rejects.toThrow(/disposed tensor \[2\] f32/)
})

test('a disposed device says so', () => {
  const device = reference()
  const x = device.tensor([1])
  device.dispose()
  device.dispose()
  expect(() => device.tensor([1])).toThrow(DisposedError)
  expect(() => add(x, x)).toThrow(DisposedError)
})

test('tensors of two devices do not mix', () => {
  expect(() => add(reference().tensor([1]), reference().tensor([1]))).toThrow(DeviceError)
})

test('a plan keeps what it binds alive, and gives it back', async () => {
  const device = reference()
  const weight = device.tensor([2, 3])
  const p = plan(device, { x: f32([2]) }, ({ x }) => mul(x, weight))
  weight.dispose()
  expect(await (await p.run({ x: [1, 1] })).data()).toEqual(new Float32Array([2, 3]))
  p.dispose()
  p.dispose()
  expect(device.liveBytes).toBe(0)
  expect(device.liveTensors).toBe(0)
})

test('a plan that fails to trace leaves nothing and unlocks the device', () => {
  const device = reference()
  const weight = device.tensor([2, 3])
  expect(() =>
    plan(device, { x: f32([2]) }, ({ x }) => {
      device.tensor([1, 2, 3])
      add(x, weight)
      throw new Error('stop')
    }),
  ).toThrow('stop')
  expect(device.liveBytes).toBe(8)
  add(weight, 1).dispose()
  weight.dispose()
  expect(device.liveTensors).toBe(0)
})

test('tensors made inside a trace live as long as the plan', async () => {
  const device = reference()
  const p = plan(device, { x: f32([2]) }, ({ x }) => {
    const state = device.empty(f32([2]))
    assign(state, add(state, x))
    return state
  })
  await p.run({ x: [1, 2] })
  expect(await (await p.run({ x: [1, 2] })).data()).toEqual(new Float32Array([2, 4]))
  p.dispose()
  expect(device.liveBytes).toBe(0)
})

test('using declarations dispose', () => {
  const device = reference()
  const x = device.tensor([1])
  x[Symbol.dispose]()
  expect(device.liveTensors).toBe(0)
})
