/** Which element type every tensor of a converted model gets. */
import { isBlockDType, unitOf } from '../dtype.js'
import { type QuantDType, quantDTypes } from '../quantize/index.js'

/** What a model can be converted to. Safetensors holds the first three only. */
export type TargetDType = 'f32' | 'f16' | 'bf16' | QuantDType

export const targetDTypes: readonly TargetDType[] = ['f32', 'f16', 'bf16', ...quantDTypes]

/** llama.cpp's `general.file_type`. */
export const fileTypes: Readonly<Record<TargetDType, number>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q4_1: 3,
  q8_0: 7,
  q5_0: 8,
  q5_1: 9,
  q2_k: 10,
  q3_k: 11,
  q4_k: 14,
  q5_k: 16,
  q6_k: 18,
  iq4_nl: 25,
  bf16: 32,
}

/** llama.cpp's replacements for rows that are no multiple of 256. */
const smaller: Readonly<Partial<Record<TargetDType, TargetDType>>> = {
  q2_k: 'q4_0',
  q3_k: 'q4_0',
  q4_k: 'q5_0',
  q5_k: 'q5_1',
  q6_k: 'q8_0',
}

/** The type of one tensor: vectors stay f32; matrices take the target, or the nearest that fits their rows. */
export function dtypeFor(target: TargetDType, shape: readonly number[], name: string): TargetDType {
  if (shape.length < 2 || name === 'rope_freqs.weight') return 'f32'
  const fits = (dtype: TargetDType): boolean => !isBlockDType(dtype) || shape.at(-1)! % unitOf(dtype).block === 0
  if (fits(target)) return target
  const next = smaller[target]
  return next && fits(next) ? next : 'f16'
}
