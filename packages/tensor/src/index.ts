export { type Arena, packArena } from './arena.js'
export { type GradsOf, grad, type Params, recompute, valueAndGrad } from './autograd.js'
export type {
  Attr,
  Attrs,
  Backend,
  Buf,
  Executable,
  FileRange,
  Kernel,
  OpCall,
  Operand,
  Program,
  ProgramCall,
  Slot,
} from './backend.js'
export { type BlockDType, blockFormats, decodeBlocks } from './blocks/index.js'
export { createDevice, type Device } from './device.js'
export { encode, type Values } from './encode.js'
export * from './errors.js'
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './half.js'
export { disposeModule, type ParameterSource, parameters } from './module.js'
export { defineOp, type GradContext, type Gradient, type Op, type OpDefinition, type Result } from './op.js'
export * from './ops/index.js'
export type { Plan } from './plan.js'
export { listing, record } from './record.js'
export { type RopeScaling, type RopeTable, type RopeTableOptions, ropeFrequencies } from './rope-frequencies.js'
export * from './spec.js'
export { decode, isTensor, type Storage, Tensor, type TensorData } from './tensor.js'
export { trace } from './trace.js'
export { type PlanOptions, plan, type Traced, tracePlan } from './traced.js'
