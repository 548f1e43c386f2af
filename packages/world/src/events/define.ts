/** What an event is: what it binds, what it means for the world, how it is said, and what can be asked about it. */
import type { TopicKind } from '../lexicon/topics.js'
import type { Args } from '../state/entities.js'
import type { Ledger } from '../state/ledger.js'

/** The class of openers that suit an event that begins a sentence; see teller.ts. */
export type Opener = 'none' | 'one' | 'after' | 'sudden' | 'last' | 'next' | 'later'

/** A question and its short answer, as patterns that name everyone, and the kind of thing that the answer is. */
export type Ask = readonly [
  question: string,
  answer: string,
  about: 'person' | 'thing' | 'place' | 'feeling' | 'gist' | 'other',
]

export interface Definition {
  /** The variables it binds, as `a o p?`; those with ? need not be said. */
  readonly args: string
  readonly x?: TopicKind
  readonly y?: TopicKind
  readonly opener?: Opener
  /** Checks what must be so and writes down what is so now. Anything may be unsaid (undefined) in a text that is read. */
  readonly rule?: (world: Ledger, event: Args) => void
  readonly say: readonly string[]
  readonly ask?: readonly Ask[]
  /** The event in a few words with names, for questions of order and cause. */
  readonly gist?: string
}

export const define = <K extends string>(events: Record<K, Definition>): Record<K, Definition> => events
