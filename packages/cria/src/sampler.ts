/** The sampler chain that the options of a command ask for. Defaults are llama.cpp's, and the order too. */
import {
  type Chain,
  categorical,
  chain,
  greedy,
  minP,
  penalties,
  temperature,
  topK,
  topP,
  typicalP,
} from '@cria/sampling'

export interface SamplingOptions {
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly typicalP?: number
  readonly repeatPenalty?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly seed?: number
  readonly context?: number
}

export function samplerOf(options: SamplingOptions): Chain {
  const { repeatPenalty: repeat = 1, frequencyPenalty: frequency = 0, presencePenalty: presence = 0 } = options
  const heat = options.temperature ?? 0.8
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
  const penal = repeat !== 1 || frequency !== 0 || presence !== 0 ? [penalties({ repeat, frequency, presence })] : []
  if (heat === 0) return chain(...penal, greedy())
  const typical = options.typicalP === undefined ? [] : [typicalP(options.typicalP)]
  return chain(
    ...penal,
    topK(options.topK ?? 40),
    ...typical,
    topP(options.topP ?? 0.95),
    minP(options.minP ?? 0.05),
    temperature(heat),
    categorical({ seed }),
  )
}
