/** What the core promises beyond the contract: determinism, one native call a replay, memory, layouts and fallbacks. */
import { readFileSync } from 'node:fs'
import { tinyLlama } from '@cria/conformance'
import {
  adamw,
  add,
  assign,
  attention,
  type Device,
  f16,
  f32,
  i32,
  linear,
  plan,
  scalar,
  softmax,
  spec,
  sum,
  type Tensor,
  Unavailable,
  uniform,
} from '@cria/tensor'
import { afterEach, describe, expect, test } from 'vitest'
import { cpu, cpuStats, native } from './index.js'
import { binaries, dtypes, opcodes, reductions, unaries } from './opcodes.js'
import { wasm } from './wasm.js'

const addon = await native({ threads: 1 }).then(
  device => {
    device.dispose()
    return true
  },
  () => false,
)

const live: Device[] = []
const open = async (device: Promise<Device>): Promise<Device> => {
  live.push(await device)
  return device
}
afterEach(() => {
  for (const device of live.splice(0)) device.dispose()
})

const engines: [name: string, make: (threads: number) => Promise<Device>][] = [
  ['wasm', threads => open(wasm({ threads }))],
  ...(addon ? [['native', (threads: number) => open(native({ threads }))] satisfies (typeof engines)[number]] : []),
]

const random = (device: Device, shape: readonly number[], seed: number): Tensor =>
  uniform(device.tensor([seed, 0], [2], 'u32'), shape)

describe.each(engines)('%s', (_, make) => {
  test('gives the same bits for any number of threads', async () => {
    const results: Uint8Array[][] = []
    for (const threads of [1, 2, 3]) {
      const device = await make(threads)
      const x = random(device, [33, 64], 1)
      const q = random(device, [40, 6, 32], 2)
      const k = random(device, [300, 2, 32], 3)
      const positions = device.tensor(
        Array.from({ length: 40 }, (_, i) => 260 + i),
        [40],
        'i32',
      )
      const one = device.tensor([299], [1], 'i32')
      const w = random(device, [130, 64], 4)
      const long = random(device, [100_003], 5)
      const made = [
        linear(x, w),
        attention(q, k, k, { positions }),
        attention(random(device, [1, 6, 32], 6), k, k, { positions: one }),
        softmax(x),
        sum(long),
        sum(x, 0),
      ]
      results.push(await Promise.all(made.map(t => t.bytes())))
    }
    for (const other of results.slice(1)) expect(other).toEqual(results[0])
  })

  test('replays a decode step by one native call', async () => {
    const device = await make(2)
    const model = tinyLlama(device, { weights: 'q8_0', cache: 'f16' })
    const step = plan(device, { token: i32([1]), position: i32([1]) }, ({ token, position }) =>
      model.step(token, position),
    )
    const before = cpuStats(device)!.replays
    for (let i = 0; i < 5; i++) await step.run({ token: [i], position: [i] })
    expect(cpuStats(device)!.replays - before).toBe(5)
    step.dispose()
    model.dispose()
  })

  test('keeps nothing once everything is disposed', async () => {
    const device = await make(2)
    const round = async (): Promise<void> => {
      const model = tinyLlama(device, { weights: 'f16', cache: 'q8_0' })
      const step = plan(device, { token: i32([1]), position: i32([1]) }, ({ token, position }) =>
        model.step(token, position),
      )
      await step.run({ token: [1], position: [0] })
      step.dispose()
      model.dispose()
    }
    await round()
    const { bytes } = cpuStats(device)!
    for (let i = 0; i < 5; i++) await round()
    // Compiled words are freed with the plan's garbage; everything else at once.
    expect(cpuStats(device)!.bytes - bytes).toBeLessThan(1 << 20)
    expect(device.liveTensors).toBe(0)
  })

  test('keeps a weight right through plans that pack it and calls that change it', async () => {
    const device = await make(2)
    const w = device.tensor([1, 2, 3, 4], [2, 2], 'f16')
    const apply = plan(device, { x: f32([1, 2]) }, ({ x }) => linear(x, w))
    expect([...(await (await apply.run({ x: [1, 1] })).data())]).toEqual([3, 7])
    expect([...(await w.data())]).toEqual([1, 2, 3, 4])
    // An eager call that needs rows, while the plan holds the packed form.
    expect([...(await add(w, w).data())]).toEqual([2, 4, 6, 8])
    apply.dispose()
    expect([...(await linear(device.tensor([1, 0], [1, 2]), w).data())]).toEqual([1, 3])
  })

  test('packs a weight again after a training step changed it', async () => {
    const device = await make(2)
    const w = device.tensor([1, 2, 3, 4], [2, 2])
    const [m, v] = [device.empty(f32([2, 2])), device.empty(f32([2, 2]))]
    const apply = plan(device, { x: f32([1, 2]) }, ({ x }) => linear(x, w))
    const train = plan(device, { lr: scalar('f32'), step: scalar('f32') }, ({ lr, step }) =>
      adamw(w, device.tensor([1, 1, 1, 1], [2, 2]), m, v, { lr, step }),
    )
    expect([...(await (await apply.run({ x: [1, 1] })).data())]).toEqual([3, 7])
    await train.run({ lr: 0.5, step: 1 })
    const changed = await w.data()
    expect(changed[0]).toBeCloseTo(0.5, 4)
    const after = await (await apply.run({ x: [1, 1] })).data()
    expect(after[0]).toBeCloseTo(changed[0]! + changed[1]!, 5)
    apply.dispose()
    train.dispose()
  })

  test('runs long plans off the event loop, in order', async () => {
    const device = await make(2)
    const w = random(device, [2048, 2048], 7)
    const big = plan(device, { x: f32([256, 2048]) }, ({ x }) => linear(x, w))
    const small = plan(device, { x: f32([2]) }, ({ x }) => add(x, 1))
    const pending = big.start({ x: new Float32Array(256 * 2048).fill(1) })
    expect(pending).toBeInstanceOf(Promise)
    expect(small.start({ x: [1, 2] })).toBeUndefined()
    await pending
    const direct = sum(w, 1)
    const [a, b] = [await (await big.run({ x: new Float32Array(256 * 2048).fill(1) })).data(), await direct.data()]
    expect(Math.abs(a[5]! - b[5]!)).toBeLessThan(1e-2)
    big.dispose()
    small.dispose()
  })

  test('copies packed weights whose rows do not fill a group', async () => {
    const device = await make(1)
    const bytes = Uint8Array.from({ length: 5 * 34 }, (_, i) => (i % 34 === 1 ? 0x3c : i % 34 === 0 ? 0 : i))
    const from = device.upload(spec('q8_0', [5, 32]), bytes)
    const to = device.empty(spec('q8_0', [5, 32]))
    assign(to, from)
    expect(await to.bytes()).toEqual(bytes)
  })

  test('makes caches of zeros', async () => {
    const device = await make(1)
    for (const s of [f32([4, 1, 32]), f16([4, 1, 32])])
      expect((await device.empty(s).bytes()).every(b => b === 0)).toBe(true)
  })
})

describe('choosing', () => {
  test('falls back to WebAssembly and says why', async () => {
    const before = process.env.CRIA_CPU_ISA
    process.env.CRIA_CPU_ISA = 'none'
    try {
      const device = await open(cpu({ threads: 1 }))
      expect(device.name).toBe('wasm')
      expect(device.description).toMatch(/WebAssembly .*\(.+\)/)
    } finally {
      if (before === undefined) delete process.env.CRIA_CPU_ISA
      else process.env.CRIA_CPU_ISA = before
    }
  })

  test('refuses thread counts and instruction sets by name', async () => {
    await expect(wasm({ threads: 0 })).rejects.toBeInstanceOf(Unavailable)
    await expect(native({ isa: 'mmx' })).rejects.toBeInstanceOf(Unavailable)
    if (addon) await expect(native({ threads: 1.5 })).rejects.toThrow('1.5')
  })
})

test('numbers of the binary program agree with the C++ side', () => {
  const source = (path: string): string => readFileSync(new URL(`../native/${path}`, import.meta.url), 'utf8')
  const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(m => m[1]!)
  const snake = (s: string): string => s.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase()
  const enumOf = (name: string, text: string): string[] =>
    matches(text.match(new RegExp(`enum ${name} \\{([^}]*)\\}`))![1]!, /\bk(\w+)/g).map(snake)
  expect(matches(source('executor/opcodes.h'), /X\((\w+)\)/g)).toEqual(opcodes)
  expect(
    matches(source('dtype.h'), /^ {2}k(\w+) = \d+,/gm)
      .filter(n => n !== 'DtypeCount')
      .map(n => n.toLowerCase()),
  ).toEqual(dtypes)
  expect(enumOf('Unary', source('ops/elementwise.cpp'))).toEqual(unaries)
  expect(enumOf('Binary', source('ops/elementwise.cpp'))).toEqual(binaries)
  expect(enumOf('Reduce', source('ops/reduce.cpp'))).toEqual(reductions)
})
