import { linear, linearCrossEntropy, plan, rmsNorm, swiglu, type Tensor, uniform, valueAndGrad } from '@cria/tensor'
import { expect, test } from 'vitest'
import { cpu } from './index.js'
import type { OpenSlot, Place, Step } from './lowering.js'
import { narrowed } from './narrow.js'
import type { Opcode } from './opcodes.js'

const kinds: readonly OpenSlot['kind'][] = ['bound', 'temp', 'bound', 'temp']
const made = (): OpenSlot[] => kinds.map(kind => ({ spec: { dtype: 'f32', shape: [4, 8] }, kind }))
const place = (slot: number, offset?: number): Place => ({
  slot,
  spec: { dtype: 'f32', shape: [4, 8] },
  packed: false,
  ...(offset !== undefined && { offset }),
})
const step = (opcode: Opcode, operands: readonly Place[], attrs: readonly number[] = []): Step => ({
  opcode,
  operands,
  writes: [operands.length - 1],
  attrs,
  scratch: 0,
  cost: 0,
})
const product = (bf16: boolean, a: Place, b: Place, c: Place): Step =>
  step('matmul', [a, b, c], [0, 0, 4, 4, 8, 1, 0, 0, bf16 ? 2 : 0])
const norm = step('rms_norm', [place(0), place(2), place(1)])

/** The dtype of slot 1 after these steps. */
const after = (steps: readonly Step[], outputs: readonly number[] = []): string => {
  const slots = made()
  narrowed(slots, steps, outputs)
  return slots[1]!.spec.dtype
}

test('what only products of bf16 read is bf16, on either side, and views of it lie at half the distance', () => {
  const slots = made()
  const steps = narrowed(slots, [norm, product(true, place(1, 64), place(1), place(3))], [])
  expect(slots.map(s => s.spec.dtype)).toEqual(['f32', 'bf16', 'f32', 'f32'])
  expect(steps[0]!.operands.map(o => o.spec.dtype)).toEqual(['f32', 'f32', 'bf16'])
  expect(steps[1]!.operands[0]).toMatchObject({ offset: 32, spec: { dtype: 'bf16' } })
})

test('everything else stays f32', () => {
  const read = product(true, place(1), place(2), place(3))
  expect(after([norm, read])).toBe('bf16')
  expect(after([norm, read], [1]), 'a result of the plan').toBe('f32')
  expect(after([norm, read, step('binary', [place(1), place(0), place(3)])]), 'another reader').toBe('f32')
  expect(after([norm, product(false, place(1), place(2), place(3))]), 'a product of f32').toBe('f32')
  expect(after([step('binary', [place(0), place(2), place(1)]), read]), 'a maker that cannot').toBe('f32')
  expect(after([norm, step('rms_norm', [place(0), place(2), place(1, 64)]), read]), 'made in parts').toBe('f32')
  expect(after([norm]), 'read by nothing').toBe('f32')
})

test('a step with bf16 products gives the bits of eager calls, and takes less memory than with f32 ones', async () => {
  const device = await cpu({ threads: 2 })
  const random = (shape: readonly number[], seed: number): Tensor =>
    uniform(device.tensor([seed, 0], [2], 'u32'), shape)
  const [x, norm] = [random([40, 48], 1), random([48], 2)]
  const [gate, up, down] = [random([70, 48], 3), random([70, 48], 4), random([48, 70], 5)]
  const head = random([90, 48], 6)
  const targets = device.tensor(
    Array.from({ length: 40 }, (_, i) => i),
    [40],
    'i32',
  )
  const params = { x, norm, gate, up, down, head }
  const run = (products: 'f32' | 'bf16'): { loss: Tensor } & typeof params => {
    const { value, grads } = valueAndGrad(() => {
      const h = rmsNorm(x, norm)
      const through = (w: Tensor): Tensor => linear(h, w, undefined, { products })
      const y = linear(swiglu(through(gate), through(up)), down, undefined, { products })
      return linearCrossEntropy(y, head, targets, { products, chunk: 16 })
    }, params)
    return { loss: value, ...grads }
  }
  const bytes = device.liveBytes
  plan(device, {}, () => run('f32'))
  const wide = device.liveBytes - bytes
  const bf16 = plan(device, {}, () => run('bf16'))
  expect(device.liveBytes - bytes - wide).toBeLessThan(wide)
  const out = await bf16.run({})
  const eager = run('bf16')
  for (const [name, value] of Object.entries(eager)) {
    expect(await out[name as keyof typeof out].data(), name).toEqual(await value.data())
  }
  device.dispose()
})
