/** Texts that have fallen into a loop, so that a search can stop. */
import { ParameterError } from '../errors.js'
import { integer } from '../lib/check.js'

export interface RepetitionOptions {
  /** Longest pattern, in tokens. vLLM `max_pattern_size`. */
  maxPattern: number
  /** Shortest. vLLM `min_pattern_size`. */
  minPattern?: number
  /** How often it has to stand at the end, one after the other. vLLM `min_count`. */
  minCount?: number
}

/**
 * Whether a text ends in the same pattern several times over. vLLM `repetition_detection`.
 *
 * @example
 * const loops = repetitionDetection({ maxPattern: 8, minCount: 4 })
 * await generate(model, prompt, { chain, maxTokens: 500, stopWhen: loops })
 */
export function repetitionDetection({
  maxPattern,
  minPattern = 1,
  minCount = 4,
}: RepetitionOptions): (tokens: readonly number[]) => boolean {
  integer('repetitionDetection', 'minPattern', minPattern, 1)
  integer('repetitionDetection', 'maxPattern', maxPattern, minPattern)
  if (!(integer('repetitionDetection', 'minCount', minCount, 0) >= 2))
    throw new ParameterError('repetitionDetection', 'minCount', minCount, 'at least 2')
  return tokens => {
    for (let size = minPattern; size <= maxPattern && size * minCount <= tokens.length; size++) {
      let same = 0
      const end = tokens.length - 1
      while (same < size * (minCount - 1) && tokens[end - same] === tokens[end - same - size]) same++
      if (same === size * (minCount - 1)) return true
    }
    return false
  }
}
