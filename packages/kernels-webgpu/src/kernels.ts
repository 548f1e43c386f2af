/** Which calls have kernels: a table of makers by op. What is not here runs by its definition. */
import type { Kernel, OpCall } from '@cria/tensor'
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
  const dispatches = makers[call.op]?.(call, limit)?.filter(d => d.groups.every(n => n > 0))
  return dispatches && { name: call.op, call, dispatches }
}
