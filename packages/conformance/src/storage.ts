/** Checks of what the contract says about storage and plans, beside single ops. */
import {
  add,
  assign,
  type BlockDType,
  blockFormats,
  byteLength,
  type Device,
  f32,
  i32,
  mul,
  plan,
  reshape,
  type Spec,
  scalar,
  slice,
  spec,
  type Tensor,
} from '@cria/tensor'
import { withoutLeak } from './checks.js'
import { compare } from './compare.js'
import { stream } from './random.js'
import { type TinyLlamaOptions, tinyLlama } from './tiny-llama.js'

export type DeviceCheck = (device: Device, oracle: Device) => Promise<void>

function same(what: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (got.length !== expected.length || Array.from(got).some((v, i) => v !== expected[i]))
    throw new Error(`${what}: got [${Array.from(got)}], expected [${Array.from(expected)}]`)
}

const everySpec: readonly Spec[] = [
  ...(['f32', 'f16', 'bf16', 'i32', 'u32', 'i8', 'u8'] as const).map(dtype => spec(dtype, [3, 5])),
  ...(Object.keys(blockFormats) as BlockDType[]).map(dtype => spec(dtype, [3, blockFormats[dtype].block * 2])),
]

const bytesFor = (s: Spec, seed: string): Uint8Array => {
  const next = stream(seed)
  // Bytes below 0x60 keep every float finite, so that a backend may hold them as another float type.
  return Uint8Array.from({ length: byteLength(s) }, () => next() * 0x60)
}

/** Values are read after the work that makes them, and stay what they were when read. */
async function roundTrips(device: Device): Promise<void> {
  for (const s of everySpec) {
    const bytes = bytesFor(s, s.dtype)
    const t = device.upload(s, bytes)
    same(`write and read ${s.dtype}`, await t.bytes(), bytes)
    t.dispose()
  }
}

async function freshIsZero(device: Device): Promise<void> {
  for (const s of everySpec) {
    const t = device.upload(s, bytesFor(s, s.dtype))
    t.dispose()
    const fresh = device.empty(s)
    same(`fresh ${s.dtype}`, await fresh.bytes(), new Uint8Array(byteLength(s)))
    fresh.dispose()
  }
}

async function partial(device: Device): Promise<void> {
  const { backend } = device
  for (const s of everySpec) {
    const row = byteLength(s) / 3
    const bytes = bytesFor(s, s.dtype)
    const t = device.upload(s, bytes)
    const { buf } = t.storage('conformance')
    const other = bytesFor(s, 'other').slice(0, row)
    backend.write(buf, other, row)
    bytes.set(other, row)
    same(`write a row of ${s.dtype}`, await t.bytes(), bytes)
    same(`read a row of ${s.dtype}`, await backend.read(buf, 2 * row, row), bytes.slice(2 * row))
    t.dispose()
  }
}

async function snapshot(device: Device): Promise<void> {
  const t = device.tensor([1, 2, 3])
  const before = await t.data()
  const other = device.tensor([4, 5, 6])
  assign(t, other)
  same('data read before an assign', before, [1, 2, 3])
  same('data read after an assign', await t.data(), [4, 5, 6])
  t.dispose()
  other.dispose()
}

/** Inputs given as numbers and as tensors, inputs nothing uses, outputs that are inputs, twice the same, or reshaped. */
async function planShapes(device: Device): Promise<void> {
  const weight = device.tensor([10, 20, 30, 40], [2, 2])
  const p = plan(device, { x: f32([2, 2]), k: scalar('f32'), unused: i32([3]) }, ({ x, k }) => {
    const y = mul(add(x, weight), k)
    return { y, again: y, row: reshape(slice(y, 0, 1), [2]), flat: reshape(y, [4]), x, weight }
  })
  const given = device.tensor([5, 6, 7, 8], [2, 2])
  for (const [x, k] of [
    [[1, 2, 3, 4], 2],
    [given, -1],
    [[0, 0, 0, 1], 0.5],
  ] as const) {
    const values = 'device' in x ? [5, 6, 7, 8] : x
    const out = await p.run({ x: x as Tensor, k, unused: [1, 2, 3] })
    const expected = values.map((v, i) => (v + (i + 1) * 10) * k)
    for (const t of [out.y, out.again, out.flat]) same('plan', await t.data(), expected)
    same('slice in a plan', await out.row.data(), expected.slice(2))
    same('input as output', await out.x.data(), values)
    same('bound as output', await out.weight.data(), [10, 20, 30, 40])
  }
  // A result goes back in, as a sampled token does.
  const back = plan(device, { x: f32([3]) }, ({ x }) => add(x, 1))
  let x = await back.run({ x: [1, 2, 3] })
  for (let i = 0; i < 3; i++) x = await back.run({ x })
  same('a result as the next input', await x.data(), [5, 6, 7])
  back.dispose()
  p.dispose()
  weight.dispose()
  given.dispose()
}

/** Reads before and after an effect see the state before and after it; state lives on between runs. */
async function effectsInOrder(device: Device): Promise<void> {
  const state = device.tensor([1, 2])
  const p = plan(device, { by: scalar('f32') }, ({ by }) => {
    const before = mul(state, 10)
    assign(state, add(state, by))
    const middle = mul(state, 10)
    assign(state, mul(state, 2))
    return { before, middle, state }
  })
  let expected = [1, 2]
  for (const by of [1, -3, 0.5]) {
    const out = await p.run({ by })
    same(
      'before the effect',
      await out.before.data(),
      expected.map(v => v * 10),
    )
    same(
      'between the effects',
      await out.middle.data(),
      expected.map(v => (v + by) * 10),
    )
    expected = expected.map(v => (v + by) * 2)
    same('state', await state.data(), expected)
  }
  p.dispose()
  state.dispose()
}

/** A decode plan over rising positions agrees with the reference, and so does a prefill of the same tokens. */
function decodes(options: TinyLlamaOptions): DeviceCheck {
  return async (device, oracle) => {
    const tokens = [3, 17, 42, 8, 8, 29]
    const model = tinyLlama(device, options)
    const p = plan(device, { token: i32([1]), position: i32([1]) }, ({ token, position }) =>
      model.step(token, position),
    )
    const expected = await referenceLogits(oracle, options, tokens)
    const bound = options.weights === undefined && options.cache === undefined ? 'summed' : 'quantised'
    const logits = f32([1, model.vocabulary])
    for (const [i, token] of tokens.entries()) {
      const got = await (await p.run({ token: [token], position: [i] })).data()
      compare(`logits at position ${i}`, logits, got, expected[i]!, bound)
    }
    p.dispose()
    model.dispose()
  }
}

async function referenceLogits(
  oracle: Device,
  options: TinyLlamaOptions,
  tokens: readonly number[],
): Promise<Float32Array[]> {
  const model = tinyLlama(oracle, options)
  const out = oracle.scope(() =>
    model.step(
      oracle.tensor(tokens, [tokens.length], 'i32'),
      oracle.tensor([...tokens.keys()], [tokens.length], 'i32'),
    ),
  )
  const data = (await out.data()) as Float32Array
  out.dispose()
  model.dispose()
  return tokens.map((_, i) => data.slice(i * model.vocabulary, (i + 1) * model.vocabulary))
}

const leakFree =
  (fn: DeviceCheck): DeviceCheck =>
  (device, oracle) =>
    withoutLeak(device, () => fn(device, oracle))

/** Every check of storage and plans by its name. */
export const deviceChecks: Readonly<Record<string, DeviceCheck>> = {
  'storage round-trips every dtype': leakFree(roundTrips),
  'fresh storage reads as zeros': leakFree(freshIsZero),
  'rows are written and read alone': leakFree(partial),
  'data read stays what it was': leakFree(snapshot),
  'a plan takes and returns every kind of tensor': leakFree(planShapes),
  'effects in a plan happen in order': leakFree(effectsInOrder),
  'a LLaMA decode plan, f32': leakFree(decodes({})),
  'a LLaMA decode plan, q8_0 weights, f16 cache': leakFree(decodes({ weights: 'q8_0', cache: 'f16' })),
  'a LLaMA decode plan, q4_0 weights, q8_0 cache': leakFree(decodes({ weights: 'q4_0', cache: 'q8_0' })),
  'a LLaMA decode plan, bf16 weights, bf16 cache': leakFree(decodes({ weights: 'bf16', cache: 'bf16' })),
}
