/**
 * The checks themselves, free of any test runner: each throws an Error that says what differs. `describeBackend` calls
 * them under vitest; a browser page or another runner may call them too.
 */
import {
  type Backend,
  createDevice,
  type Device,
  decode,
  isBlock,
  isFloat,
  plan,
  type Spec,
  type Tensor,
  type TensorData,
  UnsupportedError,
  valueAndGrad,
} from '@cria/tensor'
import { type Case, fill } from './case.js'
import { compare } from './compare.js'
import { dot, numericGradients, weighted, weightsFor } from './finite-differences.js'

interface Result {
  readonly spec: Spec
  readonly data: TensorData
}

/**
 * Runs `fn` and demands that the device's live bytes and tensors are back where they were. Fewer is no leak: tensors that
 * a failed case left behind are collected late.
 */
export async function withoutLeak<T>(device: Device, fn: () => Promise<T>): Promise<T> {
  const { liveBytes, liveTensors } = device
  const result = await fn()
  if (device.liveBytes > liveBytes || device.liveTensors > liveTensors) {
    throw new Error(
      `leak: got ${device.liveBytes - liveBytes} bytes in ${device.liveTensors - liveTensors} tensors more than before, expected none`,
    )
  }
  return result
}

const listOf = (out: ReturnType<Case['run']>): readonly Tensor[] =>
  out === undefined ? [] : Array.isArray(out) ? out : [out as Tensor]

const read = async (t: Tensor): Promise<Result> => ({ spec: { shape: t.shape, dtype: t.dtype }, data: await t.data() })

const upload = (device: Device, c: Case, bytes: readonly Uint8Array[]): Tensor[] =>
  c.inputs.map((input, i) => device.upload(input.spec, bytes[i]!))

/** Results of an eager call: its outputs, then the inputs it changed. */
export async function runEager(device: Device, c: Case, bytes: readonly Uint8Array[]): Promise<Result[]> {
  const inputs = upload(device, c, bytes)
  const outputs = listOf(device.scope(() => c.run(...inputs)))
  const results: Result[] = []
  for (const t of [...outputs, ...c.changes.map(i => inputs[i]!)]) results.push(await read(t))
  for (const t of [...outputs, ...inputs]) t.dispose()
  return results
}

function compareAll(what: string, got: readonly Result[], expected: readonly Result[], c: Case): void {
  if (got.length !== expected.length) throw new Error(`${what}: got ${got.length} results, expected ${expected.length}`)
  got.forEach((g, i) => {
    const e = expected[i]!
    if (g.spec.dtype !== e.spec.dtype || String(g.spec.shape) !== String(e.spec.shape))
      throw new Error(`${what}: got [${g.spec.shape}] ${g.spec.dtype}, expected [${e.spec.shape}] ${e.spec.dtype}`)
    compare(`${what}, result ${i}`, g.spec, g.data, e.data, c.bound)
  })
}

/** The call gives what the reference gives, and leaves nothing behind. */
export async function checkValues(device: Device, oracle: Device, c: Case): Promise<void> {
  const bytes = fill(c)
  const expected = await runEager(oracle, c, bytes)
  const got = await withoutLeak(device, () => runEager(device, c, bytes))
  compareAll(`${c.op} against the reference`, got, expected, c)
}

/** A view of a backend without its kernels for some ops; disposing it leaves the backend alone. */
export function without(backend: Backend, hidden: (op: string) => boolean): Backend {
  return {
    name: backend.name,
    contract: backend.contract,
    description: backend.description,
    alloc: s => backend.alloc(s),
    free: buf => backend.free(buf),
    write: (buf, bytes, at) => backend.write(buf, bytes, at),
    read: (buf, at, bytes) => backend.read(buf, at, bytes),
    kernel: call => (hidden(call.op) ? undefined : backend.kernel(call)),
    run: (kernel, inputs, outputs) => backend.run(kernel, inputs, outputs),
    compile: program => backend.compile(program),
  }
}

/** The op's kernel gives what its definition gives on the same device. Returns false where there is nothing to compare. */
export async function checkDefinition(device: Device, c: Case): Promise<boolean> {
  let asked = false
  let found = false
  const spy: Backend = {
    ...without(device.backend, () => false),
    kernel(call) {
      const kernel = device.backend.kernel(call)
      if (call.op === c.op) {
        asked = true
        found ||= kernel !== undefined
      }
      return kernel
    },
  }
  const bytes = fill(c)
  const kernels = createDevice(spy)
  const definitions = createDevice(without(device.backend, op => op === c.op))
  try {
    const got = await runEager(kernels, c, bytes)
    if (!asked || !found) return false
    const expected = await withoutLeak(definitions, () => runEager(definitions, c, bytes))
    compareAll(`${c.op}'s kernel against its definition`, got, expected, c)
    return true
  } catch (error) {
    if (error instanceof UnsupportedError) return false // A primitive: it is its own definition.
    throw error
  } finally {
    kernels.dispose()
    definitions.dispose()
  }
}

/** A plan replayed with changing inputs gives what the eager calls give. */
export async function checkPlan(device: Device, c: Case, rounds = 3): Promise<void> {
  await withoutLeak(device, async () => {
    // Block formats and state are bound; everything else is an input of the plan.
    const fixed = c.inputs.map(({ spec: s }, i) => isBlock(s.dtype) || c.changes.includes(i))
    const first = fill(c)
    const bound = c.inputs.map((input, i) => (fixed[i] ? device.upload(input.spec, first[i]!) : undefined))
    const named = Object.fromEntries(c.inputs.flatMap((input, i) => (fixed[i] ? [] : [[`x${i}`, input.spec] as const])))
    const compiled = plan(device, named, inputs => [...listOf(c.run(...bound.map((t, i) => t ?? inputs[`x${i}`]!)))], {
      name: c.op,
    })
    for (let round = 0; round < rounds; round++) {
      const fresh = fill(c, round)
      const bytes = fresh.map((b, i) => (fixed[i] ? first[i]! : b))
      c.changes.forEach(i => {
        device.backend.write(bound[i]!.storage('conformance').buf, first[i]!)
      })
      const given = Object.fromEntries(
        Object.entries(named).map(([name, s]) => [name, decode(s, bytes[Number(name.slice(1))]!)]),
      )
      const outputs = await compiled.run(given)
      const got: Result[] = []
      for (const t of [...outputs, ...c.changes.map(i => bound[i]!)]) got.push(await read(t))
      const expected = await runEager(device, c, bytes)
      compareAll(`${c.op} as a plan, run ${round}`, got, expected, c)
    }
    compiled.dispose()
    for (const t of bound) t?.dispose()
  })
}

/**
 * Gradients on the device: against finite differences of the reference for f32 inputs, and against the reference's own
 * gradients for every float input.
 */
export async function checkGradients(device: Device, oracle: Device, c: Case): Promise<void> {
  const bytes = fill(c)
  const got = await withoutLeak(device, () => gradients(device, c, bytes))
  const expected = await gradients(oracle, c, bytes)
  const loose = c.bound === 'exact' || c.bound === 'rounded' || c.bound === 'smooth' ? 'product' : c.bound
  for (const [k, i] of c.gradients.entries()) {
    compare(`gradient of ${c.op} by input ${i}`, got[k]!.spec, got[k]!.data, expected[k]!.data, loose)
    if (c.inputs[i]!.spec.dtype !== 'f32') continue
    const exact = !c.inputs.some(({ spec: s }) => s.dtype === 'f16' || s.dtype === 'bf16' || isBlock(s.dtype))
    await compareNumeric(oracle, c, bytes, i, got[k]!.data, exact ? 2e-3 : 5e-2)
  }
}

async function gradients(device: Device, c: Case, bytes: readonly Uint8Array[]): Promise<Result[]> {
  const inputs = upload(device, c, bytes)
  const targets = c.gradients.map(i => inputs[i]!)
  const { value, grads } = valueAndGrad(() => weighted(c, listOf(c.run(...inputs))), targets)
  const results: Result[] = []
  for (const g of grads) results.push(await read(g))
  for (const t of [value, ...grads, ...inputs]) t.dispose()
  return results
}

async function compareNumeric(
  oracle: Device,
  c: Case,
  bytes: readonly Uint8Array[],
  input: number,
  analytic: TensorData,
  tolerance: number,
): Promise<void> {
  const loss = async (changed: Float32Array): Promise<number> => {
    const given = bytes.map((b, i) => (i === input ? new Uint8Array(changed.buffer) : b))
    const outputs = await runEager(oracle, c, given)
    return dot(outputs.filter(o => isFloat(o.spec.dtype)).map((o, i) => [o.data, weightsFor(c, i, o.data.length)]))
  }
  const x = decode(c.inputs[input]!.spec, bytes[input]!) as Float32Array
  const numeric = await numericGradients(loss, x)
  const size = Math.sqrt(numeric.reduce((a, { slope }) => a + slope * slope, 0) / Math.max(1, numeric.length))
  for (const { at, slope } of numeric) {
    const allowed = tolerance * (Math.abs(slope) + size) + 2e-4
    if (!(Math.abs(analytic[at]! - slope) <= allowed)) {
      throw new Error(
        `gradient of ${c.op} by input ${input}: got ${analytic[at]} at ${at}, expected ${slope} by finite differences (±${allowed.toPrecision(2)})`,
      )
    }
  }
}
