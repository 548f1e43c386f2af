/** The configuration of a llama2.c checkpoint: its header, and the constants llama2.c has in code. */
import type { Llama2cHeader } from '../llama2c/read.js'
import { checkConfig } from './check.js'
import type { ModelConfig } from './types.js'

/** Reads the header that `openLlama2c` gives as `metadata`. */
export function readLlama2cConfig(header: Llama2cHeader, file = 'llama2.c'): ModelConfig {
  const { dim, layers, heads, kvHeads, ffnDim, vocab, context, tied } = header
  return checkConfig(file, {
    architecture: 'llama',
    dim,
    layers,
    heads,
    kvHeads,
    headDim: dim / heads,
    ffnDim,
    vocab,
    normEps: 1e-5,
    ropeTheta: 10000,
    ropeScaling: undefined,
    rotation: 'interleaved',
    context,
    tied,
    biases: { q: false, k: false, v: false, o: false, mlp: false },
    qkNorm: false,
    slidingWindow: undefined,
    slidingLayers: [],
    bosTokenId: 1,
    // llama2.c stops at BOS, which separates stories; 2 is the tokenizer's end of text.
    eosTokenIds: [1, 2],
    padTokenId: undefined,
    notes: [],
  })
}
