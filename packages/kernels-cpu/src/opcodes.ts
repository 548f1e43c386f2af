/** Numbers of the binary program. The C++ side has the same lists (native/executor/opcodes.h, native/dtype.h, native/ops). */
import type { DType } from '@cria/tensor'

/** Kernels by number, in the order of native/executor/opcodes.h. */
export const opcodes = [
  'unary',
  'binary',
  'select',
  'cast',
  'permute',
  'copy',
  'fill',
  'iota',
  'reduce',
  'reduce_parts',
  'cumsum',
  'top_k',
  'matmul',
  'linear_prepare',
  'linear_compute',
  'dequantize',
  'embedding',
  'gather',
  'scatter_add',
  'pick',
  'write_rows',
  'softmax',
  'rms_norm',
  'layer_norm',
  'swiglu',
  'rope',
  'attention_tiles',
  'attention_parts',
  'attention_join',
  'cross_entropy',
  'adamw',
  'random_bits',
  'rms_norm_grad',
  'swiglu_grad',
  'attention_grad',
  'cross_entropy_grad',
] as const

export type Opcode = (typeof opcodes)[number]

/** Element types, in the order of native/dtype.h. */
export const dtypes: readonly DType[] = [
  'f32',
  'f16',
  'bf16',
  'i32',
  'u32',
  'i8',
  'u8',
  'q4_0',
  'q4_1',
  'q5_0',
  'q5_1',
  'q8_0',
  'q2_k',
  'q3_k',
  'q4_k',
  'q5_k',
  'q6_k',
  'iq4_nl',
]

/** The number of a dtype, or -1 where the core has none. */
export const dtypeCode = (dtype: DType): number => dtypes.indexOf(dtype)

/** Functions of one element, in the order of `enum Unary` in native/ops/elementwise.cpp. */
export const unaries = [
  'neg',
  'abs',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'tanh',
  'erf',
  'floor',
  'square',
  'rsqrt',
  'sigmoid',
  'silu',
  'relu',
  'softplus',
  'gelu_tanh',
  'gelu_erf',
  'sign',
] as const

/** Functions of two, in the order of `enum Binary`. */
export const binaries = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'equal',
  'less',
  'less_equal',
] as const

/** Reductions, in the order of `enum Reduce` in native/ops/reduce.cpp. */
export const reductions = ['sum', 'max', 'argmax', 'mean', 'logsumexp', 'sum_squares'] as const

const float = new Float32Array(1)
const floatBits = new Int32Array(float.buffer)
const double = new Float64Array(1)
const doubleBits = new Int32Array(double.buffer)

/** A number as the bits of an f32: how attributes carry it. */
export function f32Bits(x: number): number {
  float[0] = x
  return floatBits[0]!
}

/** A number as the two words of an f64. */
export function f64Bits(x: number): [number, number] {
  double[0] = x
  return [doubleBits[0]!, doubleBits[1]!]
}
