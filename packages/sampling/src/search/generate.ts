/** Plain generation: a chain picks, token by token. */
import type { Chain } from '../chain.js'
import { ParameterError } from '../errors.js'
import { integer } from '../lib/check.js'
import { endSet, lastRow, type ModelState } from './model.js'

export interface GenerateOptions {
  /** Ends in a stage that picks; `greedy()` for the likeliest text, `categorical()` to draw. Fed the prompt here. */
  chain: Chain
  maxTokens: number
  /** Tokens that end the text; the one that did is the last of the result. */
  eos?: number | Iterable<number>
  /** Told of every token as it is chosen, the end token too; awaited. */
  onToken?: (token: number) => void | Promise<void>
  /** Asked after every token, with all that were generated: true ends the text. */
  stopWhen?: (tokens: readonly number[]) => boolean
  signal?: AbortSignal
}

export interface Generated {
  readonly tokens: readonly number[]
  /** The text ended by an end token, not by `maxTokens` or `stopWhen`. */
  readonly ended: boolean
}

/**
 * @example
 * const { tokens } = await generate(model, [1, 15043], { chain: chain(greedy()), maxTokens: 64, eos: 2 })
 */
export async function generate(
  model: ModelState,
  prompt: readonly number[],
  options: GenerateOptions,
): Promise<Generated> {
  const { chain, maxTokens, eos, onToken, stopWhen, signal } = options
  start('generate', prompt, maxTokens)
  const ends = endSet('generate', eos)
  chain.prompt(prompt)
  const tokens: number[] = []
  let row = await lastRow(model, prompt)
  while (tokens.length < maxTokens) {
    signal?.throwIfAborted()
    const token = chain.sample(row)
    chain.accept(token)
    tokens.push(token)
    await onToken?.(token)
    if (ends.has(token)) return { tokens, ended: true }
    if (stopWhen?.(tokens)) break
    if (tokens.length < maxTokens) row = await lastRow(model, [token])
  }
  return { tokens, ended: false }
}

export function start(op: string, prompt: readonly number[], maxTokens: number): void {
  if (prompt.length === 0) throw new ParameterError(op, 'prompt', prompt, 'at least one token', 'Begin with BOS.')
  integer(op, 'maxTokens', maxTokens, 1)
}
