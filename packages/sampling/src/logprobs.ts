/** Log-probabilities of the raw logits: of single tokens, of the likeliest, and the entropy, in one pass. */
import { Candidates } from './candidates.js'
import { LogitsError } from './errors.js'
import { integer } from './lib/check.js'
import { moments } from './lib/entropy.js'

export interface TokenLogprob {
  readonly token: number
  /** Natural logarithm of the probability. */
  readonly logprob: number
}

export interface Logprobs {
  /** The likeliest tokens, best first. */
  readonly top: readonly TokenLogprob[]
  /** Entropy of the whole distribution, in nats. */
  readonly entropy: number
  /** log Σ exp(logit). */
  readonly logsumexp: number
  /** Log-probability of a token; -Infinity outside the vocabulary. */
  of(token: number): number
  /** Place of a token in the order of likelihood, 1 for the likeliest. */
  rank(token: number): number
}

/**
 * Log-softmax of logits (f32, one per token), with the `top` likeliest tokens (default 0).
 *
 * @example
 * const { top, entropy, of } = logprobs(new Float32Array([1, 2, 3]), { top: 2 })
 * top[0] // { token: 2, logprob: -0.4076… }
 */
export function logprobs(logits: Float32Array, { top = 0 }: { top?: number } = {}): Logprobs {
  integer('logprobs', 'top', top, 0)
  scratch.load(logits)
  if (scratch.max() === Number.NEGATIVE_INFINITY) {
    throw new LogitsError('logprobs', 'every logit -Infinity', 'a finite logit', 'Look at the logits before masking.')
  }
  const { logsumexp, entropy } = moments(scratch)
  const of = (token: number): number => (logits[token] ?? Number.NEGATIVE_INFINITY) - logsumexp
  const best: TokenLogprob[] = []
  if (top > 0) {
    if (top < scratch.size) scratch.keepTop(top)
    else scratch.sort()
    for (let i = 0; i < scratch.size; i++) {
      best.push({ token: scratch.ids[i]!, logprob: scratch.logits[i]! - logsumexp })
    }
  }
  return {
    top: best,
    entropy,
    logsumexp,
    of,
    rank(token) {
      const own = logits[token] ?? Number.NEGATIVE_INFINITY
      let rank = 1
      for (let i = 0; i < logits.length; i++) if (logits[i]! > own || (logits[i] === own && i < token)) rank++
      return rank
    },
  }
}

const scratch: Candidates = /* @__PURE__ */ new Candidates()
