/** Making plans: trace a function once, and bind what the trace found to one state or to several. */
import type { Program } from './backend.js'
import type { Device } from './device.js'
import { DisposedError, PlanError } from './errors.js'
import { Plan, type Recording } from './plan.js'
import { format, type Spec, sameSpec } from './spec.js'
import type { Storage, Tensor } from './tensor.js'
import { trace } from './trace.js'

export interface PlanOptions {
  /** Named in errors and listings. Default `plan`. */
  readonly name?: string
}

type Inputs<S> = { readonly [K in keyof S]: Tensor }

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
  const traced = tracePlan(device, inputs, fn, options)
  try {
    return traced.bind([])
  } finally {
    traced.dispose()
  }
}

/**
 * Traces like `plan()` and makes no plan yet: `bind` makes as many as there are states (caches of several sequences),
 * each in a fraction of the time of a trace.
 *
 * @param options.state tensors that `fn` closes over and each plan brings its own of.
 * @example
 * const traced = tracePlan(device, { x: f32([1]) }, ({ x }) => add(x, mine), { state: [mine] })
 * const [a, b] = [traced.bind([mine]), traced.bind([other])]
 * traced.dispose() // the plans live on
 */
export function tracePlan<S extends Readonly<Record<string, Spec>>, O>(
  device: Device,
  inputs: S,
  fn: (inputs: Inputs<S>) => O,
  { name = 'plan', state = [] }: PlanOptions & { readonly state?: readonly Tensor[] } = {},
): Traced<S, O> {
  device.check('plan')
  const storages = state.map(t => t.storage(name))
  // Constants made while tracing die with the scope; the trace keeps alive what the program binds.
  let traced: ReturnType<typeof trace<O>> | undefined
  device.scope(() => {
    traced = trace(device, inputs, abstract => fn(abstract as Inputs<S>))
  })
  const { program, result, held } = traced!
  const places = storages.map(({ buf }) => program.slots.findIndex(slot => slot.buf === buf))
  const shared = held.filter(storage => !storages.includes(storage))
  for (const storage of held) if (!shared.includes(storage)) device.drop(storage)
  return new Traced(device, { name, inputs, program, result, held: shared }, state, places)
}

/** A trace that waits for its state. It keeps weights and constants alive, not the state it was traced with. */
export class Traced<S extends Readonly<Record<string, Spec>>, O> {
  private readonly program: Program
  private readonly specs: readonly Spec[]
  private disposed = false

  /** @internal */
  constructor(
    private readonly device: Device,
    private readonly recording: Recording<S, O>,
    state: readonly Spec[],
    /** The slot of each state tensor, or -1 where nothing uses it. */
    private readonly places: readonly number[],
  ) {
    this.specs = state.map(({ shape, dtype }) => ({ shape, dtype }))
    const { program } = recording
    this.program = { ...program, slots: program.slots.map((s, i) => (places.includes(i) ? { ...s, buf: {} } : s)) }
  }

  /**
   * A plan on this state, in the order of `state`; it owns memory of its own and runs beside the others.
   *
   * @throws PlanError for other tensors than it was traced with, by number, shape or dtype.
   */
  bind(state: readonly Tensor[]): Plan<S, O> {
    const { name } = this.recording
    if (this.disposed)
      throw new DisposedError(`${name}: got bind() after dispose(), expected a live trace`, { op: name })
    this.specs.forEach((s, i) => this.check(s, state[i]))
    const storages = state.map(t => t.storage(name))
    const slots = [...this.program.slots]
    const held: Storage[] = [...this.recording.held]
    this.places.forEach((slot, i) => {
      if (slot < 0) return
      slots[slot] = { ...slots[slot]!, buf: storages[i]!.buf }
      held.push(storages[i]!)
    })
    return new Plan(this.device, { ...this.recording, held, program: { ...this.program, slots } })
  }

  private check(expected: Spec, got: Tensor | undefined): void {
    const { name } = this.recording
    if (got !== undefined && got.device === this.device && sameSpec(got, expected)) return
    throw new PlanError(
      `${name}: got ${got === undefined ? 'nothing' : `${format(got)} on ${got.device.name}`} as state, expected ${format(expected)} on ${this.device.name}. Trace again for another shape`,
      { op: name, got, expected },
    )
  }

  /** Lets weights and constants go; plans that were made keep theirs. */
  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    for (const storage of this.recording.held) this.device.drop(storage)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
