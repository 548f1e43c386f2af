/** The configuration of a LLaMA-family model: the keys of `config.json` in camelCase, every one present. */
import { ArgumentError, type Products, type RopeScaling } from '@cria/tensor'

export interface LlamaConfig {
  readonly vocabSize: number
  /** Width of the residual stream. */
  readonly hiddenSize: number
  /** Width of the feed-forward layer. */
  readonly intermediateSize: number
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  /** Fewer than `numAttentionHeads` is grouped-query attention, 1 is multi-query. */
  readonly numKeyValueHeads: number
  /** Width of a head; hiddenSize / numAttentionHeads unless the model says otherwise. */
  readonly headDim: number
  readonly rmsNormEps: number
  readonly ropeTheta: number
  readonly ropeScaling: RopeScaling
  /** Elements of a head that are rotated; headDim unless the rotation is partial. */
  readonly ropeWidth: number
  /** True: pairs are neighbours (Meta's and llama.cpp's weights). False: half a head apart (Hugging Face's). */
  readonly ropeInterleaved: boolean
  /** Tokens the model was made for. */
  readonly maxPositionEmbeddings: number
  /** The output layer is the embedding table. */
  readonly tieWordEmbeddings: boolean
  /** Biases on q, k and v (Qwen2). */
  readonly attentionBias: boolean
  /** Bias on the attention output. */
  readonly outputBias: boolean
  readonly mlpBias: boolean
  /** RMSNorm over each head of q and k (Qwen3). */
  readonly qkNorm: boolean
  /** Sliding window of each layer in tokens; 0: sees everything. One number means every layer. */
  readonly slidingWindow: number | readonly number[]
  /**
   * Round what multiplies bf16 weights to bf16, and queries and attention weights to f16, as llama.cpp does; on for BF16
   * GGUF files, so that both engines agree.
   * Off, the default, computes what PyTorch does in f32 on the same weights.
   */
  readonly roundActivations: boolean
  /**
   * How f32 weights are multiplied: `f32`, the default, or `bf16`, which rounds both sides to bf16 and sums in f32,
   * forward and backward. Training with `bf16` keeps f32 master weights and is about twice as fast where the CPU has
   * bf16 products.
   */
  readonly products: Products
  /**
   * The KV cache of sessions that ask for no other. f32, the default, is exact. Loading takes f16, as llama.cpp does, for
   * GGUF files whose weights are not f32. Other files are held against transformers, and there f16 would be the largest
   * error of a float model: up to 0.09 in a log-probability on small random ones, f32 0.0001. f32 has twice the bytes:
   * Llama 3 8B in BF16 at 8192 tokens, 1.1 GB more beside 16 GB of weights. A token of a 135 M model in F16 takes 2 % longer
   * after 512 tokens and 10 % after 1024 on the CPU, its prompt 4 % less.
   */
  readonly cacheDType: CacheDType
}

export type CacheDType = 'f32' | 'f16' | 'bf16' | 'q8_0'

type Required = 'vocabSize' | 'hiddenSize' | 'intermediateSize' | 'numHiddenLayers' | 'numAttentionHeads'

/**
 * A whole configuration from what differs. Defaults are Llama 2's (paper, Table 1 and §2.2).
 *
 * @example
 * llamaConfig({ vocabSize: 512, hiddenSize: 64, intermediateSize: 172, numHiddenLayers: 5, numAttentionHeads: 8 })
 * @throws ArgumentError naming the field that cannot be.
 */
export function llamaConfig(given: Pick<LlamaConfig, Required> & Partial<LlamaConfig>): LlamaConfig {
  const headDim = given.headDim ?? given.hiddenSize / given.numAttentionHeads
  const config: LlamaConfig = {
    numKeyValueHeads: given.numAttentionHeads,
    headDim,
    rmsNormEps: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { type: 'default' },
    ropeWidth: headDim,
    ropeInterleaved: false,
    maxPositionEmbeddings: 4096,
    tieWordEmbeddings: false,
    attentionBias: false,
    outputBias: false,
    mlpBias: false,
    qkNorm: false,
    slidingWindow: 0,
    roundActivations: false,
    products: 'f32',
    cacheDType: 'f32',
    ...given,
  }
  check(config)
  return Object.freeze(config)
}

function check(c: LlamaConfig): void {
  const whole = [
    'vocabSize',
    'hiddenSize',
    'intermediateSize',
    'numHiddenLayers',
    'numAttentionHeads',
    'numKeyValueHeads',
    'headDim',
    'maxPositionEmbeddings',
  ] as const
  for (const field of whole)
    if (!Number.isSafeInteger(c[field]) || c[field] < 1) refuse(field, c[field], 'a whole number ≥ 1')
  if (c.numAttentionHeads % c.numKeyValueHeads !== 0)
    refuse('numKeyValueHeads', c.numKeyValueHeads, `a divisor of numAttentionHeads (${c.numAttentionHeads})`)
  if (c.ropeWidth % 2 !== 0 || c.ropeWidth < 2 || c.ropeWidth > c.headDim)
    refuse('ropeWidth', c.ropeWidth, `an even number up to headDim (${c.headDim})`)
  if (!(c.rmsNormEps > 0)) refuse('rmsNormEps', c.rmsNormEps, 'a number above 0')
  if (!(c.ropeTheta > 0)) refuse('ropeTheta', c.ropeTheta, 'a number above 0')
  if (typeof c.slidingWindow !== 'number' && c.slidingWindow.length !== c.numHiddenLayers)
    refuse('slidingWindow', c.slidingWindow.length, `${c.numHiddenLayers} entries, one for each layer`)
}

function refuse(field: string, got: unknown, expected: string): never {
  throw new ArgumentError(`llama_config: got ${field} ${String(got)}, expected ${expected}. Check config.json`, {
    op: 'llama_config',
    got,
    expected,
  })
}

/** The sliding window of a layer; 0: none. */
export const windowOf = ({ slidingWindow }: LlamaConfig, layer: number): number =>
  typeof slidingWindow === 'number' ? slidingWindow : slidingWindow[layer]!
