/** One text on its way through a grammar: what may follow, and whether it may stop. */
import { StateError } from '../errors.js'
import type { Grammar } from './grammar.js'
import type { Config } from './machine.js'
import type { TokenMask } from './mask.js'
import type { GrammarVocabulary } from './vocabulary.js'

export class GrammarMatcher {
  readonly grammar: Grammar<unknown>
  readonly vocabulary: GrammarVocabulary
  #config: Config
  #finished = false

  constructor(grammar: Grammar<unknown>, vocabulary: GrammarVocabulary) {
    this.grammar = grammar
    this.vocabulary = vocabulary
    this.#config = grammar.machine.initial()
  }

  /** The text may stop here. */
  get accepting(): boolean {
    return this.#config.accepting
  }

  /** An end token was accepted: nothing follows. */
  get finished(): boolean {
    return this.#finished
  }

  /** Tokens that may follow. Valid for reading only: masks are shared. */
  mask(): TokenMask {
    const masks = this.grammar.masks(this.vocabulary)
    return this.#finished ? masks.ended() : masks.mask(this.#config)
  }

  /** Whether a token may follow, without building a mask. */
  allows(token: number): boolean {
    if (this.vocabulary.eos.has(token)) return this.#config.accepting
    return !this.#finished && this.#after(token) !== null
  }

  /** Goes on with a token. @throws StateError when the grammar does not allow it; the state is then unchanged. */
  accept(token: number): void {
    if (this.vocabulary.eos.has(token)) {
      if (!this.#config.accepting) this.#refuse(`the end token ${token} before the text is complete`)
      this.#finished = true
      return
    }
    const next = this.#finished ? null : this.#after(token)
    if (!next) this.#refuse(`token ${token}${this.#finished ? ' after the end' : ''}`)
    this.#config = next
  }

  /** Goes on with bytes that need not be whole tokens; false, and no change, where the grammar does not allow them. */
  acceptBytes(bytes: Uint8Array): boolean {
    let next: Config | null = this.#config
    for (let i = 0; i < bytes.length && next; i++) next = this.grammar.machine.step(next, bytes[i]!)
    if (next) this.#config = next
    return next !== null
  }

  #after(token: number): Config | null {
    return this.grammar.machine.stepToken(this.#config, token, this.vocabulary.tokens[token])
  }

  #refuse(got: string): never {
    throw new StateError(
      'grammar',
      got,
      'a token of its mask',
      'Sample after the grammar, and accept what was sampled.',
    )
  }

  reset(): void {
    this.#config = this.grammar.machine.initial()
    this.#finished = false
  }

  clone(): GrammarMatcher {
    const copy = new GrammarMatcher(this.grammar, this.vocabulary)
    copy.#config = this.#config
    copy.#finished = this.#finished
    return copy
  }
}
