/**
 * A plan: a function traced once and replayed as one unit of the backend (one native call, one submit, one graph
 * launch). Everything that changes between replays is an input; everything else is frozen when the plan is made.
 */
import type { Executable, Program } from './backend.js'
import { type Device, tensorsIn } from './device.js'
import { encode, type Values } from './encode.js'
import { DisposedError, PlanError } from './errors.js'
import { byteLength, format, type Spec, sameSpec } from './spec.js'
import { isTensor, type Storage, Tensor } from './tensor.js'
import { trace } from './trace.js'

export interface PlanOptions {
  /** Named in errors and listings. Default `plan`. */
  readonly name?: string
}

type Inputs<S> = { readonly [K in keyof S]: Tensor }
type Given<S> = { readonly [K in keyof S]: Values | Tensor }

/**
 * Traces `fn` over abstract inputs and compiles it for the device. Weights, caches and optimiser state that `fn`
 * closes over are bound as they are; in-place ops change them at each replay.
 *
 * @param inputs a spec for each named input: `i32([1])`, `scalar('f32')`.
 * @example
 * const step = plan(device, { x: f32([3]), k: scalar('f32') }, ({ x, k }) => mul(x, k))
 * const y = await step.run({ x: [1, 2, 3], k: 2 })
 * await y.data() // [2, 4, 6], until the next run
 * step.dispose()
 * @throws PlanError when the function is async, reads data, or mixes traces.
 */
export function plan<S extends Readonly<Record<string, Spec>>, O>(
  device: Device,
  inputs: S,
  fn: (inputs: Inputs<S>) => O,
  options: PlanOptions = {},
): Plan<S, O> {
  device.check('plan')
  return new Plan(device, inputs, fn, options.name ?? 'plan')
}

export class Plan<S extends Readonly<Record<string, Spec>>, O> {
  readonly name: string
  /** What is replayed: plain data, for listings and tests. */
  readonly program: Program
  private readonly executable: Executable
  private readonly result: O
  private readonly held: readonly Storage[]
  private running = false
  private disposed = false

  constructor(
    private readonly device: Device,
    private readonly inputs: S,
    fn: (inputs: Inputs<S>) => O,
    name: string,
  ) {
    this.name = name
    // Constants made while tracing die with the scope; the trace keeps alive what the program binds.
    let traced: ReturnType<typeof trace<O>> | undefined
    device.scope(() => {
      traced = trace(device, inputs, abstract => fn(abstract as Inputs<S>))
    })
    const { program, result, held } = traced!
    this.program = program
    this.held = held
    try {
      this.executable = device.backend.compile(program)
    } catch (error) {
      for (const storage of held) device.drop(storage)
      throw error
    }
    device.liveBytes += this.executable.bytes
    const outputs = [...tensorsIn(result)]
    const owned = new Map(outputs.map((t, i) => [t, this.output(t, i)]))
    this.result = replace(result, t => owned.get(t)!) as O
  }

  private output(t: Tensor, i: number): Tensor {
    return new Tensor(this.device, t, { buf: this.executable.output(i), bytes: byteLength(t), refs: 1, plan: true })
  }

  /**
   * Replays with new inputs: numbers, arrays, typed arrays, or tensors of the device. Returns what `fn` returned, as
   * tensors owned by the plan: the next run overwrites them, so read or copy them first.
   *
   * @throws PlanError for a missing, unknown or ill-shaped input, or while a run is under way.
   */
  async run(values: Given<S>): Promise<O> {
    const pending = this.start(values)
    if (pending !== undefined) await pending
    return this.result
  }

  /** Starts a replay; the promise, if any, settles when it is done. For loops that count microseconds. */
  start(values: Given<S>): void | Promise<void> {
    if (this.disposed)
      throw new DisposedError(`${this.name}: got run() after dispose(), expected a live plan`, { op: this.name })
    if (this.running)
      throw new PlanError(
        `${this.name}: got run() while the last one is under way, expected one at a time. Await it first`,
        { op: this.name },
      )
    const pending = this.executable.run(this.encode(values))
    if (pending === undefined) return
    this.running = true
    return pending.finally(() => {
      this.running = false
    })
  }

  private encode(values: Given<S>): (Uint8Array | object)[] {
    const given: Readonly<Record<string, Values | Tensor>> = values
    for (const name in given) {
      if (!(name in this.inputs))
        throw new PlanError(
          `${this.name}: got input ${name}, expected ${Object.keys(this.inputs).join(', ') || 'none'}`,
          { op: this.name, got: name },
        )
    }
    return Object.entries(this.inputs).map(([name, s]) => {
      const value = given[name]
      if (value === undefined)
        throw new PlanError(`${this.name}: got no input ${name}, expected ${format(s)}`, { op: this.name, expected: s })
      if (!isTensor(value)) return encode(s, value, `${this.name}: input ${name}`)
      if (value.device !== this.device || !sameSpec(value, s)) {
        throw new PlanError(
          `${this.name}: got ${format(value)} on ${value.device.name} for input ${name}, expected ${format(s)} on ${this.device.name}. Make a plan for this shape`,
          { op: this.name, got: value, expected: s },
        )
      }
      return value.storage(this.name).buf
    })
  }

  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    this.device.liveBytes -= this.executable.bytes
    this.executable.dispose()
    for (const storage of this.held) this.device.drop(storage)
    for (const t of tensorsIn(this.result)) t.place = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** The same nesting with other tensors. */
function replace(value: unknown, swap: (t: Tensor) => Tensor): unknown {
  if (isTensor(value)) return swap(value)
  if (Array.isArray(value)) return value.map(v => replace(v, swap))
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, replace(v, swap)]))
  }
  return value
}
