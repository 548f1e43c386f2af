/** Contrastive search (Su et al. 2022): likely tokens whose hidden state differs from those before. */
import { Candidates } from '../candidates.js'
import type { Chain } from '../chain.js'
import { ParameterError } from '../errors.js'
import { integer, number } from '../lib/check.js'
import { moments } from '../lib/entropy.js'
import { exp } from '../lib/numeric.js'
import { type Generated, start } from './generate.js'
import { endSet, lastRow, type ModelState } from './model.js'

export interface ContrastiveModel extends ModelState {
  /** Last hidden states (f32) of the tokens of the last `extend`, one per token. */
  hidden(): Float32Array[]
  fork(): ContrastiveModel | Promise<ContrastiveModel>
}

export interface ContrastiveOptions {
  /** Weight of the difference against the probability, 0 to 1. HF `penalty_alpha`; 0.6 in the paper. */
  alpha: number
  /** Candidates per step. HF `top_k`; 4 in the paper. */
  k?: number
  maxTokens: number
  eos?: number | Iterable<number>
  /** Shapes the logits before the k likeliest are taken: rules, penalties, a grammar. It needs no stage that picks. */
  chain?: Chain
  signal?: AbortSignal
}

/**
 * Maximises (1 - α) · p(token) - α · (largest cosine similarity to an earlier hidden state), over the k likeliest.
 *
 * @example
 * const { tokens } = await contrastiveSearch(model, prompt, { alpha: 0.6, k: 4, maxTokens: 64, eos: 2 })
 */
export async function contrastiveSearch(
  model: ContrastiveModel,
  prompt: readonly number[],
  { alpha, k = 4, maxTokens, eos, chain, signal }: ContrastiveOptions,
): Promise<Generated> {
  start('contrastiveSearch', prompt, maxTokens)
  number('contrastiveSearch', 'alpha', alpha, 0, 1)
  integer('contrastiveSearch', 'k', k, 1)
  const ends = endSet('contrastiveSearch', eos)
  const candidates = new Candidates()
  const rules = chain?.clone()
  rules?.prompt(prompt)
  let state = model
  let row = await lastRow(state, prompt)
  const past = state.hidden().map(unit)
  if (past.length !== prompt.length) {
    throw new ParameterError(
      'contrastiveSearch',
      'model',
      `${past.length} hidden states`,
      `one per token: ${prompt.length}`,
    )
  }
  const tokens: number[] = []
  while (tokens.length < maxTokens) {
    signal?.throwIfAborted()
    candidates.load(row)
    if (rules) {
      rules.context.vocabSize = row.length
      rules.apply(candidates, rules.context)
    }
    const { logsumexp } = moments(candidates)
    if (k < candidates.size) candidates.keepTop(k)
    else candidates.sort()
    let best:
      | { state: ContrastiveModel; row: Float32Array; hidden: Float32Array; token: number; score: number }
      | undefined
    for (let i = 0; i < candidates.size; i++) {
      const token = candidates.ids[i]!
      const probability = exp(candidates.logits[i]! - logsumexp)
      if (probability === 0) continue
      const branch = await state.fork()
      const next = await lastRow(branch, [token])
      const hidden = unit(branch.hidden()[0]!)
      let nearest = -1
      for (const other of past) nearest = Math.max(nearest, dot(hidden, other))
      const score = (1 - alpha) * probability - alpha * nearest
      if (!best || score > best.score) {
        best?.state.dispose?.()
        best = { state: branch, row: next, hidden, token, score }
      } else branch.dispose?.()
    }
    if (!best) break
    if (state !== model) state.dispose?.()
    state = best.state
    row = best.row
    past.push(best.hidden)
    tokens.push(best.token)
    rules?.accept(best.token)
    if (ends.has(best.token)) break
  }
  if (state !== model) state.dispose?.()
  return { tokens, ended: ends.has(tokens[tokens.length - 1]!) }
}

function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(dot(vector, vector)) || 1
  return vector.map(v => v / norm)
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
