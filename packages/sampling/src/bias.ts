/** Fixed additions to single logits, and bans. */
import { ParameterError } from './errors.js'
import { tokenId } from './lib/check.js'
import type { Sampler } from './sampler.js'

/** Token ids with what to add to their logits; -Infinity or `false` bans the token (as in llama.cpp's server). */
export type Biases = Iterable<readonly [token: number, bias: number | false]> | Readonly<Record<number, number | false>>

/**
 * Adds a bias to the logits of single tokens.
 *
 * @example
 * chain(logitBias({ 50256: false, 198: -1.5 }), greedy())
 */
export function logitBias(biases: Biases): Sampler {
  const entries =
    Symbol.iterator in biases ? [...biases] : Object.entries(biases).map(([t, b]) => [Number(t), b] as const)
  const byToken = new Map<number, number>()
  for (const [token, bias] of entries) {
    const value = bias === false ? Number.NEGATIVE_INFINITY : bias
    if (typeof value !== 'number' || !(value < Number.POSITIVE_INFINITY)) {
      throw new ParameterError('logitBias', `bias of token ${token}`, bias, 'a number, -Infinity or false')
    }
    byToken.set(tokenId('logitBias', 'token', token), (byToken.get(token) ?? 0) + value)
  }
  return {
    name: 'logit-bias',
    apply(candidates) {
      if (byToken.size === 0) return
      const { logits, ids, size, dense } = candidates
      if (dense && byToken.size <= 512) {
        for (const [token, bias] of byToken) if (token < size) candidates.setLogit(token, logits[token]! + bias)
        return
      }
      for (let i = 0; i < size; i++) {
        const bias = byToken.get(ids[i]!)
        if (bias !== undefined) logits[i] = logits[i]! + bias
      }
      candidates.changed('logit-bias')
    },
  }
}

/** Rules tokens out. HF `suppress_tokens`; llama.cpp `logit_bias` with `false`, and `ignore_eos`. */
export function ban(tokens: Iterable<number>): Sampler {
  return { ...logitBias(Array.from(tokens, token => [token, false] as const)), name: 'ban' }
}

/** Rules every other token out. vLLM `allowed_token_ids`. */
export function allow(tokens: Iterable<number>): Sampler {
  const allowed = new Set(Array.from(tokens, token => tokenId('allow', 'token', token)))
  if (allowed.size === 0) throw new ParameterError('allow', 'tokens', [], 'at least one token')
  return {
    name: 'allow',
    apply: candidates => candidates.keepTokens(allowed),
  }
}
