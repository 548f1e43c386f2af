/** Every kernel of the core by the name of its op. */
import type { OpCall } from '@cria/tensor'
import type { CpuKernel, KernelMaker } from '../lowering.js'
import { stored } from '../storage.js'
import { attention, attentionGrad } from './attention.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { layers } from './layers.js'
import { matrix } from './matrix.js'
import { movement } from './movement.js'
import { reduce } from './reduce.js'
import { training } from './training.js'

const makers: Readonly<Record<string, KernelMaker>> = {
  ...elementwise,
  ...movement,
  ...reduce,
  ...matrix,
  ...indexing,
  ...layers,
  attention,
  attention_grad: attentionGrad,
  ...training,
}

export function kernelFor(call: OpCall): CpuKernel | undefined {
  const inputs = call.inputs.map(stored)
  const outputs = call.outputs.map(stored)
  const lower = makers[call.op]?.({ ...call, inputs, outputs })
  if (lower === undefined) return undefined
  const specs = [...inputs, ...outputs]
  return { name: call.op, lower, mutates: call.mutates, specs }
}
