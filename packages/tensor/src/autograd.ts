/**
 * Reverse-mode gradients above the dispatcher: a tape remembers ops, the backward pass is made of ops again. So the
 * backward pass runs eagerly or is traced into a plan like anything else, and gradients of gradients come free.
 */
import type { Device, TapeNode, Tracker } from './device.js'
import { ArgumentError, GradError } from './errors.js'
import type { Gradient, Result } from './op.js'
import { add, full, reshape } from './ops/primitives.js'
import { format, isFloat, sameShape } from './spec.js'
import { isTensor, type Tensor } from './tensor.js'

/** Tensors to differentiate by: one, a list, or a record of them. Gradients come back in the same form. */
export type Params = Tensor | readonly Tensor[] | { readonly [name: string]: Tensor }
export type GradsOf<P extends Params> = P extends Tensor ? Tensor : { [K in keyof P]: Tensor }

/**
 * The value of a scalar function and its gradients by `params`, which `fn` closes over.
 *
 * @example
 * const { value, grads } = valueAndGrad(() => mean(square(sub(matmul(x, w), y))), { w })
 * await grads.w.data()
 * @throws GradError when the value is not a scalar of a float dtype.
 */
export function valueAndGrad<P extends Params>(fn: () => Tensor, params: P): { value: Tensor; grads: GradsOf<P> } {
  const targets: readonly Tensor[] = isTensor(params) ? [params] : Object.values(params)
  const device = targets[0]?.device
  if (device === undefined)
    throw new ArgumentError('valueAndGrad: got no params, expected at least one tensor to differentiate by')
  return device.scope(() => {
    const { result, grads } = vjp(device, fn, targets, value => {
      if (value.size !== 1 || !isFloat(value.dtype)) {
        throw new GradError(
          `valueAndGrad: got a result of ${format(value)}, expected one float. Reduce it with mean() or sum()`,
          { op: 'valueAndGrad' },
        )
      }
      return [full(device, value.shape, 1, value.dtype)]
    })
    const dense = targets.map((t, i) => grads[i] ?? full(device, t.shape, 0, 'f32'))
    const keyed = isTensor(params)
      ? dense[0]
      : Array.isArray(params)
        ? dense
        : Object.fromEntries(Object.keys(params).map((k, i) => [k, dense[i]]))
    return { value: result, grads: keyed as unknown as GradsOf<P> }
  })
}

/** The gradients alone. See `valueAndGrad`. */
export function grad<P extends Params>(fn: () => Tensor, params: P): GradsOf<P> {
  const device = (isTensor(params) ? params : (Object.values(params)[0] as Tensor | undefined))?.device
  if (device === undefined)
    throw new ArgumentError('grad: got no params, expected at least one tensor to differentiate by')
  return device.scope(() => valueAndGrad(fn, params).grads as Tensor) as unknown as GradsOf<P>
}

/**
 * Runs a segment without keeping its intermediates; the backward pass runs it again. Trades time for memory. Both runs
 * must compute the same: random keys come from outside, not from a counter inside.
 *
 * @example
 * let h = x
 * for (const block of blocks) h = recompute(() => block.forward(h), h.device)
 * @throws GradError in the backward pass when the segment makes other constants the second time.
 */
export function recompute(fn: () => Tensor, device: Device): Tensor {
  const outer = device.tapes
  if (outer.length === 0) return device.scope(fn)
  const probe = new Tape(t => outer.some(tape => tape.watches(t)), false)
  device.tapes = [probe]
  let output: Tensor
  let constants: number
  try {
    ;[output, constants] = witnessed(device, () => device.scope(() => alias(fn())))
  } finally {
    device.tapes = outer
  }
  const again = (): Tensor => {
    const [result, seen] = witnessed(device, fn)
    if (seen !== constants)
      throw new GradError(
        'recompute: got other constants in the second run of a segment, expected the same. Make random keys outside and pass them in: a counter inside has moved on',
        { op: 'recompute' },
      )
    return result
  }
  const inputs = probe.sources()
  const node: TapeNode = {
    op: {
      name: 'recompute',
      infer: () => output,
      grad: ({ grad: g }) => vjp(device, again, inputs, () => [g]).grads,
    },
    inputs,
    outputs: [output],
    attrs: {},
  }
  for (const tape of outer) if (inputs.some(t => tape.watches(t))) tape.track(node)
  return output
}

/** What `fn` returns, and a hash (FNV-1a) over everything it uploads. */
function witnessed<T>(device: Device, fn: () => T): [T, number] {
  const outer = device.witness
  let hash = 0x811c9dc5
  device.witness = bytes => {
    outer?.(bytes)
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  }
  try {
    const result = fn()
    return [result, hash]
  } finally {
    device.witness = outer
  }
}

/** A fresh tensor object, so that a segment that returns its input stays distinct from it. */
const alias = (t: Tensor): Tensor => reshape(t, t.shape)

/** Remembers calls that depend on the watched tensors. */
class Tape implements Tracker {
  readonly nodes: TapeNode[] = []
  private readonly derived = new Set<Tensor>()
  private readonly used = new Set<Tensor>()

  constructor(
    private readonly isSource: (t: Tensor) => boolean,
    readonly keeps = true,
  ) {}

  watches(t: Tensor): boolean {
    return this.derived.has(t) || this.isSource(t)
  }

  track(node: TapeNode): void {
    this.nodes.push(node)
    for (const t of node.inputs) if (!this.derived.has(t) && this.isSource(t)) this.used.add(t)
    for (const t of node.outputs) if (isFloat(t.dtype)) this.derived.add(t)
  }

  /** The outside tensors that the remembered calls took. */
  sources(): readonly Tensor[] {
    return [...this.used]
  }
}

/** Runs `fn` under a tape and sends gradients of its outputs back to `targets`. */
function vjp<R extends Result>(
  device: Device,
  fn: () => R,
  targets: readonly Tensor[],
  seed: (result: R) => readonly (Tensor | undefined)[],
): { result: R; grads: readonly (Tensor | undefined)[] } {
  const wanted = new Set(targets)
  const tape = new Tape(t => wanted.has(t))
  const outer = device.tapes
  device.tapes = [...outer, tape]
  let result: R
  try {
    result = fn()
  } finally {
    device.tapes = outer
  }
  const outputs: readonly Tensor[] =
    result === undefined ? [] : isTensor(result) ? [result] : (result as readonly Tensor[])
  const grads = new Map<Tensor, Tensor>()
  const seeds = seed(result)
  outputs.forEach((t, i) => accumulate(grads, t, seeds[i]))
  for (const node of tape.nodes.toReversed()) {
    const given = node.outputs.map(t => grads.get(t))
    if (given.every(g => g === undefined)) continue
    backward(device, node, given).forEach((part, i) => {
      const input = node.inputs[i]!
      if (part === undefined || !tape.watches(input)) return
      const sum = grads.get(input)
      const g = isTensor(part) ? part : part(sum)
      if (!sameShape(g.shape, input.shape)) {
        throw new GradError(
          `${node.op.name}: got a gradient of ${format(g)} for input ${i} of ${format(input)}, expected equal shapes. The op's grad is wrong`,
          { op: node.op.name },
        )
      }
      grads.set(input, isTensor(part) && sum !== undefined ? add(sum, g) : g)
    })
  }
  return { result, grads: targets.map(t => grads.get(t)) }
}

function backward(
  device: Device,
  { op, inputs, outputs, attrs }: TapeNode,
  given: readonly (Tensor | undefined)[],
): readonly Gradient[] {
  if (op.grad !== undefined) {
    const first = given[0] ?? full(device, outputs[0]!.shape, 0, outputs[0]!.dtype as 'f32')
    return op.grad({ inputs, outputs, attrs, grads: given, grad: first })
  }
  if (op.definition === undefined) {
    throw new GradError(
      `${op.name}: got a gradient to send back, expected an op with a gradient. Detach its input with stopGradient`,
      { op: op.name },
    )
  }
  // The definition may hand an input straight through, and one tensor may stand for two inputs: fresh objects keep them apart.
  const fresh = inputs.map(alias)
  return vjp(
    device,
    () => op.definition!(fresh, attrs),
    fresh,
    () => given,
  ).grads
}

function accumulate(grads: Map<Tensor, Tensor>, t: Tensor, g: Tensor | undefined): void {
  if (g === undefined) return
  const sum = grads.get(t)
  grads.set(t, sum === undefined ? g : add(sum, g))
}
