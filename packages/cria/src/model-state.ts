/** A session as the searches of @cria/sampling see a model: it goes on, goes back, and forks cheaply. */
import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { type Llama, Session } from '@cria/llama'
import type { ContrastiveModel, ModelState } from '@cria/sampling/search'

/** Rows of logits of a prompt held at once. */
const ROWS = 32

export interface StateOptions {
  /** Tokens that a state can hold. */
  readonly capacity: number
  /** Tokens that speculative decoding checks at once. */
  readonly checked?: number
  readonly signal?: AbortSignal
  /** Told the logits after each token of the first text taken in (the prompt), in order. */
  readonly onPrompt?: (logits: Float32Array, position: number) => void
}

/** The states of one model. What is disposed of is used again: a fork copies keys and values, and makes no plans. */
export class States {
  readonly #model: Llama
  readonly #options: StateOptions
  readonly #all: Session[] = []
  readonly #free: Session[] = []
  #turn = performance.now()
  /** Seconds that taking in the prompt took. */
  promptSeconds = 0

  constructor(model: Llama, options: StateOptions) {
    this.#model = model
    this.#options = options
  }

  /** An empty one. */
  open(): ModelState {
    return this.#state(this.#take())
  }

  /** An empty one that also tells its hidden states, for contrastive search. */
  openHidden(): ContrastiveModel {
    return this.#withHidden(this.#take())
  }

  #withHidden(session: Session): ContrastiveModel {
    let last: Float32Array[] = []
    return {
      ...this.#state(session),
      get length() {
        return session.length
      },
      hidden: () => last,
      fork: async () => this.#withHidden(await this.#copy(session)),
      extend: async (tokens, all = false) => {
        const { signal, onPrompt } = this.#options
        await this.#turnTaken()
        signal?.throwIfAborted()
        const first = session.length === 0
        const begin = performance.now()
        const { hiddenSize } = this.#model.config
        const states = await session.evaluateHidden(tokens)
        last = tokens.map((_, t) => states.subarray(t * hiddenSize, (t + 1) * hiddenSize))
        const rows: Float32Array[] = []
        for (const [t, hidden] of last.entries()) {
          const told = first && onPrompt !== undefined
          if (!all && !told && t < last.length - 1) continue
          const row = (await session.logitsOf(hidden)).slice()
          if (told) onPrompt(row, t)
          rows.push(row)
        }
        if (first) this.promptSeconds = (performance.now() - begin) / 1000
        return all ? rows : rows.slice(-1)
      },
    }
  }

  #take(): Session {
    const known = this.#free.pop()
    if (known) return known
    const { capacity, checked = 0 } = this.#options
    // a session cuts what it evaluates by fours: 16 checks, 4, one, and single tokens
    const batch = checked > 0 ? { batch: checked * 16 } : {}
    // a check is padded to its full length, so it may reach beyond what is asked for
    const made = new Session(this.#model, { capacity: capacity + checked, ...batch })
    this.#all.push(made)
    return made
  }

  #state(session: Session): ModelState {
    return {
      get length() {
        return session.length
      },
      extend: (tokens, all = false) => this.#extend(session, tokens, all),
      fork: async () => this.#state(await this.#copy(session)),
      truncate: length => session.truncate(length),
      dispose: () => void this.#free.push(session),
    }
  }

  async #copy(session: Session): Promise<Session> {
    const copy = this.#take()
    copy.truncate(0)
    copy.cache.fill(await session.cache.rows(), session.length)
    copy.adopt(session.tokens)
    return copy
  }

  /** Small models would never let Ctrl-C through. */
  async #turnTaken(): Promise<void> {
    if (performance.now() - this.#turn <= 10) return
    await eventLoopTurn()
    this.#turn = performance.now()
  }

  async #extend(session: Session, tokens: readonly number[], all: boolean): Promise<Float32Array[]> {
    const { signal, onPrompt } = this.#options
    await this.#turnTaken()
    if (session.length > 0) return all ? this.#check(session, tokens) : [(await session.evaluate(tokens)).slice()]
    const begin = performance.now()
    try {
      if (!onPrompt && !all) return [(await session.evaluate(tokens, signal && { signal })).slice()]
      const rows: Float32Array[] = []
      for (let at = 0; at < tokens.length; at += ROWS) {
        signal?.throwIfAborted()
        const part = rowsOf(await session.evaluateAll(tokens.slice(at, at + ROWS)), this.#model)
        part.forEach((row, i) => void onPrompt?.(row, at + i))
        if (!all) rows.length = 0
        rows.push(...part)
      }
      return all ? rows : rows.slice(-1)
    } finally {
      this.promptSeconds = (performance.now() - begin) / 1000
    }
  }

  /** The logits after each of a few tokens: one step of fixed length, what it has too much taken back. */
  async #check(session: Session, tokens: readonly number[]): Promise<Float32Array[]> {
    if (tokens.length === 1) return [(await session.evaluate(tokens)).slice()]
    const { checked } = this.#options
    const before = session.length
    const padding = checked ? (checked - (tokens.length % checked)) % checked : 0
    const rows = await session.evaluateAll([...tokens, ...new Array<number>(padding).fill(tokens[0]!)])
    session.truncate(before + tokens.length)
    return rowsOf(rows, this.#model).slice(0, tokens.length)
  }

  dispose(): void {
    for (const session of this.#all) session.dispose()
  }
}

function rowsOf(all: Float32Array, { config: { vocabSize } }: Llama): Float32Array[] {
  return Array.from({ length: all.length / vocabSize }, (_, i) => all.subarray(i * vocabSize, (i + 1) * vocabSize))
}
