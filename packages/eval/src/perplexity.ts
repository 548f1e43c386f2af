/** Perplexity of a text: windows without overlap, the first token of each unscored. */
import type { Llama } from '@cria/llama'
import { EvaluationError } from './errors.js'
import { Scorer, type ScorerOptions } from './scorer.js'

export interface PerplexityOptions extends ScorerOptions {
  /** Tokens of a window. Default 512 (llama.cpp's perplexity), or the model's context where that is shorter. */
  readonly context?: number
  /** Bytes of UTF-8 of the whole text, for `bitsPerByte`. */
  readonly bytes?: number
  readonly onProgress?: (scored: number, total: number) => void
  readonly signal?: AbortSignal
}

export interface Perplexity {
  /** Tokens of the text. */
  readonly tokens: number
  /** Tokens scored: all but the first of each window. */
  readonly scored: number
  /** Mean of −ln p over the scored tokens, nats. */
  readonly nll: number
  /** e^nll. */
  readonly perplexity: number
  /**
   * Σ −log₂ p over the scored tokens ÷ bytes of the whole text (lm-eval's definition). The unscored first tokens cost
   * nothing, so it is low by about 1 / context. NaN where `bytes` was not given.
   */
  readonly bitsPerByte: number
}

/**
 * Cuts tokens into windows of `context`, scores each token of a window given those before it in the same window, and
 * sums up. Nothing is added to the text: no BOS. The last window counts though it is shorter; a window of one token
 * scores nothing.
 *
 * @example
 * const { perplexity } = await measurePerplexity(model, tokenizer.encode(text, { bos: false }), { context: 256 })
 * @throws EvaluationError for fewer than two tokens, ids outside the vocabulary, a window shorter than two, `bytes` that
 * are no count, or a model that gives no numbers.
 */
export async function measurePerplexity(
  model: Llama,
  tokens: ArrayLike<number>,
  { context, bytes, onProgress, signal, ...options }: PerplexityOptions = {},
): Promise<Perplexity> {
  const cut = windows(tokens, context ?? defaultContext(model), bytes)
  const total = scoredIn(cut)
  using scorer = new Scorer(model, options)
  const scores = await scorer.score(
    cut.map(window => ({ tokens: window, from: 1 })),
    { ...(signal && { signal }), onScored: n => onProgress?.(n, total) },
  )
  let sum = 0
  for (const { logprobs } of scores) for (const p of logprobs) sum -= p
  return summarise(tokens.length, total, sum, bytes)
}

export const defaultContext = (model: Llama): number => Math.min(512, model.config.maxPositionEmbeddings)

/** Windows with at least one token to score, of a text of so many bytes where that is known. */
export function windows(tokens: ArrayLike<number>, context: number, bytes?: number): number[][] {
  if (!Number.isSafeInteger(context) || context < 2)
    throw new EvaluationError(`perplexity: got context ${context}, expected a whole number of tokens ≥ 2`, {
      op: 'perplexity',
      got: context,
    })
  if (tokens.length < 2)
    throw new EvaluationError(
      `perplexity: got ${tokens.length} tokens, expected at least 2. The first token of a window is not scored`,
      { op: 'perplexity', got: tokens.length },
    )
  if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes > 0))
    throw new EvaluationError(`perplexity: got bytes ${bytes}, expected a whole number ≥ 1`, {
      op: 'perplexity',
      got: bytes,
    })
  const all = Array.from(tokens)
  const out: number[][] = []
  for (let at = 0; at + 1 < all.length; at += context) out.push(all.slice(at, at + context))
  return out
}

export const scoredIn = (cut: readonly (readonly number[])[]): number =>
  cut.reduce((n, window) => n + window.length - 1, 0)

/** From the sum of nats to what people read. */
export function summarise(tokens: number, scored: number, sum: number, bytes: number = Number.NaN): Perplexity {
  const nll = sum / scored
  return { tokens, scored, nll, perplexity: Math.exp(nll), bitsPerByte: sum / Math.LN2 / bytes }
}
