/** A configuration as GGUF metadata, with the keys and types that llama.cpp's converter writes. */
import type { ModelConfig } from '../config/types.js'
import { WeightsError } from '../errors.js'
import type { GgufValue } from '../gguf/format.js'
import { refuseCrossedRamp } from './ramp.js'
import { fileTypes, type TargetDType } from './types.js'

const u32 = (value: number): GgufValue => ({ type: 'u32', value })
const f32 = (value: number): GgufValue => ({ type: 'f32', value })
const text = (value: string): GgufValue => ({ type: 'string', value })

/** Which architecture llama.cpp runs the model as. Mistral is a llama to it. */
export const ggufArchitecture = (config: ModelConfig): string =>
  config.architecture === 'mistral' ? 'llama' : config.architecture

/** The order of rotated pairs that llama.cpp expects of that architecture. */
export const ggufRotation = (config: ModelConfig): ModelConfig['rotation'] =>
  ggufArchitecture(config) === 'llama' ? 'interleaved' : 'half'

/** @throws WeightsError `unsupported` for what llama.cpp has no key for */
export function ggufMetadata(
  config: ModelConfig,
  name: string,
  type: TargetDType,
  notes: string[],
): Map<string, GgufValue> {
  const arch = ggufArchitecture(config)
  let { context } = config
  if (config.slidingWindow !== undefined && config.slidingLayers.includes(true) && config.slidingWindow < context) {
    // Within one window attention is full attention, and llama.cpp has no window for these architectures.
    context = config.slidingWindow
    notes.push(`llama.cpp has no sliding window for ${arch}: the context is cut to the window of ${context}`)
  }
  const out = new Map<string, GgufValue>([
    ['general.architecture', text(arch)],
    ['general.type', text('model')],
    ['general.name', text(name)],
    ['general.file_type', u32(fileTypes[type])],
    ['general.quantization_version', u32(2)],
    [`${arch}.block_count`, u32(config.layers)],
    [`${arch}.context_length`, u32(context)],
    [`${arch}.embedding_length`, u32(config.dim)],
    [`${arch}.feed_forward_length`, u32(config.ffnDim)],
    [`${arch}.attention.head_count`, u32(config.heads)],
    [`${arch}.attention.head_count_kv`, u32(config.kvHeads)],
    [`${arch}.attention.layer_norm_rms_epsilon`, f32(config.normEps)],
    [`${arch}.attention.key_length`, u32(config.headDim)],
    [`${arch}.attention.value_length`, u32(config.headDim)],
    [`${arch}.rope.dimension_count`, u32(config.headDim)],
    [`${arch}.rope.freq_base`, f32(config.ropeTheta)],
    [`${arch}.vocab_size`, u32(config.vocab)],
  ])
  const scaling = config.ropeScaling
  const scale = (type: string, factor: number): void => {
    out.set(`${arch}.rope.scaling.type`, text(type))
    out.set(`${arch}.rope.scaling.factor`, f32(factor))
  }
  const unknown = (): never => {
    throw new WeightsError(
      'unsupported',
      `convert: got RoPE scaling "${scaling!.type}", which llama.cpp does not have for ${arch}. Write safetensors instead`,
    )
  }
  // rope_freqs.weight is one tensor too many for llama.cpp's qwen2 and qwen3.
  if ((scaling?.type === 'llama3' || scaling?.type === 'tensor') && arch !== 'llama') unknown()
  switch (scaling?.type) {
    case undefined:
    case 'llama3': // becomes the tensor rope_freqs.weight
      break
    case 'tensor':
      if (scaling.factor !== 1) scale('linear', scaling.factor)
      break
    case 'linear':
      scale('linear', scaling.factor)
      break
    case 'yarn': {
      const usual = scaling.factor <= 1 ? 1 : 0.1 * Math.log(scaling.factor) + 1
      if (!scaling.truncate)
        throw new WeightsError(
          'unsupported',
          'convert: llama.cpp has no YaRN without rounded ramp ends (truncate: false)',
        )
      refuseCrossedRamp(config, 'step')
      scale('yarn', scaling.factor)
      out.set(`${arch}.rope.scaling.original_context_length`, u32(scaling.originalContext))
      out.set(`${arch}.rope.scaling.yarn_beta_fast`, f32(scaling.betaFast))
      out.set(`${arch}.rope.scaling.yarn_beta_slow`, f32(scaling.betaSlow))
      if (Math.abs(scaling.attentionFactor / usual - 1) > 1e-6)
        out.set(`${arch}.rope.scaling.attn_factor`, f32(scaling.attentionFactor / usual))
      break
    }
    default:
      unknown()
  }
  return out
}

/**
 * Llama 3's frequency divisors as llama.cpp keeps them, in the tensor `rope_freqs.weight` [headDim / 2]: the wavelengths
 * beyond the trained context are stretched. Undefined for other scaling.
 *
 * @example
 * const ropeScaling = { type: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 } as const
 * llama3Divisors({ headDim: 64, ropeTheta: 500_000, ropeScaling }) // 1, …, 32
 */
export function llama3Divisors({
  headDim,
  ropeTheta,
  ropeScaling,
}: Pick<ModelConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>): Float32Array | undefined {
  if (ropeScaling?.type !== 'llama3') return undefined
  const { factor, lowFreqFactor, highFreqFactor, originalContext } = ropeScaling
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * ropeTheta ** ((2 * i) / headDim)
    if (wavelength < originalContext / highFreqFactor) return 1
    if (wavelength > originalContext / lowFreqFactor) return factor
    const smooth = (originalContext / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
    return 1 / ((1 - smooth) / factor + smooth)
  })
}
