/**
 * Ops are values, declared once: name, rule, definition in simpler ops, and a gradient where the definition's own is
 * slow or unstable. One dispatcher serves both executors: eager runs a kernel, a trace records it; without a kernel
 * the definition runs, which ends in the primitives that every backend has.
 */
import type { Attrs, OpCall } from './backend.js'
import type { Device } from './device.js'
import { ArgumentError, DeviceError, GradError, UnsupportedError } from './errors.js'
import { format, isFloat, type Spec } from './spec.js'
import { isTensor, type Tensor } from './tensor.js'

type SpecsOf<I extends readonly Tensor[]> = { [K in keyof I]: Spec }
/** The result of an op: one tensor, several, or (an effect) none. */
export type Result = Tensor | readonly Tensor[] | undefined

export interface GradContext<I extends readonly Tensor[], A extends Attrs> {
  readonly inputs: I
  readonly outputs: readonly Tensor[]
  readonly attrs: A
  /** Gradients of the outputs; those that nothing depends on are undefined. */
  readonly grads: readonly (Tensor | undefined)[]
  /** The first output's gradient, for the many ops with one output. */
  readonly grad: Tensor
}

/**
 * What an op sends back to an input: a gradient; one that is added to `sum`, what other ops sent there (undefined: none
 * yet), where that is cheaper than making it alone; or nothing.
 */
export type Gradient = Tensor | ((sum: Tensor | undefined) => Tensor) | undefined

export interface OpDefinition<I extends readonly Tensor[], A extends Attrs> {
  /** snake_case, as kernels and listings name it. */
  readonly name: string
  /** The one check of shapes, dtypes and attributes, and the specs of the outputs. An effect returns []. */
  infer(specs: SpecsOf<I>, attrs: A): Spec | readonly Spec[]
  /** The op in simpler ops: its specification, its oracle and its fallback. Primitives have none. */
  definition?(inputs: I, attrs: A): Result
  /** Gradients of the inputs. Absent: the definition is differentiated. */
  grad?(ctx: GradContext<I, A>): readonly Gradient[]
  /** Inputs that are changed in place. */
  readonly mutates?: readonly number[]
  /** False for ops that gradients stop at (comparisons, integer results). */
  readonly differentiable?: boolean
  /** The output is the input's storage under another spec: no kernel, no copy. */
  readonly alias?: boolean
  /** Half-precision inputs may be computed in f32 and rounded back when there is no kernel for them. */
  readonly widens?: boolean
}

/** A declared op: call it with its inputs and attributes. Public functions wrap it with a friendlier signature. */
export interface Op<I extends readonly Tensor[] = readonly Tensor[], A extends Attrs = Attrs> {
  (inputs: I, attrs: A): Tensor
  /** All outputs, for ops with several or none. */
  all(inputs: I, attrs: A): readonly Tensor[]
  /** For ops without inputs. */
  on(device: Device, attrs: A): Tensor
  readonly declaration: OpDefinition<I, A>
}

/** Declares an op. Nothing is registered anywhere, so an op that is not imported is not bundled. */
export function defineOp<I extends readonly Tensor[], A extends Attrs>(declaration: OpDefinition<I, A>): Op<I, A> {
  const all = (inputs: I, attrs: A): readonly Tensor[] =>
    apply(deviceOf(declaration.name, inputs), declaration, inputs, attrs)
  const one = (inputs: I, attrs: A): Tensor => all(inputs, attrs)[0]!
  const on = (device: Device, attrs: A): Tensor => apply(device, declaration, [] as unknown as I, attrs)[0]!
  return Object.assign(one, { all, on, declaration })
}

const list = (r: Result): readonly Tensor[] => (r === undefined ? [] : isTensor(r) ? [r] : r)

function deviceOf(op: string, inputs: readonly Tensor[]): Device {
  const first = inputs[0]
  if (!isTensor(first)) throw new ArgumentError(`${op}: got ${String(first)}, expected a tensor`, { op, got: first })
  for (const t of inputs) {
    if (!isTensor(t)) throw new ArgumentError(`${op}: got ${String(t)}, expected a tensor`, { op, got: t })
    if (t.device !== first.device) {
      throw new DeviceError(
        `${op}: got tensors on ${first.device.name} and ${t.device.name}, expected one device. Move one with device.tensor(await t.data(), t.shape)`,
        { op },
      )
    }
  }
  return first.device
}

function apply<I extends readonly Tensor[], A extends Attrs>(
  device: Device,
  op: OpDefinition<I, A>,
  inputs: I,
  attrs: A,
): readonly Tensor[] {
  device.check(op.name)
  const inferred = op.infer(inputs as unknown as SpecsOf<I>, attrs)
  const specs = 'dtype' in inferred ? [inferred] : inferred
  const outputs = execute(device, op, inputs, specs, attrs)
  if (device.tapes.length > 0) remember(device, op, inputs, outputs, attrs)
  return outputs
}

function execute<I extends readonly Tensor[], A extends Attrs>(
  device: Device,
  op: OpDefinition<I, A>,
  inputs: I,
  specs: readonly Spec[],
  attrs: A,
): readonly Tensor[] {
  if (op.alias) return [device.alias(inputs[0]!, specs[0]!)]
  const call: OpCall = { op: op.name, inputs, outputs: specs, attrs, mutates: op.mutates ?? [] }
  const kernel = device.kernel(call)
  if (kernel !== undefined) {
    const { recorder } = device
    if (recorder !== undefined) {
      const outputs = specs.map(s => recorder.temp(s))
      recorder.record(kernel, call, inputs, outputs)
      return outputs
    }
    const bufs = inputs.map(t => t.storage(op.name).buf)
    const outputs = specs.map(s => device.empty(s))
    device.launches++
    device.backend.run(
      kernel,
      bufs,
      outputs.map(t => t.storage(op.name).buf),
    )
    return outputs
  }
  // The tapes remember the op itself, not the calls its fallback makes: gradients do not depend on the backend.
  const { tapes } = device
  device.tapes = []
  try {
    if (op.widens && inputs.some(t => isFloat(t.dtype) && t.dtype !== 'f32'))
      return widen(device, op, inputs, specs, attrs)
    if (op.definition === undefined) {
      throw new UnsupportedError(
        `${op.name}: got (${inputs.map(format).join(', ')}) on ${device.name}, expected a kernel for this primitive. The backend has none for these dtypes`,
        { op: op.name },
      )
    }
    return device.scope(() => [...list(op.definition!(inputs, attrs))])
  } finally {
    device.tapes = tapes
  }
}

/** Computes a half-precision call in f32 and rounds the results back. */
function widen<I extends readonly Tensor[], A extends Attrs>(
  device: Device,
  op: OpDefinition<I, A>,
  inputs: I,
  specs: readonly Spec[],
  attrs: A,
): readonly Tensor[] {
  return device.scope(() => {
    const wide = inputs.map(t => (isFloat(t.dtype) ? convert(t, 'f32') : t)) as unknown as I
    return apply(device, op, wide, attrs).map((t, i) =>
      t.dtype === specs[i]!.dtype ? t : convert(t, specs[i]!.dtype as 'f16'),
    )
  })
}

/** The primitive that `widen` needs; `ops/shape.ts` exports it as `cast`. */
export const castOp: Op<[Tensor], { dtype: string }> = defineOp({
  name: 'cast',
  infer: ([x], { dtype }) => ({ shape: x.shape, dtype: dtype as Spec['dtype'] }),
  grad: ({ inputs: [x], grad }) => [isFloat(x.dtype) ? convert(grad, x.dtype) : undefined],
})

const convert = (x: Tensor, dtype: Spec['dtype']): Tensor => (x.dtype === dtype ? x : castOp([x], { dtype }))

function remember<I extends readonly Tensor[], A extends Attrs>(
  device: Device,
  op: OpDefinition<I, A>,
  inputs: I,
  outputs: readonly Tensor[],
  attrs: A,
): void {
  for (const tape of device.tapes) {
    if (!inputs.some(t => tape.watches(t))) continue
    if (op.mutates?.some(i => tape.watches(inputs[i]!))) {
      throw new GradError(
        `${op.name}: got a tensor that gradients flow through, expected one outside the gradient. An effect cannot be differentiated: use stopGradient or write after backward`,
        { op: op.name },
      )
    }
    if (op.differentiable === false || outputs.length === 0) continue
    tape.track({ op, inputs, outputs, attrs })
  }
}
