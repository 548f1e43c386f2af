/** Gradients: accumulation, stopping, recomputation, second order, and refusals. */
import { expect, test } from 'vitest'
import {
  add,
  argmax,
  assign,
  cast,
  equal,
  exp,
  GradError,
  gather,
  grad,
  less,
  linear,
  logSoftmax,
  matmul,
  mean,
  mul,
  normal,
  plan,
  randomKey,
  recompute,
  reshape,
  rmsNorm,
  select,
  silu,
  softmax,
  square,
  stopGradient,
  sub,
  sum,
  swiglu,
  type Tensor,
  tanh,
  u32,
  uniform,
  valueAndGrad,
} from './index.js'
import { reference } from './reference/index.js'

const device = reference()
const values = async (t: Tensor): Promise<number[]> => [...(await t.data())]

test('uses of one tensor add up', async () => {
  const x = device.tensor([2, 3])
  expect(await values(grad(() => sum(add(mul(x, x), mul(x, 4))), x))).toEqual([8, 10])
  expect(await values(grad(() => sum(matmul(reshape(x, [1, 2]), reshape(x, [2, 1]))), x))).toEqual([4, 6])
})

test('a table that is looked up and multiplied by has one gradient, made without a table of zeros', async () => {
  const table = device.tensor([1, 2, 3, 4, 5, 6], [3, 2])
  const index = device.tensor([2, 0, 2], [3], 'i32')
  const looked = (): Tensor => sum(square(gather(table, index)))
  const used = (): Tensor => sum(square(linear(device.tensor([1, -1], [1, 2]), table)))
  const dLooked = await values(grad(looked, table))
  const dUsed = await values(grad(used, table))
  expect(dLooked).toEqual([2, 4, 0, 0, 20, 24])
  const tied = (): Tensor => add(looked(), used())
  expect(await values(grad(tied, table))).toEqual(dLooked.map((x, i) => x + dUsed[i]!))
  expect(await values(grad(() => add(used(), looked()), table))).toEqual(dLooked.map((x, i) => x + dUsed[i]!))
  const step = plan(device, { table }, p => {
    const look = (): Tensor => sum(square(linear(gather(p.table, index), p.table)))
    return { g: grad(look, p.table) }
  })
  const ops = step.program.calls.map(c => c.op)
  expect(ops.filter(op => op === 'scatter_add').length).toBe(1)
  expect(ops.indexOf('scatter_add')).toBe(ops.length - 1)
})

test('params that nothing depends on get zeros, in the form that was asked', async () => {
  const [a, b] = [device.tensor([1, 2]), device.tensor([3, 4])]
  const list = grad(() => sum(a), [a, b])
  expect(await values(list[1]!)).toEqual([0, 0])
  const { value, grads } = valueAndGrad(() => sum(mul(a, b)), { a, b })
  expect(await value.item()).toBe(11)
  expect(await values(grads.a)).toEqual([3, 4])
})

test('stopGradient and integers stop', async () => {
  const x = device.tensor([2, 3])
  expect(await values(grad(() => sum(mul(x, stopGradient(x))), x))).toEqual([2, 3])
  const best = (): Tensor => mul(cast(equal(argmax(x), 1), 'f32'), sum(x))
  expect(await values(grad(best, x))).toEqual([1, 1])
})

test('a value that is not one float is refused', () => {
  const x = device.tensor([1, 2])
  expect(() => grad(() => mul(x, 2), x)).toThrow(/Reduce it with mean\(\) or sum\(\)/)
  expect(() => grad(() => argmax(x), x)).toThrow(GradError)
})

test('an effect on what gradients flow through is refused', () => {
  const x = device.tensor([1, 2])
  expect(() =>
    grad(() => {
      const y = mul(x, 2)
      assign(y, x)
      return sum(y)
    }, x),
  ).toThrow(GradError)
  expect(device.tapes.length).toBe(0)
})

test('recompute gives the same gradients with fewer live bytes', async () => {
  const w = normal(randomKey(device, 1), [8, 8])
  const x = normal(randomKey(device, 2), [4, 8])
  const block = (h: Tensor): Tensor => tanh(linear(silu(linear(h, w)), w))
  const chain = (again: boolean) => () => {
    let h = x
    for (let i = 0; i < 3; i++) {
      const input = h
      h = again ? recompute(() => block(input), device) : block(input)
    }
    return mean(square(h))
  }
  const plain = valueAndGrad(chain(false), { w, x })
  const again = valueAndGrad(chain(true), { w, x })
  expect(await again.value.item()).toBe(await plain.value.item())
  for (const name of ['w', 'x'] as const) {
    const [a, b] = [await values(again.grads[name]), await values(plain.grads[name])]
    a.forEach((v, i) => expect(v).toBeCloseTo(b[i]!, 6))
  }
})

test('recompute without a tape just runs, and may return its input', async () => {
  const x = device.tensor([1, 2])
  expect(await values(recompute(() => mul(x, 3), device))).toEqual([3, 6])
  expect(
    await values(
      grad(
        () =>
          sum(
            mul(
              recompute(() => x, device),
              x,
            ),
          ),
        x,
      ),
    ),
  ).toEqual([2, 4])
})

/** Keeps half of x, doubled. */
const dropout = (x: Tensor, key: Tensor): Tensor => mul(x, select(less(uniform(key, x.shape), 0.5), 2, 0))

test('recompute drops the same elements again: eagerly, in a plan over changing keys, and at second order', async () => {
  const w = normal(randomKey(device, 1), [8, 8])
  const x = normal(randomKey(device, 2), [4, 8])
  const loss = (key: Tensor, again: boolean) => (): Tensor => {
    const block = (): Tensor => dropout(tanh(linear(dropout(x, key), w)), add(key, 1))
    return mean(square(again ? recompute(block, device) : block()))
  }
  const step = (again: boolean) =>
    plan(device, { key: u32([2]) }, ({ key }) => ({
      first: grad(loss(key, again), w),
      second: grad(() => sum(square(grad(loss(key, again), w))), w),
    }))
  const plans = [step(false), step(true)]
  const seen = new Set<string>()
  for (const seed of [3, 4, 5]) {
    const [plain, again] = await Promise.all(
      plans.map(async p => {
        const { first, second } = await p.run({ key: [seed, 0] })
        return [...(await values(first)), ...(await values(second))]
      }),
    )
    again!.forEach((v, i) => expect(v).toBeCloseTo(plain![i]!, 6))
    const eager = await values(grad(loss(randomKey(device, seed), true), w))
    eager.forEach((v, i) => expect(v).toBeCloseTo(plain![i]!, 6))
    seen.add(String(plain!.map(v => v === 0)))
  }
  expect(seen.size).toBe(3)
  for (const p of plans) p.dispose()
})

test('recompute refuses a segment whose own counter has moved on', () => {
  const x = normal(randomKey(device, 2), [4, 8])
  let counter = 0
  const careless = (): Tensor => dropout(x, randomKey(device, 1, counter++))
  expect(() => grad(() => sum(recompute(careless, device)), x)).toThrow(/other constants in the second run/)
  expect(() => plan(device, {}, () => grad(() => sum(recompute(careless, device)), x))).toThrow(GradError)
  expect(device.witness).toBeUndefined()
})

/** d/dx of ⟨∇f(x), u⟩ against differences of the gradient. */
async function secondOrder(f: (x: Tensor) => Tensor): Promise<void> {
  const at = [0.3, -0.7, 1.1, 0.4]
  const u = device.tensor([1, -0.5, 0.25, 2], [1, 4])
  const x = device.tensor(at, [1, 4])
  const hessian = await values(
    grad(
      () =>
        sum(
          mul(
            grad(() => f(x), x),
            u,
          ),
        ),
      x,
    ),
  )
  const slope = async (i: number, by: number): Promise<number> => {
    const y = device.tensor(
      at.map((v, j) => (i === j ? v + by : v)),
      [1, 4],
    )
    return await sum(
      mul(
        grad(() => f(y), y),
        u,
      ),
    ).item()
  }
  for (let i = 0; i < 4; i++) {
    const expected = ((await slope(i, 1e-2)) - (await slope(i, -1e-2))) / 2e-2
    expect(Math.abs(hessian[i]! - expected)).toBeLessThan(2e-3 * (1 + Math.abs(expected)))
  }
}

const weight = device.tensor([0.5, 1, 1.5, 2])
test.each<[string, (x: Tensor) => Tensor]>([
  ['exp', x => sum(exp(x))],
  ['silu', x => sum(mul(silu(x), x))],
  ['softmax', x => sum(square(softmax(x)))],
  ['log_softmax', x => sum(square(logSoftmax(x)))],
  ['rms_norm', x => sum(square(tanh(rmsNorm(x, weight))))],
  ['matmul', x => sum(square(matmul(x, tanh(reshape(x, [4, 1])))))],
  ['recompute', x => sum(square(recompute(() => tanh(x), device)))],
  ['select', x => sum(select(equal(argmax(x), 2), square(mul(x, x)), x))],
])('gradients of gradients: %s', (_, f) => secondOrder(f))

test('gradients leave nothing behind', () => {
  const d = reference()
  const x = d.tensor([1, 2, 3])
  const before = d.liveTensors
  const { value, grads } = valueAndGrad(() => sum(square(sub(softmax(x), 1))), { x })
  expect(d.liveTensors).toBe(before + 2)
  value.dispose()
  grads.x.dispose()
  expect(d.liveTensors).toBe(before)
})

test('gradients work for both sides of one tensor used twice in a definition', async () => {
  const d = reference()
  const x = d.tensor([1, 2])
  const g = await values(grad(() => sum(swiglu(x, x)), x))
  const s = (v: number): number => 1 / (1 + Math.exp(-v))
  // d/dx x²σ(x) = 2xσ + x²σ(1 − σ)
  g.forEach((v, i) => {
    const t = i + 1
    expect(v).toBeCloseTo(2 * t * s(t) + t * t * s(t) * (1 - s(t)), 5)
  })
})
