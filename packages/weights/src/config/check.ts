/** Rules that every configuration must keep, wherever it came from. */
import { WeightsError } from '../errors.js'
import type { ModelConfig } from './types.js'

/** Refuses configurations that no LLaMA-like model can have. Returns the configuration. */
export function checkConfig(file: string, config: ModelConfig): ModelConfig {
  const { heads, kvHeads, headDim, slidingLayers, layers, slidingWindow } = config
  const refuse = (message: string): never => {
    throw new WeightsError('format', `${file}: ${message}`, { file })
  }
  if (heads % kvHeads !== 0) refuse(`got ${heads} heads and ${kvHeads} key-value heads, expected a multiple`)
  if (headDim % 2 !== 0) refuse(`got a head size of ${headDim}, expected an even number`)
  if (layers > 65536) refuse(`got ${layers} layers`)
  if (slidingWindow !== undefined && slidingLayers.length !== layers) {
    refuse(`got window flags for ${slidingLayers.length} layers, expected ${layers}`)
  }
  return config
}
