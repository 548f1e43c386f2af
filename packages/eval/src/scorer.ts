/**
 * Scoring: log-probabilities of given tokens at prefill speed. Logits live on the device, some rows at a time; what
 * comes back is two numbers a token.
 */
import type { Llama } from '@cria/llama'
import { argmax, crossEntropy, DisposedError, neg, type Plan, plan, slice, type Tensor } from '@cria/tensor'
import { EvaluationError } from './errors.js'
import { type PackSpecs, scoredHidden, sizeOf, specsOf, valuesOf } from './forward.js'
import { type Pack, packs, type ScoreRequest } from './pack.js'

/** What a model says of the scored tokens of one request. */
export interface TokenScores {
  /** log p(token | tokens before it), nats. */
  readonly logprobs: Float32Array
  /** 1 where the token is the likeliest, else 0. */
  readonly greedy: Uint8Array
}

export interface ScorerOptions {
  /** Tokens evaluated at once. Default 512, as llama.cpp's ubatch. A longer sequence is one pass of its own. */
  readonly batch?: number
  /** Rows whose logits exist at one time. Default 128. */
  readonly rowsAtOnce?: number
}

export interface ScoreOptions {
  readonly onScored?: (tokens: number) => void
  readonly onRequest?: (index: number, scores: TokenScores) => void | Promise<void>
  readonly signal?: AbortSignal
}

type Scores = readonly { readonly logprobs: Tensor; readonly best: Tensor }[]

/**
 * Scores tokens with a model; keeps the plans it made, so use one for many calls.
 *
 * @example
 * using scorer = new Scorer(model)
 * const [{ logprobs }] = await scorer.score([{ tokens: [1, 306, 4658, 373], from: 1 }]) // of 306, 4658 and 373
 */
export class Scorer {
  private readonly plans = new Map<string, Plan<PackSpecs, Scores>>()
  private readonly batch: number
  private readonly rowsAtOnce: number
  private disposed = false

  constructor(
    readonly model: Llama,
    { batch = 512, rowsAtOnce = 128 }: ScorerOptions = {},
  ) {
    checkSizes('scorer', { batch, rowsAtOnce })
    this.batch = batch
    this.rowsAtOnce = rowsAtOnce
  }

  /**
   * Scores of each request, in their order. Requests are packed together and equal prefixes are evaluated once, so
   * give many at a time.
   *
   * @param onScored called with the number of tokens scored so far, after each pass.
   * @param onRequest called, and awaited, with the scores of each request as soon as they are there, in any order.
   * @throws EvaluationError for a request without a token to score, ids outside the vocabulary, or a model that gives
   * no numbers.
   */
  async score(
    requests: readonly ScoreRequest[],
    { onScored, onRequest, signal }: ScoreOptions = {},
  ): Promise<TokenScores[]> {
    if (this.disposed)
      throw new DisposedError('scorer: got score() after dispose(), expected a live scorer', { op: 'scorer' })
    for (const request of requests) checkRequest(request, this.model.config.vocabSize)
    const out = requests.map(({ tokens, from }) => ({
      logprobs: new Float32Array(tokens.length - from),
      greedy: new Uint8Array(tokens.length - from),
    }))
    let done = 0
    for (const pack of packs(requests, { batch: this.batch, join: !this.model.model._rotary.byLength })) {
      signal?.throwIfAborted()
      const longest = pack.owners.reduce((n, { request }) => Math.max(n, requests[request]!.tokens.length), 0)
      const scores = await this.plan(pack).run(valuesOf(pack, [this.model], longest))
      for (const [part, { logprobs, best }] of scores.entries()) {
        const values = (await logprobs.data()) as Float32Array
        const likeliest = (await best.data()) as Int32Array
        for (let i = 0; i < values.length; i++) {
          const row = part * this.rowsAtOnce + i
          const owner = pack.owners[row]
          if (owner === undefined) break
          checkNumber('score', values[i]!)
          out[owner.request]!.logprobs[owner.at] = values[i]!
          out[owner.request]!.greedy[owner.at] = likeliest[i] === pack.targets[row] ? 1 : 0
        }
      }
      done += pack.owners.length
      onScored?.(done)
      // A request is never split: its tokens are all of this pass.
      if (onRequest) for (const i of new Set(pack.owners.map(({ request }) => request))) await onRequest(i, out[i]!)
    }
    return out
  }

  private plan(pack: Pack): Plan<PackSpecs, Scores> {
    const key = sizeOf(pack)
    let made = this.plans.get(key)
    if (made === undefined) {
      const { model, rowsAtOnce } = this
      made = plan(
        model.device,
        specsOf(pack, [model]),
        inputs => {
          const hidden = scoredHidden([model], 0, inputs, pack.keys !== undefined)
          return chunks(hidden.shape[0]!, rowsAtOnce).map(([from, to]) => {
            const logits = model.logits(slice(hidden, 0, from, to))
            const targets = slice(inputs.targets, 0, from, to)
            return { logprobs: neg(crossEntropy(logits, targets, { reduction: 'none' })), best: argmax(logits) }
          })
        },
        { name: `score of ${key}` },
      )
      this.plans.set(key, made)
    }
    return made
  }

  /** Frees the plans, not the model. */
  dispose(): void {
    this.disposed = true
    for (const made of this.plans.values()) made.dispose()
    this.plans.clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** [from, to) in steps of at most `size`. */
export const chunks = (n: number, size: number): (readonly [number, number])[] =>
  Array.from({ length: Math.ceil(n / size) }, (_, i) => [i * size, Math.min(n, (i + 1) * size)] as const)

export function checkSizes(op: string, sizes: Required<ScorerOptions>): void {
  for (const [name, n] of Object.entries(sizes))
    if (!Number.isSafeInteger(n) || n < 1)
      throw new EvaluationError(`${op}: got ${name} ${n}, expected a whole number ≥ 1`, { op, got: n })
}

/** Damaged weights give NaN, which sums and shares would carry on as if it were a result. */
export function checkNumber(op: string, logprob: number): void {
  if (!Number.isFinite(logprob))
    throw new EvaluationError(
      `${op}: got a log-probability of ${logprob} from the model, expected a number. Check that the weights are whole`,
      { op, got: logprob },
    )
}

/** The same of logits: the largest of them would be picked as if it were one. */
export function checkLogits(op: string, logits: Float32Array): void {
  for (const x of logits)
    if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY)
      throw new EvaluationError(
        `${op}: got a logit of ${x} from the model, expected a number. Check that the weights are whole`,
        { op, got: x },
      )
}

export function checkRequest({ tokens, from }: ScoreRequest, vocabSize: number): void {
  if (!Number.isInteger(from) || from < 1 || from >= tokens.length)
    throw new EvaluationError(
      `score: got from ${from} for ${tokens.length} tokens, expected 1 … ${tokens.length - 1}. A token is scored given at least one before it`,
      { op: 'score', got: from, expected: tokens.length - 1 },
    )
  for (let i = 0; i < tokens.length; i++) {
    const id = tokens[i]!
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
      throw new EvaluationError(
        `score: got token ${id} at ${i}, expected 0 … ${vocabSize - 1}. Is this the model's tokenizer?`,
        { op: 'score', got: id, expected: vocabSize },
      )
  }
}
