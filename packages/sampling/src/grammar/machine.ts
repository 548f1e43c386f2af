/**
 * Runs the pushdown automaton. A configuration is the set of all threads (state, stack) that the text so far allows;
 * configurations are interned and remember their successors, so a state seen before costs one array read per byte.
 */
import { GrammarError } from './errors.js'
import { type Pda, TOKENS } from './lower.js'

/** One level of a stack: where to go on, and what lies below. Equal stacks are the same object. */
export class Frame {
  readonly id: number
  readonly ret: number
  readonly below: Frame | undefined
  readonly #above = new Map<number, Frame>()

  constructor(id: number, ret: number, below: Frame | undefined) {
    this.id = id
    this.ret = ret
    this.below = below
  }

  /** Lets go of the stacks above: those in use live on, equal ones are made anew. */
  forget(): void {
    this.#above.clear()
  }

  push(ret: number, id: () => number): Frame {
    let frame = this.#above.get(ret)
    if (!frame) this.#above.set(ret, (frame = new Frame(id(), ret, this)))
    return frame
  }
}

export interface Thread {
  readonly state: number
  readonly frame: Frame
}

export interface Config {
  readonly threads: readonly Thread[]
  /** The root rule has ended: the text may stop here. */
  readonly accepting: boolean
  /** A rule has ended whose caller is not known (see `mask.ts`). */
  readonly escaped: boolean
  /** Successor per byte: null is dead, undefined not yet known. */
  readonly next: (Config | null | undefined)[]
  /** The tokens that may follow, once somebody asked. */
  mask: unknown
}

/** More threads than any sensible grammar needs: an ambiguity that doubles with each character. */
const MAX_THREADS = 20_000
/** Configurations kept for reuse; beyond, the table starts anew and old ones live on only where they are held. */
const MAX_KEPT = 20_000

export class Machine {
  readonly pda: Pda
  /** Below the root rule. */
  readonly bottom: Frame = new Frame(0, -1, undefined)
  /** Below a rule that is looked at without its callers. */
  readonly unknown: Frame = new Frame(1, -1, undefined)
  #nextId = 2
  readonly #newId = (): number => this.#nextId++
  #kept = new Map<string, Config>()

  constructor(pda: Pda) {
    this.pda = pda
  }

  /** Where a text begins. */
  initial(): Config {
    return this.close([{ state: this.pda.start(this.pda.root), frame: this.bottom }])
  }

  /** After a whole token: by its bytes, or by an edge that names it; null when no text goes on so. */
  stepToken(config: Config, id: number, bytes: Uint8Array | undefined): Config | null {
    let spelt: Config | null = bytes?.length ? config : null
    for (let i = 0; spelt && i < bytes!.length; i++) spelt = this.step(spelt, bytes![i]!)
    if (!this.pda.hasTokens) return spelt
    const named = this.#move(config, TOKENS + id)
    if (!named || !spelt) return named ?? spelt
    const threads = new Map([...spelt.threads, ...named.threads].map(t => [`${t.frame.id}:${t.state}`, t]))
    return this.#intern([...threads.values()], spelt.accepting || named.accepting, false)
  }

  /** After one more byte; null when no text goes on so. */
  step(config: Config, byte: number): Config | null {
    const known = config.next[byte]
    if (known !== undefined) return known
    const after = this.#move(config, byte)
    config.next[byte] = after
    return after
  }

  #move(config: Config, symbol: number): Config | null {
    const moved: Thread[] = []
    const { edges } = this.pda
    for (const { state, frame } of config.threads) {
      const list = edges[state]!
      for (let i = 0; i < list.length; i += 3) {
        if (list[i]! <= symbol && symbol <= list[i + 1]!) moved.push({ state: list[i + 2]!, frame })
      }
    }
    const target = moved.length ? this.close(moved) : null
    return target && (target.threads.length || target.accepting || target.escaped) ? target : null
  }

  /** Follows epsilon edges, calls and returns, and interns the result. */
  close(seeds: Iterable<Thread>): Config {
    const { epsilon, calls, final, edges } = this.pda
    const seen = new Set<number>()
    const threads: Thread[] = []
    const work: Thread[] = [...seeds]
    let accepting = false
    let escaped = false
    for (let thread = work.pop(); thread; thread = work.pop()) {
      const { state, frame } = thread
      const key = frame.id * 0x4000000 + state
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > MAX_THREADS) {
        throw new GrammarError(
          'grammar',
          `more than ${MAX_THREADS} ways to read the text`,
          'a less ambiguous grammar',
          '',
        )
      }
      if (edges[state]!.length) threads.push(thread)
      for (const target of epsilon[state]!) work.push({ state: target, frame })
      const list = calls[state]!
      for (let i = 0; i < list.length; i += 2) {
        const start = this.pda.start(list[i]!)
        const ret = list[i + 1]!
        // a call in last place needs no frame: repetitions do not grow the stack
        const last = final[ret] && !edges[ret]!.length && !epsilon[ret]!.length && !calls[ret]!.length
        work.push({ state: start, frame: last ? frame : frame.push(ret, this.#newId) })
      }
      if (!final[state]) continue
      if (frame === this.bottom) accepting = true
      else if (frame === this.unknown) escaped = true
      else work.push({ state: frame.ret, frame: frame.below! })
    }
    return this.#intern(threads, accepting, escaped)
  }

  #intern(threads: Thread[], accepting: boolean, escaped: boolean): Config {
    threads.sort((a, b) => a.frame.id - b.frame.id || a.state - b.state)
    let key = `${accepting ? 1 : 0}${escaped ? 1 : 0}`
    for (const { state, frame } of threads) key += `,${frame.id}:${state}`
    let config = this.#kept.get(key)
    if (!config) {
      if (this.#kept.size >= MAX_KEPT) {
        this.#kept = new Map()
        this.bottom.forget()
        this.unknown.forget()
      }
      config = { threads, accepting, escaped, next: [], mask: undefined }
      this.#kept.set(key, config)
    }
    return config
  }
}
