/** Best of n: several drawn texts, the best by a score. */
import { type Chain, chain as compose } from '../chain.js'
import { integer } from '../lib/check.js'
import { logprobs } from '../logprobs.js'
import { start } from './generate.js'
import { endSet, lastRow, type ModelState } from './model.js'

export interface BestOfOptions {
  n: number
  /** The chain of the i-th text: give each its own seed. */
  chain: (i: number) => Chain
  maxTokens: number
  eos?: number | Iterable<number>
  /** Higher is better. Default: mean log-probability per token under the raw logits, as OpenAI's `best_of`. */
  score?: (text: { readonly tokens: readonly number[]; readonly logprob: number }) => number | Promise<number>
  signal?: AbortSignal
}

export interface Scored {
  readonly tokens: readonly number[]
  /** Sum of log-probabilities under the raw logits. */
  readonly logprob: number
  readonly score: number
  readonly ended: boolean
}

/**
 * All n texts, best first. The prompt is taken in once.
 *
 * @example
 * const [best] = await bestOf(model, prompt, { n: 8, chain: i => vllm({ seed: i }), maxTokens: 64, eos: 2 })
 */
export async function bestOf(model: ModelState, prompt: readonly number[], options: BestOfOptions): Promise<Scored[]> {
  const { n, maxTokens, eos, signal } = options
  start('bestOf', prompt, maxTokens)
  integer('bestOf', 'n', n, 1)
  const ends = endSet('bestOf', eos)
  const score = options.score ?? (text => text.logprob / Math.max(1, text.tokens.length))
  const first = await lastRow(model, prompt)
  const all: Scored[] = []
  for (let i = 0; i < n; i++) {
    const state = await model.fork()
    const pick = compose(options.chain(i))
    pick.prompt(prompt)
    const tokens: number[] = []
    let logprob = 0
    for (let row = first; ; row = await lastRow(state, tokens.slice(-1))) {
      signal?.throwIfAborted()
      const token = pick.sample(row)
      logprob += logprobs(row).of(token)
      pick.accept(token)
      tokens.push(token)
      if (tokens.length === maxTokens || ends.has(token)) break
    }
    state.dispose?.()
    all.push({ tokens, logprob, score: await score({ tokens, logprob }), ended: ends.has(tokens[tokens.length - 1]!) })
  }
  return all.sort((a, b) => b.score - a.score)
}
