/** A configuration as Hugging Face's `config.json`, so that `transformers` loads what we write. */
import type { ModelConfig } from '../config/types.js'
import { WeightsError } from '../errors.js'
import { llama3Divisors } from './gguf-metadata.js'
import { refuseCrossedRamp } from './ramp.js'

const classes = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
} as const

/**
 * The `config.json` of a model.
 *
 * @param divisors the values of `rope_freqs.weight` where the scaling is that tensor: Llama 3's are recognised
 * @throws WeightsError `unsupported` for what `transformers` has no field for
 */
export function hfConfig(
  config: ModelConfig,
  dtype: 'f32' | 'f16' | 'bf16',
  divisors?: Float32Array,
): Record<string, unknown> {
  const { architecture, biases } = config
  const bias = biases.q
  if (biases.k !== bias || biases.v !== bias || (architecture !== 'qwen2' && biases.o !== bias)) {
    throw new WeightsError('unsupported', 'convert: transformers has no switch for biases of single projections')
  }
  const sliding = config.slidingLayers.includes(true)
  return {
    architectures: [classes[architecture]],
    model_type: architecture,
    hidden_act: 'silu',
    hidden_size: config.dim,
    intermediate_size: config.ffnDim,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    vocab_size: config.vocab,
    max_position_embeddings: config.context,
    rms_norm_eps: config.normEps,
    rope_theta: config.ropeTheta,
    rope_scaling: ropeScaling(config, divisors),
    tie_word_embeddings: config.tied,
    ...(architecture === 'llama' || architecture === 'qwen3' ? { attention_bias: bias } : {}),
    ...(architecture === 'llama' ? { mlp_bias: biases.mlp } : { sliding_window: config.slidingWindow ?? null }),
    ...(architecture === 'qwen2' || architecture === 'qwen3'
      ? {
          use_sliding_window: sliding,
          max_window_layers: sliding ? config.slidingLayers.indexOf(true) : config.layers,
          layer_types: Array.from({ length: config.layers }, (_, i) =>
            config.slidingLayers[i] ? 'sliding_attention' : 'full_attention',
          ),
        }
      : {}),
    bos_token_id: config.bosTokenId ?? null,
    eos_token_id: config.eosTokenIds.length > 1 ? config.eosTokenIds : (config.eosTokenIds[0] ?? null),
    pad_token_id: config.padTokenId ?? null,
    torch_dtype: { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }[dtype],
  }
}

function ropeScaling(config: ModelConfig, divisors: Float32Array | undefined): Record<string, unknown> | null {
  const scaling = config.ropeScaling?.type === 'tensor' ? recognise(config, divisors) : config.ropeScaling
  switch (scaling?.type) {
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor }
    case 'dynamic':
      return { rope_type: 'dynamic', factor: scaling.factor }
    case 'yarn':
      refuseCrossedRamp(config, 'falling')
      return {
        rope_type: 'yarn',
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalContext,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
        truncate: scaling.truncate,
      }
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalContext,
      }
    case 'longrope':
      return {
        rope_type: 'longrope',
        short_factor: scaling.shortFactors,
        long_factor: scaling.longFactors,
        attention_factor: scaling.attentionFactor,
        original_max_position_embeddings: scaling.originalContext,
      }
    default:
      return null
  }
}

/** GGUF keeps the divisors, not the rule: try the rules that Llama 3.1 to 3.3 were published with. */
function recognise(config: ModelConfig, divisors: Float32Array | undefined): ModelConfig['ropeScaling'] {
  if (config.ropeScaling?.type === 'tensor' && config.ropeScaling.factor === 1) {
    for (const factor of [8, 32]) {
      const rule = { type: 'llama3', factor, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 } as const
      const expected = llama3Divisors({ ...config, ropeScaling: rule })!
      if (divisors?.every((d, i) => Math.abs(d / expected[i]! - 1) < 1e-5)) return rule
    }
  }
  throw new WeightsError(
    'unsupported',
    'convert: rope_freqs.weight follows no rule of transformers (Llama 3 with factor 8 or 32 is recognised). Keep the model as GGUF',
  )
}
