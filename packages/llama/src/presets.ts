/** Published configurations. Sources: the papers' tables and the checkpoints' own params.json and config.json. */
import type { RopeScaling } from '@cria/tensor'
import { type LlamaConfig, llamaConfig } from './config.js'

type Row = Parameters<typeof llamaConfig>[0]

/** Meta's notation: dim, layers, heads, key heads, feed-forward width. */
const shape = (
  hiddenSize: number,
  numHiddenLayers: number,
  numAttentionHeads: number,
  numKeyValueHeads: number,
  intermediateSize: number,
): Omit<Row, 'vocabSize'> => ({
  hiddenSize,
  numHiddenLayers,
  numAttentionHeads,
  numKeyValueHeads,
  intermediateSize,
})

/** LLaMA (2302.13971, Table 2): 2048 tokens; eps 1e-6 but for 65B. */
const llama1 = (s: Omit<Row, 'vocabSize'>, rmsNormEps = 1e-6): Row => ({
  ...s,
  vocabSize: 32_000,
  maxPositionEmbeddings: 2048,
  rmsNormEps,
})
/** Llama 2 (2307.09288, Table 1): 4096 tokens, eps 1e-5. */
const llama2 = (s: Omit<Row, 'vocabSize'>): Row => ({ ...s, vocabSize: 32_000, maxPositionEmbeddings: 4096 })
/** Llama 3 (2407.21783, Table 3): θ 500,000, 128,256 tokens in the vocabulary. */
const llama3 = (s: Omit<Row, 'vocabSize'>, rest: Partial<LlamaConfig> = {}): Row => ({
  ...s,
  vocabSize: 128_256,
  maxPositionEmbeddings: 8192,
  ropeTheta: 500_000,
  ...rest,
})
/** From 3.1: 131,072 tokens by scaling; factor 8, and 32 in the small models of 3.2. */
const long = (factor: number): Partial<LlamaConfig> => ({
  maxPositionEmbeddings: 131_072,
  ropeScaling: {
    type: 'llama3',
    factor,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalContext: 8192,
  } satisfies RopeScaling,
})
/** SmolLM2: a LLaMA with tied embeddings. */
const smol = (s: Omit<Row, 'vocabSize'>, ropeTheta: number, maxPositionEmbeddings: number): Row => ({
  ...s,
  vocabSize: 49_152,
  ropeTheta,
  maxPositionEmbeddings,
  tieWordEmbeddings: true,
})
/** Qwen2.5: biases on q, k, v. */
const qwen2 = (s: Omit<Row, 'vocabSize'>): Row => ({
  ...s,
  vocabSize: 151_936,
  ropeTheta: 1_000_000,
  maxPositionEmbeddings: 32_768,
  rmsNormEps: 1e-6,
  attentionBias: true,
  tieWordEmbeddings: true,
})
/** Qwen3: norms on the heads of q and k, heads of 128. */
const qwen3 = (s: Omit<Row, 'vocabSize'>): Row => ({
  ...s,
  vocabSize: 151_936,
  ropeTheta: 1_000_000,
  maxPositionEmbeddings: 40_960,
  rmsNormEps: 1e-6,
  headDim: 128,
  qkNorm: true,
  tieWordEmbeddings: true,
})

export type PresetName =
  | 'llama-7b'
  | 'llama-13b'
  | 'llama-33b'
  | 'llama-65b'
  | 'llama-2-7b'
  | 'llama-2-13b'
  | 'llama-2-34b'
  | 'llama-2-70b'
  | 'llama-3-8b'
  | 'llama-3-70b'
  | 'llama-3.1-8b'
  | 'llama-3.1-70b'
  | 'llama-3.1-405b'
  | 'llama-3.2-1b'
  | 'llama-3.2-3b'
  | 'llama-3.3-70b'
  | 'mistral-7b-v0.1'
  | 'mistral-7b-v0.3'
  | 'tinyllama-1.1b'
  | 'smollm2-135m'
  | 'smollm2-360m'
  | 'smollm2-1.7b'
  | 'qwen2.5-0.5b'
  | 'qwen2.5-1.5b'
  | 'qwen2.5-3b'
  | 'qwen3-0.6b'
  | 'qwen3-1.7b'
  | 'qwen3-4b'

const rows: Readonly<Record<PresetName, Row>> = {
  'llama-7b': llama1(shape(4096, 32, 32, 32, 11_008)),
  'llama-13b': llama1(shape(5120, 40, 40, 40, 13_824)),
  'llama-33b': llama1(shape(6656, 60, 52, 52, 17_920)),
  'llama-65b': llama1(shape(8192, 80, 64, 64, 22_016), 1e-5),
  'llama-2-7b': llama2(shape(4096, 32, 32, 32, 11_008)),
  'llama-2-13b': llama2(shape(5120, 40, 40, 40, 13_824)),
  // Never released; the shape is that of Code Llama 34B.
  'llama-2-34b': llama2(shape(8192, 48, 64, 8, 22_016)),
  'llama-2-70b': llama2(shape(8192, 80, 64, 8, 28_672)),
  'llama-3-8b': llama3(shape(4096, 32, 32, 8, 14_336)),
  'llama-3-70b': llama3(shape(8192, 80, 64, 8, 28_672)),
  'llama-3.1-8b': llama3(shape(4096, 32, 32, 8, 14_336), long(8)),
  'llama-3.1-70b': llama3(shape(8192, 80, 64, 8, 28_672), long(8)),
  'llama-3.1-405b': llama3(shape(16_384, 126, 128, 8, 53_248), long(8)),
  'llama-3.2-1b': llama3(shape(2048, 16, 32, 8, 8192), { ...long(32), tieWordEmbeddings: true }),
  'llama-3.2-3b': llama3(shape(3072, 28, 24, 8, 8192), { ...long(32), tieWordEmbeddings: true }),
  'llama-3.3-70b': llama3(shape(8192, 80, 64, 8, 28_672), long(8)),
  'mistral-7b-v0.1': {
    ...shape(4096, 32, 32, 8, 14_336),
    vocabSize: 32_000,
    maxPositionEmbeddings: 32_768,
    slidingWindow: 4096,
  },
  'mistral-7b-v0.3': {
    ...shape(4096, 32, 32, 8, 14_336),
    vocabSize: 32_768,
    maxPositionEmbeddings: 32_768,
    ropeTheta: 1_000_000,
  },
  'tinyllama-1.1b': { ...shape(2048, 22, 32, 4, 5632), vocabSize: 32_000, maxPositionEmbeddings: 2048 },
  'smollm2-135m': smol(shape(576, 30, 9, 3, 1536), 100_000, 8192),
  'smollm2-360m': smol(shape(960, 32, 15, 5, 2560), 100_000, 8192),
  'smollm2-1.7b': smol(shape(2048, 24, 32, 32, 8192), 130_000, 8192),
  'qwen2.5-0.5b': qwen2(shape(896, 24, 14, 2, 4864)),
  'qwen2.5-1.5b': qwen2(shape(1536, 28, 12, 2, 8960)),
  'qwen2.5-3b': qwen2(shape(2048, 36, 16, 2, 11_008)),
  'qwen3-0.6b': qwen3(shape(1024, 28, 16, 8, 3072)),
  'qwen3-1.7b': qwen3(shape(2048, 28, 16, 8, 6144)),
  'qwen3-4b': qwen3(shape(2560, 36, 32, 8, 9728)),
}

/** The names of all presets. */
export const presetNames: readonly PresetName[] = Object.keys(rows) as PresetName[]

/**
 * A published configuration, with overrides.
 *
 * @example
 * preset('llama-2-70b').numKeyValueHeads // 8
 */
export const preset = (name: PresetName, overrides: Partial<LlamaConfig> = {}): LlamaConfig =>
  llamaConfig({ ...rows[name], ...overrides })
