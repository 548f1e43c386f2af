/**
 * A session: a model, a cache and the plans that connect them. It evaluates tokens (prompt or one by one through the
 * same plans), can be forked, cut back, saved and restored, and generates.
 */
import {
  ArgumentError,
  CriaError,
  DeviceError,
  DisposedError,
  f32,
  gather,
  i32,
  logSoftmax,
  type Plan,
  type Spec,
  type Tensor,
  type Traced,
  tracePlan,
} from '@cria/tensor'
import { type CacheOptions, KVCache } from './cache.js'
import type { Llama } from './llama.js'

type StepInputs = Readonly<Record<'tokens' | 'positions' | 'last', Spec> & { frequencies?: Spec }>
type StepPlan = Plan<StepInputs, Tensor>

/** Logits after the last token or after all of them, or the hidden states of all. */
type StepResult = 'last' | 'all' | 'hidden'

/** A call on a session where another is under way: both would write the same rows of the cache. */
export class BusyError extends CriaError {
  constructor(got: string, running: string) {
    super(
      'busy',
      `session: got ${got}() while ${running}() runs, expected one call at a time. Await the first, or fork() beforehand`,
      { op: got, got, expected: `the end of ${running}()` },
    )
  }
}

/** What a session and its forks have in common: the traces, which each of them binds to its own cache. */
interface Family {
  readonly traces: Map<string, Traced<StepInputs, Tensor>>
  sessions: number
}

export interface SessionOptions extends Partial<CacheOptions> {
  /** Longest run of prompt tokens evaluated at once. Default 512 (llama.cpp's ubatch). */
  readonly batch?: number
}

/** Lengths that plans are made for, largest first. */
const lengths = (batch: number): readonly number[] =>
  [batch, batch >> 2, batch >> 4, batch >> 6, 1].filter((n, i, all) => n >= 1 && all.indexOf(n) === i)

/**
 * How much of what is left of a prompt the next plan takes: the largest length that fits, or a larger one that is padded
 * by a fifth at most, where the cache has `room` for that. 31 tokens in small pieces take three times as long as 32.
 */
function nextLength(batch: number, left: number, room: number): number {
  return lengths(batch).filter(n => n <= 1.25 * left && n <= Math.max(left, room))[0]!
}

export class Session {
  readonly cache: KVCache
  /** The tokens evaluated so far, in order. */
  private history: number[] = []
  private readonly plans = new Map<string, StepPlan>()
  private readonly batch: number
  private family: Family = { traces: new Map(), sessions: 1 }
  private disposed = false
  /** The call under way. */
  private running: string | undefined
  /** When the event loop last had a turn, in ms. */
  private turned = performance.now()

  /**
   * @example
   * const session = new Session(model, { capacity: 512 })
   * const logits = await session.evaluate([1, 306, 4658]) // of the next token
   */
  constructor(
    readonly model: Llama,
    options: SessionOptions = {},
    cache?: KVCache,
  ) {
    const { capacity = model.config.maxPositionEmbeddings, dtype, batch = 512 } = options
    if (!Number.isSafeInteger(batch) || batch < 1)
      throw new ArgumentError(`session: got batch ${batch}, expected a whole number ≥ 1`, { op: 'session', got: batch })
    this.batch = Math.min(batch, capacity)
    this.cache = cache ?? new KVCache(model.device, model.config, { capacity, ...(dtype && { dtype }) })
  }

  get length(): number {
    return this.cache.length
  }

  get tokens(): readonly number[] {
    return this.history
  }

  /**
   * Appends tokens and returns the logits (f32 [vocab]) that follow the last one. The array is the plan's own: copy
   * it to keep it beyond the next call.
   *
   * @throws ArgumentError for no tokens, ids outside the vocabulary, or more than the cache holds; BusyError, as every
   * call on a session, while another is under way.
   */
  async evaluate(tokens: ArrayLike<number>, { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array> {
    return this.alone('evaluate', () => this.next(tokens, signal))
  }

  private async next(tokens: ArrayLike<number>, signal?: AbortSignal): Promise<Float32Array> {
    let out: Tensor | undefined
    await this.feed(tokens, signal, async (step, _, last) => {
      if (last) out = step
    })
    return (await out!.data()) as Float32Array
  }

  /** Appends tokens and returns the logits of every one: f32 [T, vocab], row t following token t. */
  async evaluateAll(tokens: ArrayLike<number>): Promise<Float32Array> {
    return this.alone('evaluateAll', () => this.every(tokens, 'all', this.model.config.vocabSize))
  }

  /** Appends tokens and returns what the last norm makes of every one: f32 [T, hiddenSize]. `logitsOf` goes on from it. */
  async evaluateHidden(tokens: ArrayLike<number>): Promise<Float32Array> {
    return this.alone('evaluateHidden', () => this.every(tokens, 'hidden', this.model.config.hiddenSize))
  }

  /** Appends tokens; a row of `width` for each. */
  private async every(tokens: ArrayLike<number>, result: 'all' | 'hidden', width: number): Promise<Float32Array> {
    const rows = new Float32Array(tokens.length * width)
    let at = 0
    const take = async (step: Tensor, count: number): Promise<void> => {
      rows.set(((await step.data()) as Float32Array).subarray(0, count * width), at * width)
      at += count
    }
    await this.feed(tokens, undefined, take, result)
    return rows
  }

  /** The logits (f32 [vocab]) that follow from one row of `evaluateHidden`. */
  async logitsOf(hidden: Float32Array): Promise<Float32Array> {
    const { device, config } = this.model
    if (hidden.length !== config.hiddenSize)
      throw new ArgumentError(`session: got a row of ${hidden.length}, expected hiddenSize = ${config.hiddenSize}`, {
        op: 'logitsOf',
        got: hidden.length,
        expected: config.hiddenSize,
      })
    const y = device.scope(() => this.model.logits(device.tensor(hidden, [1, config.hiddenSize])))
    try {
      return (await y.data()) as Float32Array
    } finally {
      y.dispose()
    }
  }

  /**
   * Log-probabilities of the next token after `tokens`: log softmax of raw logits in f32.
   *
   * @throws DeviceError for logits that are not numbers, which damaged weights give.
   */
  async logProbs(tokens: ArrayLike<number>): Promise<Float32Array> {
    return this.alone('logProbs', async () => this.logSoftmax(await this.next(tokens)))
  }

  private async logSoftmax(logits: Float32Array): Promise<Float32Array> {
    if (logits.some(Number.isNaN))
      throw new DeviceError('session: got NaN among the logits, expected numbers. Check that the weights are whole', {
        op: 'session',
      })
    const { device } = this.model
    const y = device.scope(() => logSoftmax(device.tensor(logits)))
    try {
      return (await y.data()) as Float32Array
    } finally {
      y.dispose()
    }
  }

  /** @internal Does what no other call may come between. */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.checkIdle(name)
    this.running = name
    try {
      return await work()
    } finally {
      this.running = undefined
    }
  }

  private checkIdle(name: string): void {
    if (this.running !== undefined) throw new BusyError(name, this.running)
  }

  private async feed(
    tokens: ArrayLike<number>,
    signal: AbortSignal | undefined,
    take: (step: Tensor, count: number, last: boolean) => Promise<void>,
    result: StepResult = 'last',
  ): Promise<void> {
    if (this.disposed)
      throw new DisposedError('session: got evaluate() after dispose(), expected a live session', { op: 'session' })
    this.check(tokens)
    const { _rotary: rotary } = this.model.model
    const frequencies = rotary.byLength ? rotary.frequencies(this.cache.length + tokens.length) : undefined
    let at = 0
    while (at < tokens.length) {
      signal?.throwIfAborted()
      const left = tokens.length - at
      const start = this.cache.length
      const size = nextLength(this.batch, left, this.cache.capacity - start)
      const count = Math.min(size, left)
      const step = await this.plan(size, result).run({
        // Padding is written behind the text, where no token sees it and the next step overwrites it.
        tokens: Int32Array.from({ length: size }, (_, i) => tokens[at + i] ?? 0),
        positions: Int32Array.from({ length: size }, (_, i) => start + i),
        last: [count - 1],
        ...(frequencies && { frequencies }),
      })
      this.cache.advance(count)
      for (let i = 0; i < count; i++) this.history.push(tokens[at + i]!)
      at += count
      await take(step, count, at === tokens.length)
      // Steps of a small model end without waiting: signals, timers and requests must go on while they follow each other.
      if (performance.now() - this.turned > 10) {
        await eventLoopTurn()
        this.turned = performance.now()
      }
    }
  }

  private check(tokens: ArrayLike<number>): void {
    const { vocabSize } = this.model.config
    if (tokens.length === 0)
      throw new ArgumentError('session: got no tokens, expected at least one. Begin with the BOS token', {
        op: 'session',
      })
    for (let i = 0; i < tokens.length; i++) {
      const id = tokens[i]!
      if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
        throw new ArgumentError(
          `session: got token ${id} at ${i}, expected 0 … ${vocabSize - 1}. Is this the model's tokenizer?`,
          { op: 'session', got: id, expected: vocabSize },
        )
    }
    if (this.cache.length + tokens.length > this.cache.capacity) {
      throw new ArgumentError(
        `session: got ${tokens.length} tokens after ${this.cache.length}, expected at most ${this.cache.capacity} together. Open the session with a larger capacity`,
        { op: 'session' },
      )
    }
  }

  /** One plan for each length of step and what it returns. */
  plan(size: number, result: StepResult = 'last'): StepPlan {
    const key = `${size} ${result}`
    let made = this.plans.get(key)
    if (made === undefined) {
      const { traces } = this.family
      const traced = traces.get(key) ?? this.trace(size, result)
      traces.set(key, traced)
      made = traced.bind(this.cache.state)
      this.plans.set(key, made)
    }
    return made
  }

  private trace(size: number, result: StepResult): Traced<StepInputs, Tensor> {
    const { model } = this.model
    const inputs: StepInputs = {
      tokens: i32([size]),
      positions: i32([size]),
      last: i32([1]),
      ...(model._rotary.byLength && { frequencies: f32(model._rotary._frequencies.shape) }),
    }
    return tracePlan(
      this.model.device,
      inputs,
      ({ tokens, last, ...step }) => {
        const hidden = model.forward(tokens, { ...step, cache: this.cache })
        if (result === 'hidden') return hidden
        return this.model.logits(result === 'all' || size === 1 ? hidden : gather(hidden, last))
      },
      { name: `llama step of ${size}`, state: this.cache.state },
    )
  }

  /** Forgets everything after the first `length` tokens. */
  truncate(length: number): void {
    this.checkIdle('truncate')
    this.cache.truncate(length)
    this.history.length = length
  }

  /** A second session that starts where this one stands, with the same plans on a cache of its own. */
  async fork(): Promise<Session> {
    const cache = await this.alone('fork', () => this.cache.fork())
    const copy = new Session(this.model, { batch: this.batch, capacity: this.cache.capacity }, cache)
    copy.history = [...this.history]
    copy.family = this.family
    this.family.sessions++
    return copy
  }

  /** @internal Takes over a restored cache's tokens. */
  adopt(tokens: readonly number[]): void {
    this.history = [...tokens]
  }

  /** Frees the cache and the plans, not the model. */
  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    for (const p of this.plans.values()) p.dispose()
    if (--this.family.sessions === 0) {
      for (const t of this.family.traces.values()) t.dispose()
      this.family.traces.clear()
    }
    this.cache.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Resolves after whatever waits in the event loop. A message, since browsers stretch nested timers to 4 ms. */
function eventLoopTurn(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
