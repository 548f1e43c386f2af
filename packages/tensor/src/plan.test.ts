/** What plans refuse, by name, and what their listings look like. */
import { expect, test } from 'vitest'
import {
  ArgumentError,
  adamw,
  add,
  createDevice,
  DisposedError,
  DTypeError,
  f32,
  i32,
  linear,
  listing,
  mul,
  PlanError,
  plan,
  record,
  reshape,
  ShapeError,
  scalar,
  spec,
  square,
  sum,
  type Tensor,
  tracePlan,
  valueAndGrad,
  writeRows,
} from './index.js'
import { reference } from './reference/index.js'

const device = reference()
const double = () => plan(device, { x: f32([3]) }, ({ x }) => mul(x, 2), { name: 'double' })

test('refuses other shapes, dtypes, names and devices', async () => {
  const p = double()
  await expect(p.run({ x: [1, 2] })).rejects.toThrow(ShapeError)
  await expect(p.run({ x: device.tensor([1, 2]) })).rejects.toThrow(/double: got \[2\] f32 .* expected \[3\] f32/)
  await expect(p.run({ x: device.tensor([1, 2, 3], [3], 'i32') })).rejects.toThrow(PlanError)
  await expect(p.run({ x: reference().tensor([1, 2, 3]) })).rejects.toThrow(PlanError)
  await expect(p.run({} as { x: number[] })).rejects.toThrow(/got no input x, expected \[3\] f32/)
  await expect(p.run({ x: [1, 2, 3], y: 1 } as { x: number[] })).rejects.toThrow(/got input y, expected x/)
  p.dispose()
})

test('refuses integers that do not fit', async () => {
  const p = plan(device, { x: i32([1]) }, ({ x }) => add(x, 1))
  for (const bad of [1.5, Number.NaN, 2 ** 31]) await expect(p.run({ x: [bad] })).rejects.toThrow(ArgumentError)
  p.dispose()
})

test('refuses an async function, reading data, and plans inside plans', () => {
  expect(() => plan(device, { x: f32([1]) }, async ({ x }) => mul(x, 2))).toThrow(/async function/)
  expect(() =>
    plan(device, { x: f32([1]) }, ({ x }) => {
      x.storage('data')
    }),
  ).toThrow(/inside a trace/)
  expect(() => plan(device, { x: f32([3]) }, () => double())).toThrow(/inside a trace/)
  let leaked: Tensor | undefined
  plan(device, { x: f32([1]) }, ({ x }) => {
    leaked = mul(x, 2)
  })
  expect(() => plan(device, { x: f32([1]) }, ({ x }) => add(x, leaked!))).toThrow(/another trace/)
})

test('reading a traced tensor rejects with the reason', async () => {
  let read: Promise<unknown> | undefined
  plan(device, { x: f32([1]) }, ({ x }) => {
    read = x.data()
  })
  await expect(read).rejects.toThrow(PlanError)
})

test('refuses to run after dispose, and shape errors surface while tracing', async () => {
  const p = double()
  p.dispose()
  await expect(p.run({ x: [1, 2, 3] })).rejects.toThrow(DisposedError)
  expect(() => plan(device, { x: f32([3]) }, ({ x }) => linear(x, device.tensor([1, 2], [1, 2])))).toThrow(ShapeError)
  expect(() => plan(device, { x: i32([3]) }, ({ x }) => linear(x, device.tensor([1, 2, 3], [1, 3])))).toThrow(
    DTypeError,
  )
})

test('one trace serves several states, each its own, and outlives the first', async () => {
  const before = device.liveBytes
  const states = [0, 1].map(() => device.tensor([0, 0, 0])) as [Tensor, Tensor]
  let traces = 0
  const traced = tracePlan(
    device,
    { x: f32([1, 1]), at: i32([1]) },
    ({ x, at }) => {
      traces++
      const weight = device.tensor([10], [1, 1])
      const rows = reshape(states[0], [3, 1])
      writeRows(rows, linear(x, weight), at)
      return sum(rows)
    },
    { state: [states[0]] },
  )
  const plans = states.map(s => traced.bind([s]))
  await plans[0]!.run({ x: [1], at: [0] })
  await plans[1]!.run({ x: [2], at: [2] })
  expect([...(await states[0].data()), ...(await states[1].data())]).toEqual([10, 0, 0, 0, 0, 20])
  plans[0]!.dispose()
  states[0].dispose()
  const third = device.tensor([1, 1, 1])
  const last = traced.bind([third])
  traced.dispose()
  expect(await (await last.run({ x: [3], at: [1] })).data()).toEqual(Float32Array.of(32))
  expect(await (await plans[1]!.run({ x: [3], at: [1] })).data()).toEqual(Float32Array.of(50))
  expect(traces).toBe(1)
  expect(() => traced.bind([third])).toThrow(DisposedError)
  for (const x of [last, plans[1]!, states[1], third]) x.dispose()
  expect(device.liveBytes).toBe(before)
})

test('a state of another shape is refused', () => {
  const state = device.tensor([0])
  const traced = tracePlan(device, { x: f32([1]) }, ({ x }) => add(x, state), { state: [state] })
  expect(() => traced.bind([])).toThrow(/got nothing as state/)
  expect(() => traced.bind([device.tensor([1, 2])])).toThrow(PlanError)
})

test('lists a step on a quantised weight and a cache', () => {
  const d = createDevice(record())
  const weight = d.empty(spec('q4_0', [8, 32]))
  const cache = d.empty(spec('f16', [16, 8]))
  const p = plan(d, { x: f32([1, 32]), position: i32([1]) }, ({ x, position }) => {
    const y = linear(x, weight)
    mul(y, 3) // nothing needs it: it is dropped
    writeRows(cache, y, position)
    return y
  })
  expect(listing(p.program)).toMatchInlineSnapshot(`
    "inputs  $x [1,32] f32, $position [1] i32
    %0 = linear($x [1,32] f32, @1 [8,32] q4_0)
    write_rows(@2 [16,8] f16, %0 [1,8] f32, $position [1] i32) changes @2
    outputs %0 [1,8] f32
    2 calls, 256 bytes of arena, 400 bytes bound"
  `)
})

test('lists a training step: forward, backward and AdamW', () => {
  const d = createDevice(record({ kernels: op => op !== 'mean' }))
  const [w, m, v] = [0, 1, 2].map(() => d.empty(f32([2, 2]))) as [Tensor, Tensor, Tensor]
  const p = plan(d, { x: f32([3, 2]), lr: scalar('f32'), step: scalar('f32') }, ({ x, lr, step }) => {
    const { value, grads } = valueAndGrad(() => sum(square(linear(x, w))), { w })
    adamw(w, grads.w, m, v, { lr, step })
    return value
  })
  expect(listing(p.program)).toMatchInlineSnapshot(`
    "inputs  $x [3,2] f32, $lr [] f32, $step [] f32
    %0 = linear($x [3,2] f32, @1 [2,2] f32)
    %2 = square(%0 [3,2] f32)
    %3 = sum(%2 [6] f32) {axis=0}
    %4 = full() {shape=[] value=1 dtype=f32}
    %5 = full() {shape=[6] value=0 dtype=f32}
    %6 = add(%4 [1] f32, %5 [6] f32)
    %7 = mul(%6 [3,2] f32, %0 [3,2] f32)
    %8 = mul(%6 [3,2] f32, %0 [3,2] f32)
    %9 = add(%7 [3,2] f32, %8 [3,2] f32)
    %10 = matmul(%9 [3,2] f32, $x [3,2] f32) {transposeA=true transposeB=false}
    adamw(@1 [2,2] f32, %10 [2,2] f32, @11 [2,2] f32, @12 [2,2] f32, $lr [] f32, $step [] f32, @13 [] f32) {beta1=0.9 beta2=0.95 eps=0.00001 weightDecay=0} changes @1, @11, @12
    outputs %3 [] f32
    11 calls, 512 bytes of arena, 52 bytes bound"
  `)
})
