/** Generation as an async iterator of typed events. What picks a token is an argument; text is the tokenizer's matter. */
import { ArgumentError } from '@cria/tensor'
import type { Session } from './session.js'

/** What picks tokens: `chain(...)` of @cria/sampling, or anything of this form. */
export interface Picker {
  /** Damaged weights give NaN, which `chain` refuses in its pass over the logits; another picker sees to it itself. */
  sample(logits: Float32Array): number
  accept?(token: number): void
}

export interface GenerateOptions {
  /** Tokens to start with; appended to what the session holds. */
  readonly prompt: ArrayLike<number>
  readonly sampler: Picker
  /** Default: until the cache is full. */
  readonly maxTokens?: number
  /** Tokens that end the text (EOS and its kin); they are not part of it. */
  readonly stop?: Iterable<number>
  readonly signal?: AbortSignal
}

export type GenerateEvent =
  /** The prompt has been evaluated. */
  | { readonly type: 'prompt'; readonly tokens: number; readonly seconds: number }
  | { readonly type: 'token'; readonly token: number; readonly index: number }
  /** `reason`: a stop token, the limit, a full cache, or the signal. */
  | {
      readonly type: 'done'
      readonly reason: 'stop' | 'length' | 'capacity' | 'abort'
      readonly tokens: number
      readonly seconds: number
    }

/**
 * @example
 * for await (const event of generate(session, { prompt: ids, sampler: chain(greedy()) })) {
 *   if (event.type === 'token') process.stdout.write(decoder.push(event.token))
 * }
 * @throws ArgumentError for limits that cannot be.
 */
export async function* generate(
  session: Session,
  { prompt, sampler, maxTokens = Number.POSITIVE_INFINITY, stop = [], signal }: GenerateOptions,
): AsyncGenerator<GenerateEvent, void, void> {
  if (!(maxTokens === Number.POSITIVE_INFINITY || (Number.isInteger(maxTokens) && maxTokens >= 0)))
    throw new ArgumentError(`generate: got maxTokens ${maxTokens}, expected a whole number ≥ 0 or Infinity`, {
      op: 'generate',
      got: maxTokens,
    })
  const ends = new Set(stop)
  const begin = now()
  const aborted = (): boolean => signal?.aborted ?? false
  let made = 0
  let since = begin
  const done = (reason: 'stop' | 'length' | 'capacity' | 'abort'): GenerateEvent => ({
    type: 'done',
    reason,
    tokens: made,
    seconds: now() - since,
  })

  let logits: Float32Array
  try {
    logits = await session.evaluate(prompt, signal && { signal })
  } catch (error) {
    if (!aborted()) throw error
    yield done('abort')
    return
  }
  since = now()
  yield { type: 'prompt', tokens: prompt.length, seconds: since - begin }
  while (made < maxTokens) {
    if (aborted()) return yield done('abort')
    const token = sampler.sample(logits)
    sampler.accept?.(token)
    if (ends.has(token)) return yield done('stop')
    made++
    yield { type: 'token', token, index: made - 1 }
    if (made >= maxTokens) break
    if (session.length >= session.cache.capacity) return yield done('capacity')
    if (aborted()) return yield done('abort')
    logits = await session.evaluate([token])
  }
  yield done('length')
}

const now = (): number => performance.now() / 1000
