/** One description of a LLaMA-like model, whatever file it was read from. */

/** The architectures whose block is LLaMA's. */
export type Architecture = 'llama' | 'mistral' | 'qwen2' | 'qwen3'

/** How rotary frequencies are changed for contexts longer than the trained one; fields as in `transformers`. */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  | { readonly type: 'dynamic'; readonly factor: number; readonly originalContext: number }
  | {
      readonly type: 'yarn'
      readonly factor: number
      readonly originalContext: number
      readonly betaFast: number
      readonly betaSlow: number
      /** Multiplies cos and sin. Already computed from `mscale`, `mscale_all_dim` and `factor` where the file lets it out. */
      readonly attentionFactor: number
      /** Whether the ramp's ends are rounded to whole dimensions; default true. */
      readonly truncate: boolean
      /** What a ramp that ends before it begins is: `falling` to transformers, a `step` to llama.cpp. */
      readonly crossedRamp: 'falling' | 'step'
    }
  | {
      readonly type: 'llama3'
      readonly factor: number
      readonly lowFreqFactor: number
      readonly highFreqFactor: number
      readonly originalContext: number
    }
  | {
      readonly type: 'longrope'
      readonly originalContext: number
      /** Divisors of the frequencies, `headDim / 2` of them, for sequences up to `originalContext`… */
      readonly shortFactors: readonly number[]
      /** …and beyond. */
      readonly longFactors: readonly number[]
      /** Multiplies cos and sin. */
      readonly attentionFactor: number
    }
  /** GGUF: divisors of the frequencies stand in this tensor (`headDim / 2` floats); `factor` divides them all once more. */
  | { readonly type: 'tensor'; readonly tensor: 'rope_freqs.weight'; readonly factor: number }

export interface ModelConfig {
  readonly architecture: Architecture
  /** Width of the residual stream. */
  readonly dim: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly ffnDim: number
  readonly vocab: number
  readonly normEps: number
  readonly ropeTheta: number
  readonly ropeScaling: RopeScaling | undefined
  /**
   * How pairs are rotated: `half` pairs dimension i with i + headDim/2 (Hugging Face), `interleaved` pairs 2i with
   * 2i + 1 (Meta, llama2.c and llama-architecture GGUF, whose q and k rows are ordered for it).
   */
  readonly rotation: 'half' | 'interleaved'
  /** Positions the model was made for. */
  readonly context: number
  /** The classifier is the embedding. */
  readonly tied: boolean
  readonly biases: {
    readonly q: boolean
    readonly k: boolean
    readonly v: boolean
    readonly o: boolean
    readonly mlp: boolean
  }
  /** RMSNorm of each head's query and key before rotation (Qwen3). */
  readonly qkNorm: boolean
  /** A position sees itself and `slidingWindow − 1` before it, in the layers `slidingLayers` marks. */
  readonly slidingWindow: number | undefined
  /** One flag a layer; empty when there is no window. */
  readonly slidingLayers: readonly boolean[]
  readonly bosTokenId: number | undefined
  readonly eosTokenIds: readonly number[]
  readonly padTokenId: number | undefined
  /** Statements about this configuration that its file did not make and that a reader should know. */
  readonly notes: readonly string[]
}
