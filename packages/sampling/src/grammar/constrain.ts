/** The grammar as a stage of a chain. Put it first: it rules out what the others then need not look at. */
import { ParameterError } from '../errors.js'
import type { Sampler } from '../sampler.js'
import type { Grammar } from './grammar.js'
import { GrammarMatcher } from './matcher.js'
import type { GrammarVocabulary } from './vocabulary.js'

/** What switches a lazy grammar on. The text from the trigger on, itself included, must be of the grammar. */
export interface Triggers {
  /** Token ids. */
  tokens?: Iterable<number>
  /** Texts. */
  words?: Iterable<string>
  /** Patterns searched in the generated text; the grammar starts at the first group, or else at the match. */
  patterns?: Iterable<RegExp>
}

export interface ConstraintOptions {
  vocabulary: GrammarVocabulary
  /** Free text until a trigger appears; left out, the grammar holds from the first token. */
  lazy?: Triggers
}

export interface GrammarSampler extends Sampler {
  /** Where the text stands; undefined while a lazy grammar waits. */
  readonly matcher: GrammarMatcher | undefined
  reset(): void
  clone(): GrammarSampler
}

/**
 * Only tokens that keep the text within the grammar; the end tokens only where it may stop.
 *
 * @example
 * const vocabulary = new GrammarVocabulary(['yes', 'no', 'maybe', undefined], { eos: 3 })
 * const pick = chain(constrain(choices(['yes', 'no']), { vocabulary }), greedy())
 * pick.sample(new Float32Array([1, 2, 3, 0])) // 1
 */
export function constrain(grammar: Grammar<unknown>, { vocabulary, lazy }: ConstraintOptions): GrammarSampler {
  const start = (): GrammarMatcher => new GrammarMatcher(grammar, vocabulary)
  const watch = lazy && new Watch(lazy, vocabulary)
  return make(start, watch, watch ? undefined : start())
}

function make(
  start: () => GrammarMatcher,
  watch: Watch | undefined,
  initial: GrammarMatcher | undefined,
): GrammarSampler {
  let matcher = initial
  return {
    name: 'grammar',
    get matcher() {
      return matcher
    },
    apply(candidates) {
      if (!matcher) return
      const { bits, ids } = matcher.mask()
      candidates.keepBits(bits, ids)
    },
    accept(token, context) {
      // the prompt is not held to the grammar
      if (context.length <= context.promptLength) return
      if (matcher) {
        matcher.accept(token)
        return
      }
      const found = watch?.accept(token)
      if (!found) return
      matcher = start()
      // a special token has no bytes, but the grammar may name it
      if (matcher.allows(token)) matcher.accept(token)
      else if (found.length && !matcher.acceptBytes(found)) {
        const text = new TextDecoder().decode(found)
        throw new ParameterError('constrain', 'lazy', text, 'a trigger that the grammar begins with')
      }
    },
    reset() {
      watch?.reset()
      matcher = watch ? undefined : start()
    },
    clone: () => make(start, watch?.clone(), matcher?.clone()),
  }
}

/** Looks for a trigger in the generated text. */
class Watch {
  readonly #vocabulary: GrammarVocabulary
  readonly #tokens: ReadonlySet<number>
  readonly #patterns: readonly RegExp[]
  #bytes: number[] = []

  constructor({ tokens = [], words = [], patterns = [] }: Triggers, vocabulary: GrammarVocabulary) {
    this.#vocabulary = vocabulary
    this.#tokens = new Set(tokens)
    const quoted = Array.from(words, word => new RegExp(word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'd'))
    this.#patterns = [
      ...quoted,
      ...Array.from(patterns, p => new RegExp(p.source, `${p.flags.replace(/[dgy]/g, '')}d`)),
    ]
    if (this.#tokens.size + this.#patterns.length === 0) {
      throw new ParameterError('constrain', 'lazy', {}, 'tokens, words or patterns that switch the grammar on')
    }
  }

  /** The bytes from the trigger on, once there is one. */
  accept(token: number): Uint8Array | undefined {
    const bytes = this.#vocabulary.tokens[token] ?? new Uint8Array(0)
    if (this.#tokens.has(token)) return bytes
    for (const byte of bytes) this.#bytes.push(byte)
    const all = Uint8Array.from(this.#bytes)
    // the tail of a half-written character is left out
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(all, { stream: true })
    for (const pattern of this.#patterns) {
      const span = pattern.exec(text)?.indices
      const at = span?.[1]?.[0] ?? span?.[0]?.[0]
      if (at !== undefined) return all.subarray(startOf(text.slice(at), all))
    }
    return undefined
  }

  reset(): void {
    this.#bytes = []
  }

  clone(): Watch {
    const copy = new Watch({ tokens: this.#tokens, patterns: this.#patterns }, this.#vocabulary)
    copy.#bytes = [...this.#bytes]
    return copy
  }
}

/**
 * Where the end of a text begins in the bytes that were read. Counted from the end, since bytes that are no characters
 * read as characters of other lengths; those within the end itself cannot be of any grammar.
 */
function startOf(end: string, all: Uint8Array): number {
  const encoded = new TextEncoder().encode(end)
  // half a character may stand behind it
  for (let rest = 0; rest < 4; rest++) {
    const from = all.length - rest - encoded.length
    if (from >= 0 && encoded.every((byte, i) => byte === all[from + i])) return from
  }
  return Math.max(0, all.length - encoded.length)
}
