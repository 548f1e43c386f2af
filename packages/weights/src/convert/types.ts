/** Which element type every tensor of a converted model gets. */
import { isBlockDType, unitOf } from '../dtype.js'
import { type QuantDType, quantDTypes } from '../quantize/index.js'

/** Element types that can be written. Safetensors holds the first three only. */
type WrittenDType = 'f32' | 'f16' | 'bf16' | QuantDType

/**
 * What a model can be converted to: one type for all matrices, or one of llama.cpp's mixtures, which spend more bits on
 * the values and down projections of some layers. Block formats below q8_0 never reach the classifier: as llama.cpp
 * does, it (or the embedding that stands for it) becomes q6_k, since its errors go straight into the answer.
 */
export type TargetDType = WrittenDType | 'q3_k_m' | 'q4_k_m' | 'q5_k_m'

const mixtures = { q3_k_m: 'q3_k', q4_k_m: 'q4_k', q5_k_m: 'q5_k' } as const

const isMixture = (target: TargetDType): target is keyof typeof mixtures => Object.hasOwn(mixtures, target)

export const targetDTypes: readonly TargetDType[] = ['f32', 'f16', 'bf16', ...quantDTypes, 'q3_k_m', 'q4_k_m', 'q5_k_m']

/** Whether a target is f32, f16 or bf16. */
export const isFloatTarget = (target: TargetDType): target is 'f32' | 'f16' | 'bf16' =>
  target === 'f32' || target === 'f16' || target === 'bf16'

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
  q3_k_m: 12,
  q4_k: 14,
  q4_k_m: 15,
  q5_k: 16,
  q5_k_m: 17,
  q6_k: 18,
  iq4_nl: 25,
  bf16: 32,
}

/** llama.cpp's replacements for rows that are no multiple of 256. */
const smaller: Readonly<Partial<Record<WrittenDType, WrittenDType>>> = {
  q2_k: 'q4_0',
  q3_k: 'q4_0',
  q4_k: 'q5_0',
  q5_k: 'q5_1',
  q6_k: 'q8_0',
}

export interface TensorPlace {
  readonly name: string
  readonly shape: readonly number[]
  /** Of the model. */
  readonly layers: number
  readonly tied: boolean
}

/** The type that was asked for a tensor, before looking at its rows. */
export function wantedDType(target: TargetDType, { name, shape, layers, tied }: TensorPlace): WrittenDType {
  if (shape.length < 2 || name === 'rope_freqs.weight') return 'f32'
  const classifier = name === 'lm_head.weight' || (tied && name === 'model.embed_tokens.weight')
  if (classifier && !isFloatTarget(target) && target !== 'q8_0') return 'q6_k'
  if (!isMixture(target)) return target
  const layer = Number(/^model\.layers\.(\d+)\./.exec(name)?.[1] ?? 0)
  const eighth = Math.trunc(layers / 8)
  // The first and last eighth, and every third layer between.
  const more = layer < eighth || layer >= Math.trunc((7 * layers) / 8) || (layer - eighth) % 3 === 2
  const part = /(v_proj|o_proj|down_proj)\.weight$/.exec(name)?.[1]
  if (target === 'q3_k_m') {
    if (part === 'v_proj') return layer < 2 ? 'q5_k' : 'q4_k'
    if (part === 'down_proj') return layer < Math.trunc(layers / 16) ? 'q5_k' : 'q4_k'
    return part === 'o_proj' ? 'q4_k' : 'q3_k'
  }
  return more && (part === 'v_proj' || part === 'down_proj') ? 'q6_k' : mixtures[target]
}

/** The type a tensor gets: vectors stay f32; matrices take the wanted one, or the nearest that fits their rows. */
export const dtypeFor = (target: TargetDType, place: TensorPlace): WrittenDType =>
  fittingDType(wantedDType(target, place), place.shape)

/**
 * The wanted type, or the one that llama.cpp takes in its place where rows are no whole number of blocks.
 *
 * @example fittingDType('q4_k', [1536, 576]) // 'q5_0'
 */
export function fittingDType(wanted: WrittenDType, shape: readonly number[]): WrittenDType {
  const fits = (dtype: WrittenDType): boolean => !isBlockDType(dtype) || shape.at(-1)! % unitOf(dtype).block === 0
  if (fits(wanted)) return wanted
  const next = smaller[wanted]
  return next && fits(next) ? next : 'f16'
}

export type { WrittenDType }
