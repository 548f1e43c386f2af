/**
 * A trace records what a function would do: kernel calls, storage and its lifetimes. The result is plain data
 * (`Program`), which a backend compiles and a test can print.
 */
import type { Buf, Kernel, OpCall, Operand, Program, ProgramCall, Slot } from './backend.js'
import { type Device, type Recorder, tensorsIn } from './device.js'
import { PlanError } from './errors.js'
import { format, type Spec } from './spec.js'
import { type Storage, Tensor } from './tensor.js'

interface OpenSlot {
  spec: Spec
  kind: Slot['kind']
  name?: string
  buf?: Buf
}

/**
 * Runs `fn` on abstract inputs and records it. `held` is the outside storage that the program refers to, kept alive
 * from the moment it is first used: release each with `device.drop`.
 */
export function trace<O>(
  device: Device,
  inputs: Readonly<Record<string, Spec>>,
  fn: (inputs: Record<string, Tensor>) => O,
): { program: Program; result: O; held: readonly Storage[] } {
  if (device.recorder !== undefined) {
    throw new PlanError(
      'plan: got a plan inside a trace, expected one at a time. Make the inner plan first, or call its function directly',
    )
  }
  const tracer = new Tracer(device)
  const abstract: Record<string, Tensor> = {}
  for (const [name, s] of Object.entries(inputs)) abstract[name] = tracer.slot({ spec: s, kind: 'input', name })
  device.recorder = tracer
  try {
    const result = fn(abstract)
    if (result instanceof Promise)
      throw new PlanError('plan: got an async function, expected a synchronous one. A trace has no values to wait for')
    return { ...tracer.finish(Object.keys(inputs).length, [...tensorsIn(result)]), result }
  } catch (error) {
    tracer.release()
    throw error
  } finally {
    device.recorder = undefined
  }
}

class Tracer implements Recorder {
  private readonly slots: OpenSlot[] = []
  private readonly calls: ProgramCall[] = []
  private readonly bound = new Map<Storage, number>()

  constructor(private readonly device: Device) {}

  slot(open: OpenSlot): Tensor {
    return new Tensor(this.device, open.spec, { trace: this, slot: this.slots.push(open) - 1 })
  }

  temp(s: Spec): Tensor {
    return this.slot({ spec: s, kind: 'temp' })
  }

  record(kernel: Kernel, { op, attrs, mutates }: OpCall, inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
    this.calls.push({
      op,
      kernel,
      attrs,
      mutates,
      inputs: inputs.map(t => this.operand(op, t)),
      outputs: outputs.map(t => this.operand(op, t)),
    })
  }

  private operand(op: string, t: Tensor): Operand {
    const s: Spec = { shape: t.shape, dtype: t.dtype }
    if (t.place !== undefined && 'trace' in t.place) {
      if (t.place.trace !== this)
        throw new PlanError(
          `${op}: got a tensor of another trace (${format(t)}), expected one of this plan. Pass it as an input`,
          { op },
        )
      return { slot: t.place.slot, spec: s }
    }
    const storage = t.storage(op)
    let slot = this.bound.get(storage)
    if (slot === undefined) {
      slot = this.slots.push({ spec: s, kind: 'bound', buf: storage.buf }) - 1
      this.bound.set(storage, slot)
      // A scope inside the traced function may dispose the tensor long before the program runs.
      this.device.hold(storage)
    }
    return { slot, spec: s }
  }

  release(): void {
    for (const storage of this.bound.keys()) this.device.drop(storage)
  }

  /** Drops calls that nothing needs, then fixes lifetimes. */
  finish(inputCount: number, results: readonly Tensor[]): { program: Program; held: readonly Storage[] } {
    const outputs = results.map(t => this.operand('plan', t))
    const needed = new Set(outputs.map(o => o.slot))
    const live: ProgramCall[] = []
    for (const call of this.calls.toReversed()) {
      if (call.mutates.length === 0 && !call.outputs.some(o => needed.has(o.slot))) continue
      for (const o of call.inputs) needed.add(o.slot)
      live.push(call)
    }
    const calls = live.reverse()
    return { program: this.pack(inputCount, calls, outputs), held: [...this.bound.keys()] }
  }

  /** Renumbers the slots that are left and finds when each is first and last touched. */
  private pack(inputCount: number, calls: readonly ProgramCall[], outputs: readonly Operand[]): Program {
    const first = new Map<number, number>()
    const last = new Map<number, number>()
    const touch = (slot: number, at: number): void => {
      if (!first.has(slot)) first.set(slot, at)
      last.set(slot, at)
    }
    for (let i = 0; i < inputCount; i++) touch(i, 0)
    calls.forEach((call, at) => {
      for (const o of [...call.inputs, ...call.outputs]) touch(o.slot, at)
    })
    for (const o of outputs) touch(o.slot, calls.length)
    const order = [...first.keys()].sort((a, b) => a - b)
    const renumbered = new Map(order.map((slot, i) => [slot, i]))
    const move = (o: Operand): Operand => ({ slot: renumbered.get(o.slot)!, spec: o.spec })
    return {
      slots: order.map(slot => ({ ...this.slots[slot]!, first: first.get(slot)!, last: last.get(slot)! })),
      calls: calls.map(c => ({ ...c, inputs: c.inputs.map(move), outputs: c.outputs.map(move) })),
      inputs: Array.from({ length: inputCount }, (_, i) => renumbered.get(i)!),
      outputs: outputs.map(move),
    }
  }
}
