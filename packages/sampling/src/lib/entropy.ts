/** Entropy and normaliser of the candidates' distribution, in one pass and without touching `probs`. */
import type { Candidates } from '../candidates.js'
import { exp, log } from './numeric.js'

export interface Moments {
  /** In nats. */
  readonly entropy: number
  /** log Σ exp(logit). */
  readonly logsumexp: number
}

export function moments(candidates: Candidates): Moments {
  const { logits, size } = candidates
  const max = candidates.max()
  if (max === Number.NEGATIVE_INFINITY) return { entropy: 0, logsumexp: max }
  // H = log Z - Σ d e^d / Z with d = logit - max: no logarithm per token
  let sum = 0
  let weighted = 0
  for (let i = 0; i < size; i++) {
    const d = logits[i]! - max
    const e = exp(d)
    sum += e
    if (e > 0) weighted += e * d
  }
  const logSum = log(sum)
  return { entropy: Math.max(0, logSum - weighted / sum), logsumexp: max + logSum }
}
