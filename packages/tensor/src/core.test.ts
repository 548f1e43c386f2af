import { expect, test } from 'vitest'
import {
  add,
  attention,
  createDevice,
  crossEntropy,
  f32,
  grad,
  linearCrossEntropy,
  listing,
  matmul,
  mean,
  mul,
  normal,
  plan,
  randomBits,
  randomKey,
  record,
  rmsNorm,
  scalar,
  softmax,
  square,
  sub,
  sum,
  valueAndGrad,
} from './index.js'
import { reference } from './reference/index.js'

const device = reference()

test('eager ops broadcast and read back', async () => {
  const x = device.tensor([1, 2, 3, 4], [2, 2])
  expect([...(await add(x, device.tensor([10, 20])).data())]).toEqual([11, 22, 13, 24])
  expect([...(await matmul(x, x).data())]).toEqual([7, 10, 15, 22])
})

test('gradients, and gradients of gradients', async () => {
  const x = device.tensor([3], [])
  const cube = () => mul(x, mul(x, x))
  expect(await grad(cube, x).item()).toBe(27)
  expect(await grad(() => grad(cube, x), x).item()).toBe(18)
})

test('a plan replays with new inputs and equals eager', async () => {
  const w = device.tensor([1, 2, 3])
  const step = plan(device, { x: f32([3]), k: scalar('f32') }, ({ x, k }) => sum(mul(mul(x, w), k)))
  expect(await (await step.run({ x: [1, 1, 1], k: 2 })).item()).toBe(12)
  expect(await (await step.run({ x: [1, 0, 1], k: 3 })).item()).toBe(12)
  step.dispose()
})

test('a training step traces whole', async () => {
  const w = device.tensor([0.5, -0.5, 0.25, 1], [2, 2])
  const loss = (x: typeof w) => mean(square(sub(rmsNorm(matmul(x, w), device.tensor([1, 1])), 1)))
  const step = plan(device, { x: f32([3, 2]) }, ({ x }) => valueAndGrad(() => loss(x), { w }))
  const x = device.tensor([1, 2, 3, 4, 5, 6], [3, 2])
  const a = await step.run({ x })
  const b = valueAndGrad(() => loss(x), { w })
  expect(await a.value.data()).toEqual(await b.value.data())
  expect(await a.grads.w.data()).toEqual(await b.grads.w.data())
})

test('a constant made in a scope of the traced function lives as long as the plan', async () => {
  const before = device.liveBytes
  const step = plan(device, { x: f32([2]) }, ({ x }) => device.scope(() => add(x, device.tensor([1, 2]))))
  device.tensor([9, 9]).dispose()
  expect([...(await (await step.run({ x: [0, 0] })).data())]).toEqual([1, 2])
  step.dispose()
  expect(device.liveBytes).toBe(before)
})

test('attention sees only what is visible', async () => {
  const q = normal(randomKey(device, 1), [4, 4, 8])
  const k = normal(randomKey(device, 2), [6, 2, 8])
  const out = attention(q, k, k, { positions: device.tensor([0, 1, 2, 3], [4], 'i32') })
  const first = (await out.data()).slice(0, 8)
  const key = (await k.data()).slice(0, 8)
  first.forEach((v, i) => expect(v).toBeCloseTo(key[i]!, 5))
})

test('chunked cross-entropy equals the whole', async () => {
  const h = normal(randomKey(device, 1), [7, 4])
  const w = normal(randomKey(device, 2), [9, 4])
  const t = device.tensor([0, 1, 2, 3, -100, 5, 8], [7], 'i32')
  const a = valueAndGrad(() => linearCrossEntropy(h, w, t, { chunk: 3 }), { h, w })
  const b = valueAndGrad(() => crossEntropy(matmul(h, w, { transposeB: true }), t), { h, w })
  expect(await a.value.item()).toBeCloseTo(await b.value.item(), 5)
  const [x, y] = [await a.grads.w.data(), await b.grads.w.data()]
  x.forEach((v, i) => expect(v).toBeCloseTo(y[i]!, 5))
})

test('random bits are Threefry', async () => {
  // Known answer of the Random123 distribution: key 0, counter 0, 20 rounds.
  const bits = await randomBits(randomKey(device, 0), [2]).data()
  expect([...bits].map(b => b.toString(16))).toEqual(['6b200159', '99ba4efe'])
})

test('the record backend lists a plan', () => {
  const d = createDevice(record({ kernels: op => op !== 'softmax' }))
  const p = plan(d, { x: f32([2, 3]) }, ({ x }) => softmax(x))
  expect(listing(p.program)).toMatchInlineSnapshot(`
    "inputs  $x [2,3] f32
    %0 = max($x [2,3] f32) {axis=1}
    %1 = sub($x [2,3] f32, %0 [2,1] f32)
    %2 = exp(%1 [2,3] f32)
    %3 = sum(%2 [2,3] f32) {axis=1}
    %4 = div(%2 [2,3] f32, %3 [2,1] f32)
    outputs %4 [2,3] f32
    5 calls, 256 bytes of arena, 0 bytes bound"
  `)
})

test('everything is freed', () => {
  const d = reference()
  const before = d.liveBytes
  const kept = d.scope(() => {
    const a = d.tensor([1, 2, 3])
    return add(mul(a, 2), a)
  })
  expect(d.liveBytes).toBe(before + 12)
  kept.dispose()
  expect(d.liveBytes).toBe(before)
})
