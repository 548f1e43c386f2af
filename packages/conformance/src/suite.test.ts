/** The suite is only worth what it catches: backends that are wrong in one way each must fail. */
import { add, type Backend, createDevice, type Device, i32, plan, sum } from '@cria/tensor'
import { reference, referenceBackend } from '@cria/tensor/reference'
import { expect, test } from 'vitest'
import { page } from '../examples/page-backend.js'
import { apart, real } from './case.js'
import {
  check,
  checkDefinition,
  checkGradients,
  checkPlan,
  checkValues,
  coverage,
  families,
  fill,
  perf,
  tinyLlama,
} from './suite.js'

const oracle = reference()
const addCase = check('add', [real([3, 5]), real([5])], (a, b) => add(a, b))

/** The reference with one thing changed. */
const broken = (change: (backend: Backend) => Partial<Backend>): Device => {
  const backend = referenceBackend()
  return createDevice({ ...backend, ...change(backend) })
}

test('wrong values fail, and the message names the element', async () => {
  const device = broken(b => ({ kernel: call => b.kernel(call.op === 'add' ? { ...call, op: 'sub' } : call) }))
  await expect(checkValues(device, oracle, addCase)).rejects.toThrow(
    /add against the reference, result 0: got .* at \d+/,
  )
})

test('a leak fails', async () => {
  const device = reference()
  const leaky = check('add', [real([3])], x => {
    device.empty(i32([7]))
    return add(x, 1)
  })
  // Made outside the scope's reach: kept in a list, as a forgotten tensor would be.
  const kept: unknown[] = []
  const forgetful = {
    ...leaky,
    run: (...t: Parameters<typeof leaky.run>) => {
      queueMicrotask(() => kept.push(device.empty(i32([7]))))
      return leaky.run(...t)
    },
  }
  await expect(checkValues(device, oracle, forgetful)).rejects.toThrow(/leak: got 28 bytes in 1 tensors/)
})

test('a plan that forgets its inputs fails', async () => {
  const device = broken(b => ({
    compile(program) {
      const executable = b.compile(program)
      let first: Parameters<typeof executable.run>[0] | undefined
      return { ...executable, run: inputs => executable.run((first ??= inputs)) }
    },
  }))
  await expect(checkPlan(device, addCase)).rejects.toThrow(/add as a plan, run 1/)
})

test('a kernel that differs from its definition fails', async () => {
  const device = broken(b => ({
    kernel: call => (call.op === 'silu' ? b.kernel({ ...call, op: 'tanh' }) : b.kernel(call)),
  }))
  const silu = Object.values(families)
    .flat()
    .find(c => c.op === 'silu')!
  await expect(checkDefinition(device, silu)).rejects.toThrow(/silu's kernel against its definition/)
  expect(await checkDefinition(reference(), silu)).toBe(false)
})

test('a wrong gradient fails', async () => {
  // Two kernels that are only used backward: the sum that a broadcast's gradient needs takes the largest instead.
  const device = broken(b => ({
    kernel: call => b.kernel(call.op === 'sum' && call.inputs[0]!.shape.length === 2 ? { ...call, op: 'max' } : call),
  }))
  await expect(checkGradients(device, oracle, addCase)).rejects.toThrow(/gradient of add by input 1/)
  await checkGradients(
    oracle,
    oracle,
    check('sum', [apart([4])], x => sum(x)),
  )
})

test('every case fills its inputs the same each time, and otherwise in other rounds', () => {
  for (const c of Object.values(families).flat()) expect(fill(c)).toEqual(fill(c))
  expect(fill(addCase, 1)).not.toEqual(fill(addCase, 0))
})

test('coverage names what runs by definition', () => {
  const step = (device: Device): void => {
    const model = tinyLlama(device)
    plan(device, { token: i32([1]), position: i32([1]) }, x => model.step(x.token, x.position)).dispose()
    model.dispose()
  }
  const { kernels, fallbacks } = coverage(createDevice(page()), step)
  expect(kernels).toContain('matmul')
  expect(fallbacks).toEqual(expect.arrayContaining(['embedding', 'rms_norm', 'linear', 'rope', 'attention', 'swiglu']))
})

test('perf times cases and leaves nothing', async () => {
  const device = reference()
  const rows = await perf(device, { filter: c => c.op === 'softmax', rounds: 2, calls: 2 })
  expect(rows.length).toBeGreaterThan(3)
  expect(rows.every(r => r.microseconds > 0)).toBe(true)
  expect(device.liveBytes).toBe(0)
})
