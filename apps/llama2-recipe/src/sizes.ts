/** The ladder of model sizes, all with grouped-query attention, tied embeddings and a vocabulary of 2,048. */
import { type LlamaConfig, llamaConfig } from '@cria/llama'

export interface Size {
  readonly config: LlamaConfig
  /**
   * Peak learning rate of Muon, on AdamW's scale. Of 0.002, 0.006, 0.015 and 0.04, 0.015 was best for `3m` after 800,000
   * tokens; a longer run wants a little less, and a wider model too.
   */
  readonly peak: number
  /** Tokens of a full run: about nine a parameter, which two cores read in an hour for `3m`. */
  readonly tokens: number
}

export const vocabSize = 2048
/** Tokens in a row: the longest story with its questions. */
export const context = 512

const shape = (hiddenSize: number, layers: number, heads: number, kv: number, ffn: number): LlamaConfig =>
  llamaConfig({
    vocabSize,
    hiddenSize,
    intermediateSize: ffn,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
    numKeyValueHeads: kv,
    maxPositionEmbeddings: context,
    tieWordEmbeddings: true,
    products: 'bf16',
  })

export type SizeName = '1m' | '3m' | '10m' | '30m'

export const sizes: Readonly<Record<SizeName, Size>> = {
  '1m': { config: shape(128, 5, 4, 2, 352), peak: 1.5e-2, tokens: 12e6 },
  '3m': { config: shape(256, 4, 8, 4, 688), peak: 1e-2, tokens: 30e6 },
  '10m': { config: shape(384, 6, 6, 2, 1024), peak: 7e-3, tokens: 50e6 },
  '30m': { config: shape(576, 8, 9, 3, 1536), peak: 5e-3, tokens: 60e6 },
}
