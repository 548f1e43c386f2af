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

type Given<S> = { readonly [K in keyof S]: Values | Tensor }

/** What `fn` of a plan did: what tracing found, and the storage that the plan keeps alive. */
export interface Recording<S, O> {
  readonly name: string
  readonly inputs: S
  readonly program: Program
  readonly result: O
  readonly held: readonly Storage[]
}

export class Plan<S extends Readonly<Record<string, Spec>>, O> {
  readonly name: string
  /** What is replayed: plain data, for listings and tests. */
  readonly program: Program
  private readonly inputs: S
  private readonly executable: Executable
  private readonly result: O
  private readonly held: readonly Storage[]
  private running = false
  private disposed = false

  /** @internal `plan()` and `Traced.bind()` make plans. */
  constructor(
    private readonly device: Device,
    { name, inputs, program, result, held }: Recording<S, O>,
  ) {
    this.name = name
    this.inputs = inputs
    this.program = program
    this.held = held
    this.executable = device.backend.compile(program)
    for (const storage of held) device.hold(storage)
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
