/** Which calls have kernels: a table of makers by op. What is not here runs by its definition. */
import { DeviceError, format, type Kernel, type OpCall } from '@cria/tensor'
import { shardsOf } from './layout.js'
import { elementwise, type Maker } from './wgsl/elementwise.js'
import { layers } from './wgsl/layers.js'
import { moves } from './wgsl/moves.js'
import { products } from './wgsl/products.js'
import { reductions } from './wgsl/reductions.js'
import type { Dispatch } from './wgsl/template.js'

const makers: Readonly<Record<string, Maker>> = { ...elementwise, ...moves, ...reductions, ...products, ...layers }

/** A call turned into dispatches; empty where there is nothing to do. */
export interface GpuKernel extends Kernel {
  readonly call: OpCall
  readonly dispatches: readonly Dispatch[]
}

/**
 * The kernel of a call, or undefined.
 *
 * @param limit bytes of the largest storage binding: where tensors are cut into shards
 */
export function kernelFor(call: OpCall, limit: number): GpuKernel | undefined {
  if (!(call.op in makers)) return undefined
  refuseLarge(call, limit)
  const dispatches = makers[call.op]?.(call, limit)?.filter(d => d.groups.every(n => n > 0))
  return dispatches && { name: call.op, call, dispatches }
}

/** Ops whose second input, the weight, may lie in several bindings. */
const sharded = new Set(['linear', 'embedding'])

/** Every other operand must fit one binding: half a tensor would give a wrong answer without a word. */
function refuseLarge({ op, inputs, outputs }: OpCall, limit: number): void {
  const operands = [...inputs.filter((_, i) => !(i === 1 && sharded.has(op))), ...outputs]
  for (const s of operands) {
    const [first, ...rest] = shardsOf(s, limit)
    if (rest.length === 0 && first!.bytes <= limit) continue
    throw new DeviceError(
      `${op}: got ${format(s)}, expected at most ${limit} bytes in one binding on this adapter. Only weights of linear and embedding may be larger: use a smaller batch or context, or the cpu backend`,
      { op, got: s, expected: limit },
    )
  }
}
