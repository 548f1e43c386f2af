/** The things a story is about. A person and a thing live in one story; a place and a topic come from the lexicon. */
import type { Species } from '../lexicon/people.js'
import type { Place } from '../lexicon/places.js'
import type { Noun } from '../lexicon/things.js'
import type { Topic } from '../lexicon/topics.js'

export interface Person {
  readonly name: string
  readonly species: Species
  readonly he: boolean
  readonly trait: string
}

export interface Thing {
  readonly noun: Noun
  /** The adjective it is known by, or '' (a text need not say one). */
  look: string
}

/** What an event binds. Events declare which of these they use; a parsed sentence may leave some unsaid. */
export interface Args {
  /** The one who acts, and others. */
  a?: Person | undefined
  b?: Person | undefined
  c?: Person | undefined
  /** Things. */
  o?: Thing | undefined
  q?: Thing | undefined
  /** Places. */
  p?: Place | undefined
  r?: Place | undefined
  /** Words of the lexicon: a feeling, a skill, a hiding place. */
  x?: Topic | undefined
  y?: Topic | undefined
}

export type Var = keyof Args
export const kindOf = (v: Var): 'person' | 'thing' | 'place' | 'topic' =>
  v < 'd' ? 'person' : v === 'o' || v === 'q' ? 'thing' : v === 'p' || v === 'r' ? 'place' : 'topic'

export const named = (what: Thing | Topic): string =>
  'forms' in what ? what.forms.base! : what.look ? `${what.look} ${what.noun.noun}` : what.noun.noun
