/** Rotary parameters of `config.json`: the older `rope_scaling` beside `rope_theta`, the newer `rope_parameters`. */
import { WeightsError } from '../errors.js'
import type { Fields } from './fields.js'
import type { RopeScaling } from './types.js'

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  default: [],
  linear: ['factor'],
  dynamic: ['factor', 'original_max_position_embeddings'],
  yarn: [
    'factor',
    'original_max_position_embeddings',
    'attention_factor',
    'beta_fast',
    'beta_slow',
    'mscale',
    'mscale_all_dim',
    'truncate',
    'finetuned',
  ],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
  longrope: ['short_factor', 'long_factor', 'factor', 'attention_factor', 'original_max_position_embeddings'],
}

const common = ['rope_type', 'type', 'rope_theta', 'partial_rotary_factor']

/** Reads theta and scaling as `transformers` does: the dictionary's theta first, then the field's, then 10000. */
export function readRope(
  config: Fields,
  context: number,
  headDim: number,
): { ropeTheta: number; ropeScaling: RopeScaling | undefined } {
  const scaling = config.object('rope_scaling')
  // An empty dictionary says nothing: the other one counts.
  const rope = scaling && scaling.keys().length > 0 ? scaling : config.object('rope_parameters')
  config.refuse({ partial_rotary_factor: [1] })
  const fieldTheta = config.positive('rope_theta', 10000)
  if (!rope) return { ropeTheta: fieldTheta, ropeScaling: undefined }
  const ropeTheta = rope.positive('rope_theta', fieldTheta)
  const type = rope.text('rope_type', rope.text('type', 'default'))
  const known = knownKeys[type]
  if (!known) {
    throw new WeightsError(
      'unsupported',
      `${rope.file}: got rope_type ${JSON.stringify(type)}, expected one of ${Object.keys(knownKeys).join(', ')}`,
      { file: rope.file, got: type },
    )
  }
  rope.refuse({
    partial_rotary_factor: [1],
    ...Object.fromEntries(
      rope
        .keys()
        .filter(key => !known.includes(key) && !common.includes(key))
        .map(key => [key, []]),
    ),
  })
  return { ropeTheta, ropeScaling: readScaling(config, rope, type, context, headDim) }
}

function readScaling(
  config: Fields,
  rope: Fields,
  type: string,
  context: number,
  headDim: number,
): RopeScaling | undefined {
  // Phi-style configurations keep the trained length outside the dictionary, and that one wins.
  const originalContext = config.has('original_max_position_embeddings')
    ? config.size('original_max_position_embeddings')
    : rope.size('original_max_position_embeddings', context)
  switch (type) {
    case 'linear':
      return { type, factor: rope.positive('factor') }
    case 'dynamic':
      // transformers grows theta from `max_position_embeddings` on, whatever the dictionary says.
      return { type, factor: rope.positive('factor'), originalContext: context }
    case 'yarn': {
      const factor = rope.positive('factor', context / originalContext)
      return {
        type,
        factor,
        originalContext,
        betaFast: rope.raw('beta_fast') ? rope.positive('beta_fast') : 32,
        betaSlow: rope.raw('beta_slow') ? rope.positive('beta_slow') : 1,
        attentionFactor: yarnAttention(rope, factor),
        truncate: rope.flag('truncate', true),
        crossedRamp: 'falling',
      }
    }
    case 'llama3': {
      const lowFreqFactor = rope.positive('low_freq_factor')
      const highFreqFactor = rope.positive('high_freq_factor')
      if (highFreqFactor <= lowFreqFactor) {
        throw new WeightsError(
          'format',
          `${rope.file}: got high_freq_factor ${highFreqFactor}, expected more than low_freq_factor ${lowFreqFactor}`,
        )
      }
      return { type, factor: rope.positive('factor'), lowFreqFactor, highFreqFactor, originalContext }
    }
    case 'longrope': {
      const shortFactors = rope.numbers('short_factor')
      const longFactors = rope.numbers('long_factor')
      for (const factors of [shortFactors, longFactors]) {
        if (factors.length !== headDim / 2 || factors.some(f => f <= 0)) {
          throw new WeightsError(
            'format',
            `${rope.file}: got ${factors.length} factors, expected ${headDim / 2} numbers above 0`,
          )
        }
      }
      const factor = rope.positive('factor', context / originalContext)
      const computed = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContext))
      return {
        type,
        originalContext,
        shortFactors,
        longFactors,
        attentionFactor: rope.positive('attention_factor', computed),
      }
    }
    default:
      return undefined
  }
}

/** YaRN's attention temperature, from the paper's formula unless the file gives it. */
function yarnAttention(rope: Fields, factor: number): number {
  if (rope.has('attention_factor')) return rope.positive('attention_factor')
  const temperature = (mscale: number): number => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1)
  const mscale = rope.raw('mscale')
  const mscaleAll = rope.raw('mscale_all_dim')
  // Zero counts as absent, as in transformers.
  if (mscale && mscaleAll) return temperature(rope.positive('mscale')) / temperature(rope.positive('mscale_all_dim'))
  return temperature(1)
}
