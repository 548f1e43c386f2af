/** Options that have an effect only beside others. */
import { UsageError } from './errors.js'
import type { SamplingOptions } from './sampler.js'

/** Options that shape something else, which must be asked for too. */
const SHAPES: readonly [options: readonly (keyof SamplingOptions)[], of: keyof SamplingOptions][] = [
  [['dynatempExponent'], 'dynatempRange'],
  [['xtcThreshold'], 'xtcProbability'],
  [['dryBase', 'dryAllowedLength', 'dryPenaltyLastN', 'drySequenceBreaker'], 'dryMultiplier'],
  [['mirostatTau', 'mirostatEta'], 'mirostat'],
  [['adaptiveDecay'], 'adaptiveTarget'],
  [['watermarkBias', 'watermarkRatio', 'watermarkKey'], 'watermark'],
  [['ignoreUnsupported'], 'jsonSchema'],
]

/** An option that could change nothing is a mistake: it is refused, not passed over. */
export function checkEffects(options: SamplingOptions): void {
  for (const [names, of] of SHAPES) {
    const idle = options[of] === undefined && names.find(name => options[name] !== undefined)
    if (idle) throw new UsageError(`${flagOf(idle)}: got no ${flagOf(of)}, expected it too`)
  }
  const { preset = 'llamacpp', samplers, minKeep = 0, badWords: words } = options
  if (samplers !== undefined && preset !== 'llamacpp')
    throw new UsageError(`--samplers: got preset ${preset}, expected llamacpp, whose order it sets`)
  if (minKeep > 1 && preset === 'vllm')
    throw new UsageError(
      `--min-keep: got preset ${preset}, whose cuts leave one token at least, expected llamacpp or hf`,
    )
  if (words?.includes('')) throw new UsageError('--bad-words: got an empty text, expected words')
}

/** The flag of an option. */
export const flagOf = (option: string): string => `--${option.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
