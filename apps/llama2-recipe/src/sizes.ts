/** The ladder of model sizes, all with grouped-query attention, tied embeddings and a vocabulary of 2,048. */
import { type LlamaConfig, llamaConfig } from '@cria/llama'

export interface Size {
  readonly config: LlamaConfig
  /**
   * Peak learning rate of Muon, on AdamW's scale. For `3m`, 0.002 to 0.01 end alike (0.547 to 0.553 nats after 30 M tokens);
   * what differs is when the model begins to look back for names and things, all at once: before 7.5 M tokens at 0.003,
   * between 7.5 and 15 M at 0.01.
   */
  readonly peak: number
  /** Tokens of a full run: about seven a parameter for `3m`, which two cores read in three quarters of an hour. */
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

export type SizeName = '1m' | '3m' | '5m' | '10m' | '30m'

export const sizes: Readonly<Record<SizeName, Size>> = {
  '1m': { config: shape(128, 5, 2, 1, 352), peak: 5e-3, tokens: 12e6 },
  '3m': { config: shape(256, 4, 4, 2, 688), peak: 3e-3, tokens: 24e6 },
  '5m': { config: shape(256, 6, 4, 2, 688), peak: 3e-3, tokens: 32e6 },
  '10m': { config: shape(384, 6, 6, 2, 1024), peak: 2e-3, tokens: 50e6 },
  '30m': { config: shape(576, 8, 9, 3, 1536), peak: 1.5e-3, tokens: 60e6 },
}
