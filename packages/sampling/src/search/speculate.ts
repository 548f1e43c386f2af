/**
 * Speculative decoding: a cheap source guesses some tokens, the model checks all of them in one pass. Lossless: the
 * text has the distribution that the model and its chain alone would give.
 *
 * - 'match' (default): at each place the chain draws its token from the model; a guess counts when it is that token.
 *   The text is token for token the one without speculation, for the same seed, whatever the chain does.
 * - 'rejection' (Leviathan et al., Chen et al. 2023): a guess x drawn from q is taken with probability
 *   min(1, p(x)/q(x)), else a token is drawn from the rest max(0, p - q). Takes more guesses when the draft draws too.
 */
import type { Chain } from '../chain.js'
import { ParameterError, StateError } from '../errors.js'
import { integer } from '../lib/check.js'
import { Random, type Seed } from '../random.js'
import { type Draft, type DraftSource, distribution } from './draft.js'
import { type Generated, start } from './generate.js'
import { endSet, lastRow, type ModelState } from './model.js'

export interface SpeculateOptions {
  draft: DraftSource
  /** Of the model whose text it is. */
  chain: Chain
  maxTokens: number
  eos?: number | Iterable<number>
  /** Guesses per pass. Default 5. */
  draftTokens?: number
  method?: 'match' | 'rejection'
  /** Of every draw of 'rejection': the draft may draw by the seed of the chain, and these stay independent of both. */
  seed?: Seed
  /** Told of every token as it is chosen, the end token too; awaited. */
  onToken?: (token: number) => void | Promise<void>
  /** Asked after every token, with all that were generated: true ends the text. */
  stopWhen?: (tokens: readonly number[]) => boolean
  signal?: AbortSignal
}

export interface Speculated extends Generated {
  /** Guesses made, and taken. */
  readonly drafted: number
  readonly accepted: number
  /** Passes of the model, the prompt's included; without speculation it would be one per token. */
  readonly passes: number
}

/**
 * @example
 * const { tokens, passes } = await speculate(model, prompt, {
 *   draft: promptLookup(), chain: chain(greedy()), maxTokens: 100, eos: 2,
 * })
 */
export async function speculate(
  model: ModelState,
  prompt: readonly number[],
  options: SpeculateOptions,
): Promise<Speculated> {
  const { draft, chain, maxTokens, draftTokens = 5, method = 'match', onToken, stopWhen, signal } = options
  start('speculate', prompt, maxTokens)
  integer('speculate', 'draftTokens', draftTokens, 1)
  if (method !== 'match' && method !== 'rejection') {
    throw new ParameterError('speculate', 'method', method, "'match' or 'rejection'")
  }
  if (method === 'rejection') requireDistribution(chain)
  const ends = endSet('speculate', options.eos)
  const random = new Random(options.seed, 2)
  const text = [...prompt]
  const total = prompt.length + maxTokens
  chain.prompt(prompt)
  const count = { drafted: 0, accepted: 0, passes: 1 }
  const take = async (token: number): Promise<boolean> => {
    chain.accept(token)
    text.push(token)
    await onToken?.(token)
    return text.length === total || ends.has(token) || (stopWhen?.(text.slice(prompt.length)) ?? false)
  }
  const own = (row: Float32Array): number =>
    method === 'match' ? chain.sample(row) : drawn(probabilities(chain, row), random)
  let done = await take(own(await lastRow(model, prompt)))
  while (!done) {
    signal?.throwIfAborted()
    // the model has yet to see the last token; the guesses come after it
    const known = model.length
    const room = Math.min(draftTokens, total - text.length - 1)
    const guess: Draft = room > 0 ? await draft.propose(text, room) : { tokens: [] }
    const guesses = guess.tokens.slice(0, room)
    const rows = await model.extend([text[text.length - 1]!, ...guesses], true)
    count.passes++
    count.drafted += guesses.length
    let taken = 0
    while (!done && taken < guesses.length) {
      const token = method === 'match' ? chain.sample(rows[taken]!) : judge(chain, rows[taken]!, guess, taken, random)
      done = await take(token)
      if (token !== guesses[taken]) break
      taken++
    }
    count.accepted += taken
    if (taken === guesses.length && !done) done = await take(own(rows[taken]!))
    model.truncate(known + 1 + Math.min(taken, guesses.length))
  }
  const tokens = text.slice(prompt.length)
  return { tokens, ended: ends.has(tokens[tokens.length - 1]!), ...count }
}

/** What the chain would draw from. Its own draw is not used: the guesses may have come from the same numbers. */
function probabilities(chain: Chain, row: Float32Array): Float32Array {
  chain.sample(row)
  return distribution(chain, row.length)
}

/** Takes the guess, or draws from what the guess leaves over. */
function judge(chain: Chain, row: Float32Array, guess: Draft, at: number, random: Random): number {
  const p = probabilities(chain, row)
  const token = guess.tokens[at]!
  const q = guess.probs?.[at]
  const chance = q ? (q[token]! > 0 ? p[token]! / q[token]! : 0) : p[token]!
  if (random.next() < chance) return token
  for (let i = 0; i < p.length; i++) p[i] = q ? Math.max(0, p[i]! - q[i]!) : i === token ? 0 : p[i]!
  return drawn(p, random, token)
}

/** A token in proportion to its weight; `last` where none has any. */
function drawn(weights: Float32Array, random: Random, last: number = 0): number {
  let sum = 0
  for (const weight of weights) sum += weight
  const target = random.next() * sum
  let passed = 0
  let found = last
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue
    passed += weights[i]!
    found = i
    if (passed > target) break
  }
  return found
}

function requireDistribution(chain: Chain): void {
  const last = chain.stages[chain.stages.length - 1]?.name
  if (last === 'categorical' || last === 'greedy') return
  throw new StateError(
    'speculate',
    `a chain that ends in ${last}`,
    'categorical() or greedy() at its end',
    "Or use method 'match'.",
  )
}
