/** A tiny random model in any layout, for tests that need a whole one. */

import { hfConfig } from '../src/convert/hf-config.js'
import {
  bytesSource,
  encodeFloats,
  expectedTensors,
  type Folder,
  type ModelConfig,
  memorySink,
  sourceFolder,
  writeSafetensors,
} from '../src/index.js'
import { bell } from './random.js'

export const tinyConfig: ModelConfig = {
  architecture: 'llama',
  dim: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  ffnDim: 96,
  vocab: 40,
  normEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: undefined,
  rotation: 'half',
  context: 128,
  tied: false,
  biases: { q: false, k: false, v: false, o: false, mlp: false },
  qkNorm: false,
  slidingWindow: undefined,
  slidingLayers: [],
  bosTokenId: 1,
  eosTokenIds: [2],
  padTokenId: undefined,
  notes: [],
}

/** The weights of a configuration, by HF name. */
export function tinyWeights(config: ModelConfig): Map<string, { shape: readonly number[]; values: Float32Array }> {
  let seed = 1
  return new Map(
    [...expectedTensors(config)].map(([name, shape]) => [
      name,
      {
        shape,
        values: bell(
          shape.reduce((a, b) => a * b, 1),
          0.1,
          seed++,
        ),
      },
    ]),
  )
}

/** The model as a Hugging Face folder in memory. */
export async function tinyFolder(
  config: ModelConfig = tinyConfig,
  extra: Record<string, unknown> = {},
): Promise<Folder> {
  const sink = memorySink()
  await writeSafetensors(sink, {
    tensors: [...tinyWeights(config)].map(([name, { shape, values }]) => ({
      name,
      shape,
      dtype: 'f32',
      data: () => encodeFloats('f32', values),
    })),
  })
  const json = JSON.stringify({ ...hfConfig(config, 'f32'), ...extra })
  return sourceFolder({
    'model.safetensors': bytesSource(sink.bytes(), 'model.safetensors'),
    'config.json': bytesSource(new TextEncoder().encode(json), 'config.json'),
  })
}
