/** What a model costs before it is loaded: parameters, bytes and floating-point operations. */
import { blockFormats, byteLength, type DType, isBlock, spec } from '@cria/tensor'
import { type CacheDType, type LlamaConfig, windowOf } from './config.js'

export interface Estimate {
  /** Parameters; tied embeddings count once. */
  readonly parameters: number
  /** Bytes of the weights at the dtype (norms and biases stay f32). */
  readonly weightBytes: number
  /** Bytes of the KV cache at the context. */
  readonly cacheBytes: number
  /** Floating-point operations to generate one token after `context` tokens: 2 for each weight used, and attention. */
  readonly flopsPerToken: number
  /** Operations of a training step for each token: three times the forward pass over a sequence of `context`. */
  readonly trainFlopsPerToken: number
  /** Bytes of training state in f32: weights, gradients and AdamW's two moments. */
  readonly trainBytes: number
}

export interface EstimateOptions {
  /** Dtype of the matrices. Default f16. */
  readonly dtype?: DType
  /** Tokens in the cache. Default: the model's own limit. */
  readonly context?: number
  /** Default f16, whatever the configuration says: what published figures assume. */
  readonly cacheDType?: CacheDType
}

/**
 * @example
 * estimate(preset('llama-2-7b')).parameters // 6738415616
 */
export function estimate(
  config: LlamaConfig,
  { dtype = 'f16', context = config.maxPositionEmbeddings, cacheDType = 'f16' }: EstimateOptions = {},
): Estimate {
  const {
    hiddenSize: c,
    intermediateSize: f,
    numHiddenLayers: layers,
    numAttentionHeads: h,
    numKeyValueHeads: hkv,
    headDim: d,
    vocabSize: v,
  } = config
  const block = (2 * h + 2 * hkv) * d * c + 3 * c * f
  const vectors =
    2 * c +
    (config.attentionBias ? (h + 2 * hkv) * d : 0) +
    (config.outputBias ? c : 0) +
    (config.mlpBias ? 2 * f + c : 0) +
    (config.qkNorm ? 2 * d : 0)
  const matrices = layers * block + v * c * (config.tieWordEmbeddings ? 1 : 2)
  const small = layers * vectors + c
  const parameters = matrices + small
  const perElement = isBlock(dtype)
    ? blockFormats[dtype].bytes / blockFormats[dtype].block
    : byteLength(spec(dtype, []))
  const cacheRow = cacheDType === 'f32' ? 4 : cacheDType === 'q8_0' ? 34 / 32 : 2
  // The embedding is a look-up: only the output layer multiplies.
  const used = layers * block + v * c
  /** Keys that a token sees, over all layers, at the end of the context and on average over it. */
  const seen = { last: 0, mean: 0 }
  for (let layer = 0; layer < layers; layer++) {
    const window = Math.min(windowOf(config, layer) || context, context)
    seen.last += window
    seen.mean += window - (window * window) / (2 * Math.max(context, 1))
  }
  const attention = (keys: number): number => 4 * h * d * keys
  return {
    parameters,
    weightBytes: Math.ceil(matrices * perElement) + small * 4,
    cacheBytes: 2 * layers * context * hkv * d * cacheRow,
    flopsPerToken: 2 * used + attention(seen.last),
    trainFlopsPerToken: 3 * (2 * used + attention(seen.mean)),
    trainBytes: parameters * 16,
  }
}
