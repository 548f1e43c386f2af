/**
 * The three questions that lm-evaluation-harness asks of a model, with its rules for tokens (lm_eval 0.4,
 * api/model.py and models/huggingface.py), answered by a LLaMA on any device.
 */
import { fingerprint, generate, type Llama, type Picker, Session } from '@cria/llama'
import { EvaluationError } from './errors.js'
import type { ScoreRequest } from './pack.js'
import { rstrip } from './python.js'
import { checkLogits, Scorer, type ScorerOptions, type TokenScores } from './scorer.js'

/** What evaluation needs of a tokenizer; those of @cria/tokenizer are of this form. */
export interface TextTokenizer {
  /** Ids of a text. `bos` absent: what the tokenizer does by default. */
  encode(text: string, options?: { bos?: boolean; eos?: boolean; allowSpecial?: 'all' | 'none' }): ArrayLike<number>
  /** Text of ids. `skipSpecial` absent: special tokens are left out; false: written as they stand in text, `<s>`. */
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string
  readonly bosId?: number | undefined
  readonly eosId?: number | undefined
  readonly eosIds?: readonly number[]
  /** How many ids `decode` knows. Absent: as many as the model. */
  readonly vocabSize?: number
}

export interface LoglikelihoodRequest {
  readonly context: string
  readonly continuation: string
}

export interface Loglikelihood {
  /** Σ log p of the continuation's tokens, nats. */
  readonly logprob: number
  /** Every token of the continuation is the likeliest one. */
  readonly greedy: boolean
}

export interface GenerationOptions {
  /** Texts that end the generation; none of them is part of the result. */
  readonly until: readonly string[]
  /** Default 256 (lm-eval). */
  readonly maxTokens?: number
  /** Default 0: greedy. Above, the model needs a `sampler`. */
  readonly temperature?: number
  readonly topP?: number
}

export interface GenerateRequest extends GenerationOptions {
  readonly context: string
}

export interface AskOptions<Answer> {
  /** Called with each answer as soon as there is one, in any order, and awaited: what it keeps outlives an interruption. */
  readonly onAnswer?: (index: number, answer: Answer) => void | Promise<void>
  readonly signal?: AbortSignal
}

/** Anything that answers: a LLaMA here, or a model behind an API. */
export interface LanguageModel {
  loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    options?: AskOptions<Loglikelihood>,
  ): Promise<Loglikelihood[]>
  /** Σ log p of each whole text, nats. */
  loglikelihoodRolling(texts: readonly string[], options?: AskOptions<number>): Promise<number[]>
  generateUntil(requests: readonly GenerateRequest[], options?: AskOptions<string>): Promise<string[]>
  /**
   * What the requests of one run are kept under: equal keys have equal answers, also after the model has changed.
   * Undefined for a request that must not be kept.
   */
  cacheKeys?(requests: readonly AnyRequest[]): Promise<readonly (string | undefined)[]>
}

/** A request with its kind. */
export type AnyRequest =
  | ({ readonly kind: 'loglikelihood' } & LoglikelihoodRequest)
  | { readonly kind: 'loglikelihood_rolling'; readonly text: string }
  | ({ readonly kind: 'generate_until' } & GenerateRequest)

export interface LlamaLanguageModelOptions extends ScorerOptions {
  /** Tokens of a window, its prediction excluded. Default: the model's context. */
  readonly maxLength?: number
  /** What picks tokens where a request has a temperature: `options => chain(…)` of @cria/sampling. */
  readonly sampler?: (options: GenerationOptions) => Picker
}

/**
 * A LLaMA with its tokenizer as lm-eval sees a model.
 *
 * @example
 * using lm = new LlamaLanguageModel(model, tokenizer)
 * const [paris] = await lm.loglikelihood([{ context: 'The capital of France is', continuation: ' Paris' }])
 * paris.greedy // true, if the model knows it
 */
export class LlamaLanguageModel implements LanguageModel {
  private readonly scorer: Scorer
  private readonly maxLength: number
  private readonly sampler: LlamaLanguageModelOptions['sampler']
  private vocabulary: Promise<string> | undefined

  constructor(
    readonly model: Llama,
    readonly tokenizer: TextTokenizer,
    { maxLength = model.config.maxPositionEmbeddings, sampler, ...options }: LlamaLanguageModelOptions = {},
  ) {
    if (!Number.isSafeInteger(maxLength) || maxLength < 1)
      throw new EvaluationError(`language_model: got maxLength ${maxLength}, expected a whole number of tokens ≥ 1`, {
        op: 'language_model',
        got: maxLength,
      })
    this.scorer = new Scorer(model, options)
    this.maxLength = maxLength
    this.sampler = sampler
  }

  /** BOS, or EOS where there is none: what stands before a text that has nothing before it. */
  get prefixId(): number {
    const id = this.knownPrefix
    if (id === undefined)
      throw new EvaluationError(
        'language_model: got a tokenizer without BOS and EOS, expected one of them to stand before a text. Give every request a context',
        { op: 'language_model' },
      )
    return id
  }

  private get knownPrefix(): number | undefined {
    return this.tokenizer.bosId ?? this.tokenizer.eosId
  }

  async loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    { onAnswer, signal }: AskOptions<Loglikelihood> = {},
  ): Promise<Loglikelihood[]> {
    const answer = ({ logprobs, greedy }: TokenScores): Loglikelihood => ({
      logprob: total(logprobs),
      greedy: greedy.every(hit => hit === 1),
    })
    const scores = await this.scorer.score(
      requests.map(request => this.pair(request)),
      { ...(signal && { signal }), onRequest: (i, score) => onAnswer?.(i, answer(score)) },
    )
    return scores.map(answer)
  }

  async loglikelihoodRolling(
    texts: readonly string[],
    { onAnswer, signal }: AskOptions<number> = {},
  ): Promise<number[]> {
    const parts = texts.map(text => rollingWindows(this.encode(text), this.prefixId, this.maxLength))
    const owners = parts.flatMap((windows, text) => windows.map(() => text))
    const open = parts.map(windows => windows.length)
    const sums = texts.map(() => 0)
    await this.scorer.score(parts.flat(), {
      ...(signal && { signal }),
      onRequest: (i, { logprobs }) => {
        const text = owners[i]!
        sums[text]! += total(logprobs)
        open[text]!--
        return open[text] === 0 ? onAnswer?.(text, sums[text]!) : undefined
      },
    })
    return sums
  }

  async generateUntil(
    requests: readonly GenerateRequest[],
    { onAnswer, signal }: AskOptions<string> = {},
  ): Promise<string[]> {
    const out: string[] = []
    for (const [i, request] of requests.entries()) {
      signal?.throwIfAborted()
      out.push(await this.continue(request, signal))
      await onAnswer?.(i, out[i]!)
    }
    return out
  }

  /**
   * SHA-256 over the model, the backend and the tokens asked about, for a generation also over what makes text of
   * tokens; what is drawn at random is not kept.
   */
  async cacheKeys(requests: readonly AnyRequest[]): Promise<(string | undefined)[]> {
    const model = await fingerprint(this.model)
    return Promise.all(requests.map(request => this.cacheKey(model, request)))
  }

  private async cacheKey(model: string, request: AnyRequest): Promise<string | undefined> {
    if (request.kind === 'generate_until' && (request.temperature ?? 0) > 0) return undefined
    const asked =
      request.kind === 'loglikelihood'
        ? this.pair(request)
        : request.kind === 'loglikelihood_rolling'
          ? [this.prefixId, ...this.encode(request.text)]
          : [this.encode(request.context), request.until, request.maxTokens ?? 256, ...(await this.writing())]
    return sha256([model, this.model.device.name, request.kind, this.maxLength, asked])
  }

  /** What a generated text depends on beside its tokens: those that end it, and the text of each. */
  private async writing(): Promise<readonly unknown[]> {
    // Each twice: the first token of a text may lose its space.
    const texts = (): string[] => {
      const { vocabSize } = this.model.config
      const count = Math.min(vocabSize, this.tokenizer.vocabSize ?? vocabSize)
      return Array.from({ length: count }, (_, id) => this.tokenizer.decode([id, id]))
    }
    this.vocabulary ??= sha256(texts())
    return [this.stopIds, await this.vocabulary]
  }

  private get stopIds(): readonly number[] {
    return this.tokenizer.eosIds ?? (this.tokenizer.eosId === undefined ? [] : [this.tokenizer.eosId])
  }

  /**
   * The tokens of a pair (`_encode_pair`): spaces that end the context belong to the continuation; the whole is encoded
   * and what follows as many tokens as the context has is the continuation; without a context, the prefix token stands before.
   */
  pair({ context, continuation }: LoglikelihoodRequest): ScoreRequest {
    const bare = rstrip(context)
    // A context of nothing but space has no tokens of its own; lm-eval fails there.
    if (bare === '') {
      const ids = this.idsOf(context + continuation, false)
      const rest = ids[0] === this.prefixId ? ids.slice(1) : ids
      return this.cut([this.prefixId, ...rest], 1, continuation)
    }
    const own = this.encode(bare)
    // Where the two grow together into other tokens, the context keeps its own.
    const rest = this.encode(context + continuation).slice(own.length)
    return this.cut([...own, ...rest], own.length, continuation)
  }

  /** Keeps the end of what is too long. */
  private cut(tokens: number[], from: number, continuation: string): ScoreRequest {
    if (from >= tokens.length)
      throw new EvaluationError(
        `loglikelihood: got the continuation ${JSON.stringify(continuation)}, which adds no token to its context, expected at least one`,
        { op: 'loglikelihood', got: continuation },
      )
    if (tokens.length - from > this.maxLength)
      throw new EvaluationError(
        `loglikelihood: got a continuation of ${tokens.length - from} tokens, expected at most ${this.maxLength}, the model's window. Use loglikelihoodRolling for long texts`,
        { op: 'loglikelihood', got: tokens.length - from, expected: this.maxLength },
      )
    const drop = Math.max(0, tokens.length - this.maxLength - 1)
    return { tokens: tokens.slice(drop), from: from - drop }
  }

  /** Tokens of a text, with BOS where the tokenizer puts it, but not where the text has it already (`has_bos_prefix`). */
  private encode(text: string): number[] {
    const prefix = this.knownPrefix
    const written = prefix === undefined ? '' : this.tokenizer.decode([prefix], { skipSpecial: false })
    return this.idsOf(text, written !== '' && text.startsWith(written) ? false : undefined)
  }

  private idsOf(text: string, bos: boolean | undefined): number[] {
    return Array.from(
      this.tokenizer.encode(text, { eos: false, allowSpecial: 'all', ...(bos !== undefined && { bos }) }),
    )
  }

  private async continue(request: GenerateRequest, signal?: AbortSignal): Promise<string> {
    const { context, until, maxTokens = 256, temperature = 0 } = request
    if (maxTokens >= this.maxLength)
      throw new EvaluationError(
        `generate_until: got maxTokens ${maxTokens}, expected less than the model's window of ${this.maxLength}`,
        { op: 'generate_until', got: maxTokens, expected: this.maxLength },
      )
    const encoded = this.encode(context)
    const prompt = encoded.length > 0 ? encoded.slice(-(this.maxLength - maxTokens)) : [this.prefixId]
    const sampler = ofNumbers(temperature > 0 ? this.samplerFor(request) : greedy)
    using session = new Session(this.model, { capacity: prompt.length + maxTokens })
    const ids: number[] = []
    const stop = this.stopIds
    const ends = until.filter(text => text !== '')
    for await (const event of generate(session, { prompt, sampler, maxTokens, stop, ...(signal && { signal }) })) {
      if (event.type !== 'token') continue
      ids.push(event.token)
      const text = this.tokenizer.decode(ids)
      if (ends.some(end => text.includes(end))) return beforeAny(text, ends)
    }
    signal?.throwIfAborted()
    return beforeAny(this.tokenizer.decode(ids), ends)
  }

  private samplerFor(request: GenerationOptions): Picker {
    if (this.sampler) return this.sampler(request)
    throw new EvaluationError(
      `generate_until: got temperature ${request.temperature} and no sampler, expected one. Pass { sampler } when making the language model`,
      { op: 'generate_until', got: request.temperature },
    )
  }

  /** Frees the plans, not the model. */
  dispose(): void {
    this.scorer.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

const greedy: Picker = { sample: logits => logits.reduce((best, x, i) => (x > logits[best]! ? i : best), 0) }

/** A picker that is never asked to pick from what damaged weights give. */
const ofNumbers = (picker: Picker): Picker => ({
  sample(logits) {
    checkLogits('generate_until', logits)
    return picker.sample(logits)
  },
  accept: token => picker.accept?.(token),
})

async function sha256(value: unknown): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(value)))
  return Array.from(new Uint8Array(digest), b => b.toString(16).padStart(2, '0')).join('')
}

const total = (logprobs: Float32Array): number => logprobs.reduce((sum, p) => sum + p, 0)

const beforeAny = (text: string, ends: readonly string[]): string =>
  ends.reduce((kept, end) => kept.split(end)[0]!, text)

/**
 * Windows over a text of any length (`get_rolling_token_windows` with one token of context, made disjoint): the first
 * begins with the prefix token, each later one with the last token of the one before; the last one keeps as much
 * context as the window holds. Every token is scored exactly once.
 */
export function rollingWindows(tokens: readonly number[], prefix: number, maxLength: number): ScoreRequest[] {
  const all = [prefix, ...tokens]
  const out: ScoreRequest[] = []
  for (let done = 0; done < tokens.length; ) {
    const count = Math.min(maxLength, tokens.length - done)
    const end = done + count + 1
    // All but the first window reach back as far as they can.
    const begin = done === 0 ? 0 : Math.max(0, end - maxLength - 1)
    out.push({ tokens: all.slice(begin, end), from: end - count - begin })
    done += count
  }
  return out
}
