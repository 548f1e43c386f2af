/** The ladder of model sizes, all with grouped-query attention, tied embeddings and a vocabulary of 2,048. */
import { type LlamaConfig, llamaConfig } from '@cria/llama'

export interface Size {
  readonly config: LlamaConfig
  /** Peak learning rate: smaller models bear larger ones (LLaMA table 2 has 3e-4 at 7B, 1.5e-4 at 65B). */
  readonly peak: number
  /** Tokens of a full run: about 12 a parameter, as far as two cores get in two hours. */
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
  })

export type SizeName = '1m' | '3m' | '7m' | '10m' | '30m'

export const sizes: Readonly<Record<SizeName, Size>> = {
  '1m': { config: shape(128, 5, 4, 2, 352), peak: 3e-3, tokens: 12e6 },
  '3m': { config: shape(256, 4, 8, 4, 688), peak: 2e-3, tokens: 40e6 },
  '7m': { config: shape(320, 6, 10, 5, 832), peak: 1.5e-3, tokens: 50e6 },
  '10m': { config: shape(384, 6, 6, 2, 1024), peak: 1.2e-3, tokens: 50e6 },
  '30m': { config: shape(576, 8, 9, 3, 1536), peak: 8e-4, tokens: 60e6 },
}
