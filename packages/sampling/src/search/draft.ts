/** Where the guesses of speculative decoding come from: a smaller model, or the text itself. */
import type { Chain } from '../chain.js'
import { integer } from '../lib/check.js'
import type { ModelState } from './model.js'

export interface Draft {
  readonly tokens: readonly number[]
  /** Per token the distribution it was drawn from (f32, one per token of the vocabulary); none: the token was certain. */
  readonly probs?: readonly Float32Array[]
}

export interface DraftSource {
  /** Guesses up to `count` tokens that may follow all tokens so far. None is a fine answer. */
  propose(tokens: readonly number[], count: number): Draft | Promise<Draft>
}

export interface PromptLookupOptions {
  /** Longest ending of the text that is looked up. HF `max_matching_ngram_size` 2; vLLM `prompt_lookup_max`. */
  maxNgram?: number
  /** Shortest. */
  minNgram?: number
}

/**
 * Prompt lookup (Saxena 2023): what followed the last time that the text ended like this. Free, and good where the
 * output repeats the input: edits, summaries, code. Where guesses keep failing it holds back for a while, longer after
 * each failure, so that a text without repetition costs little.
 *
 * @example
 * await speculate(model, prompt, { draft: promptLookup(), chain: chain(greedy()), maxTokens: 100 })
 */
export function promptLookup({ maxNgram = 3, minNgram = 1 }: PromptLookupOptions = {}): DraftSource {
  integer('promptLookup', 'minNgram', minNgram, 1)
  integer('promptLookup', 'maxNgram', maxNgram, minNgram)
  let last: { readonly at: number; readonly tokens: readonly number[] } | undefined
  let failures = 0
  let quietUntil = 0
  let seen = 0
  return {
    propose(tokens, count) {
      const end = tokens.length
      if (end <= seen) {
        // another text
        failures = 0
        quietUntil = 0
      } else if (last) {
        failures = tokens[last.at] === last.tokens[0] ? 0 : Math.min(failures + 1, MOST_FAILURES)
        if (failures > 1) quietUntil = end + 2 ** failures
      }
      last = undefined
      seen = end
      if (end < quietUntil) return { tokens: [] }
      for (let n = Math.min(maxNgram, end - 1); n >= minNgram; n--) {
        for (let at = end - n - 1; at >= 0; at--) {
          let i = 0
          while (i < n && tokens[at + i] === tokens[end - n + i]) i++
          if (i < n) continue
          last = { at: end, tokens: tokens.slice(at + n, at + n + count) }
          return last
        }
      }
      return { tokens: [] }
    },
  }
}

/** After so many failures in a row the pause (2 to the power of it, in tokens) grows no more. */
const MOST_FAILURES = 5

/**
 * A smaller model of the same vocabulary. Without a chain it guesses its likeliest token; with one that ends in
 * `categorical()` it draws, and `speculate({ method: 'rejection' })` uses the distributions. The chain is not told of
 * tokens, since guesses may be taken back: leave penalties to the chain of the target.
 */
export function draftModel(model: ModelState, chain?: Chain): DraftSource {
  let fed: number[] = []
  return {
    async propose(tokens, count) {
      let common = 0
      // at least one token must be new, to get logits from
      while (common < fed.length && common < tokens.length - 1 && fed[common] === tokens[common]) common++
      if (common < fed.length) model.truncate(common)
      const rows = await model.extend(tokens.slice(common))
      fed = [...tokens]
      let row = rows[rows.length - 1]!
      const drafted: number[] = []
      const probs: Float32Array[] = []
      while (drafted.length < count) {
        const token = chain ? chain.sample(row) : argmax(row)
        if (chain) probs.push(distribution(chain, row.length))
        drafted.push(token)
        if (drafted.length === count) break
        row = (await model.extend([token]))[0]!
        fed.push(token)
      }
      return chain ? { tokens: drafted, probs } : { tokens: drafted }
    },
  }
}

/** What the last sample of a chain was drawn from, per token of the vocabulary. */
export function distribution(chain: Chain, size: number): Float32Array {
  const { ids, probs, size: left, selected } = chain.candidates
  const all = new Float32Array(size)
  if (chain.stages[chain.stages.length - 1]?.name === 'greedy') all[ids[selected]!] = 1
  else for (let i = 0; i < left; i++) all[ids[i]!] = probs[i]!
  return all
}

function argmax(row: Float32Array): number {
  let best = 0
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i
  return best
}
