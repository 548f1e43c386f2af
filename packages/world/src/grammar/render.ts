/** From a pattern and what an event binds to English: chooses among the wordings and how each one is referred to. */

import type { Place } from '../lexicon/places.js'
import { harm } from '../lexicon/things.js'
import type { Random } from '../random.js'
import { type Args, named, type Person, type Thing, type Var } from '../state/entities.js'
import { Focus } from './focus.js'
import { type Choice, isChoice, type Node, type Pattern, type Slot } from './pattern.js'

export const article = (word: string): string => (/^([aeiou]|honest)/.test(word) ? 'an' : 'a')
export const capital = (text: string): string => {
  const at = text.startsWith('"') ? 1 : 0
  return text.slice(0, at) + text.charAt(at).toUpperCase() + text.slice(at + 1)
}
/** A regular expression that matches this text only. */
export const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A voice remembers what it said, so that it knows where a pronoun is understood. */
export class Voice {
  readonly focus: Focus = new Focus()
  /** The variables that the last clause said. */
  said: Set<Var> = new Set()
  #said: Person[] = []
  #things: Thing[] = []
  #pair: [Person, Person] | undefined
  #args: Args = {}
  #subject: Person | undefined
  #bare = false
  #pronounsInRow = 0
  #known = new Set<Person>()
  /** Tails that have been said: a second of a kind in one story tires. */
  #tails = new Set<string>()

  constructor(
    readonly random: Random,
    readonly people: readonly Person[],
  ) {}

  /** One clause or sentence, without capital and full stop where the pattern has none. `elide` leaves out the subject. */
  say(pattern: Pattern, args: Args, elide = false): string {
    this.#args = args
    this.#bare = pattern.bare
    this.said = new Set()
    this.#said = []
    this.#things = []
    this.#pair = undefined
    this.#subject = undefined
    const { subject } = pattern
    let text = ''
    if (elide && subject) {
      this.#mention(args[subject.v] as Person)
      this.said.add(subject.v)
      if (subject.w) this.#mentionPair(subject)
      text = this.#nodes(pattern.nodes.slice(1)).trimStart()
    } else text = this.#nodes(pattern.nodes)
    this.focus.commit(this.#said, this.#things, this.#subject, this.#pair)
    for (const who of this.#said) this.#known.add(who)
    return text
  }

  #nodes(nodes: readonly Node[]): string {
    let text = ''
    for (const node of nodes) {
      if (typeof node === 'string') text += node
      else if (isChoice(node)) text += this.#choice(node)
      else text += this.#slot(node)
    }
    return text
  }

  #choice({ options, list = '' }: Choice): string {
    if (list.endsWith('tail')) this.#tails.add(list)
    const fresh = options.filter(nodes => nodes.every(node => !isTail(node) || !this.#tails.has(node.list!)))
    return this.#nodes(this.random.pick(fresh.length > 0 ? fresh : options))
  }

  #slot(slot: Slot): string {
    const bound = this.#args[slot.v]
    if (bound === undefined) throw new Error(`teller: <${slot.v}> is not bound`)
    this.said.add(slot.v)
    if (slot.w) this.said.add(slot.w)
    if (slot.type === 'pair') return this.#both(slot)
    if (slot.type === 'person') return this.#person(bound as Person, slot.form)
    if (slot.type === 'thing') return this.#thing(bound as Thing, slot.form)
    if (slot.type === 'place') return this.#place(bound as Place, slot.form)
    const form = (bound as { forms: Record<string, string> }).forms[slot.form || 'base']
    if (form === undefined) throw new Error(`teller: <${slot.v}.${slot.form}> has no such form`)
    return form
  }

  #place(place: Place, form: string): string {
    const { focus } = this
    if (form === 'in' || form === 'to') {
      const again = form === 'in' && focus.there() === place && this.random.chance(0.75)
      focus.at(place)
      if (again) return 'there'
    }
    return placePhrase(place, form)
  }

  #mention(who: Person): void {
    if (this.#said.length === 0) this.#subject = who
    this.#said.push(who)
  }

  #mentionPair(slot: Slot): void {
    this.#pair = [this.#args[slot.v] as Person, this.#args[slot.w!] as Person]
    this.#mention(this.#pair[1])
    this.#subject = undefined
  }

  #both(slot: Slot): string {
    const a = this.#args[slot.v] as Person
    const b = this.#args[slot.w!] as Person
    const they = this.focus.they()
    const clear = they?.includes(a) === true && they.includes(b)
    const again = this.#pair !== undefined
    this.#mention(a)
    this.#mentionPair(slot)
    const { form } = slot
    if (again || (clear && form !== 'both' && this.random.chance(0.7)))
      return form === 'them' ? 'them' : form === 'their' ? 'their' : 'they'
    if (form === '' && clear && this.random.chance(0.25)) return 'the two friends'
    const names = `${a.name} and ${b.name}`
    return form === 'their' ? `${names}'s` : names
  }

  #person(who: Person, form: string): string {
    const before = this.#said.includes(who)
    if (form === 'noun') return who.species.noun
    if (form === 'self') return who.he ? 'himself' : 'herself'
    if (form === 'he' || form === 'hm' || form === 'hs' || form === 'his' || form === 'him' || form === '') {
      const first = this.#said[0]
      const rival = this.#said.some(one => one !== who && one.he === who.he)
      const pronoun = before
        ? who === first || !rival || who === this.#said.at(-1)
        : !rival &&
          this.focus.clear(who) &&
          (form.length === 2 || (this.#pronounsInRow < 3 && this.random.chance(this.#bare ? 0.35 : 0.65)))
      this.#mention(who)
      if (who === this.#subject) this.#pronounsInRow = pronoun ? this.#pronounsInRow + 1 : 0
      if (pronoun) return pronounOf(who, form)
      const name = this.random.chance(0.12) && this.#onlyOne(who) ? `the ${who.species.noun}` : who.name
      return form === 'his' || form === 'hs' ? `${name}'s` : name
    }
    this.#mention(who)
    if (form === 'name') return who.name
    if (form === 'np') return this.random.chance(0.15) && this.#onlyOne(who) ? `the ${who.species.noun}` : who.name
    if (form === 'the') return this.#onlyOne(who) ? `the ${who.species.noun}` : who.name
    const kind = `${who.trait} ${who.species.noun}`
    const intro = `${article(kind)} ${kind}`
    if (form === 'kid') return intro
    return `${intro} ${this.random.chance(0.7) ? 'named' : 'called'} ${who.name}`
  }

  /** The kind alone says who: introduced, and nobody else is of that kind. */
  #onlyOne(who: Person): boolean {
    return this.#known.has(who) && this.people.every(one => one === who || one.species !== who.species)
  }

  #thing(what: Thing, form: string): string {
    const { verb, noun } = what.noun
    if (form === 'use') return verb.base
    if (form === 'used') return verb.past
    if (form === 'using') return verb.ing
    if (form === 'broke') return harm(what.noun).past
    if (form === 'broken') return harm(what.noun).participle
    const before = this.#things.includes(what)
    const last = this.focus.it() === what && !this.focus.thingsMixed && this.focus.thingClause === this.focus.clause
    const other = this.#things.some(thing => thing !== what)
    this.#things.push(what)
    if (form === 'it') return other ? `the ${noun}` : 'it'
    if (form === 'a') {
      const full = named(what)
      return `${article(full)} ${full}`
    }
    if (form === '' && !other && (before || (last && this.random.chance(0.45)))) return 'it'
    const full = what.look && this.random.chance(0.4) ? named(what) : noun
    if (form === 'n') return full
    if (form === 'bare') return noun
    return `the ${full}`
  }
}

const isTail = (node: Node): node is Choice => isChoice(node) && node.list?.endsWith('tail') === true

export const pronounOf = (who: { he: boolean }, form: string): string =>
  form === 'his' || form === 'hs'
    ? who.he
      ? 'his'
      : 'her'
    : form === 'him' || form === 'hm'
      ? who.he
        ? 'him'
        : 'her'
      : who.he
        ? 'he'
        : 'she'

export function placePhrase(place: Place, form: string): string {
  if (form === 'in') return `${place.preposition} the ${place.noun}`
  if (form === 'to') return `to the ${place.noun}`
  if (form === 'bare') return place.noun
  return `the ${place.noun}`
}
