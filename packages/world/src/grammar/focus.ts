/**
 * Who is meant by he, she, they and it: one rule for the teller, who says a pronoun only where this rule finds the right
 * one, and for the checker, who reads by it. Pronouns look back to the end of the clause before.
 */
import type { Place } from '../lexicon/places.js'
import type { Person, Thing } from '../state/entities.js'

/** How many clauses back a pronoun may reach. */
const reach = 2

export class Focus {
  clause = 0
  subject: Person | undefined
  people: [who: Person, clause: number][] = []
  pair: [Person, Person] | undefined
  pairClause = 0
  thing: Thing | undefined
  thingClause = 0
  place: Place | undefined
  placeClause = 0
  /** More than one thing was said in the last clause that said any. */
  thingsMixed = false

  clone(): Focus {
    const copy = new Focus()
    copy.clause = this.clause
    copy.subject = this.subject
    copy.people = this.people.slice()
    copy.pair = this.pair
    copy.pairClause = this.pairClause
    copy.thing = this.thing
    copy.thingClause = this.thingClause
    copy.place = this.place
    copy.placeClause = this.placeClause
    copy.thingsMixed = this.thingsMixed
    return copy
  }

  /** The person meant by he or she: the last subject if it fits, else the last one said that does. */
  person(he: boolean, not?: Person): Person | undefined {
    const { subject } = this
    if (subject && subject !== not && subject.he === he && this.#fresh(subject, reach)) return subject
    for (let i = this.people.length - 1; i >= 0; i--) {
      const [who, clause] = this.people[i]!
      if (clause < this.clause - reach) return undefined
      if (who.he === he && who !== not) return who
    }
    return undefined
  }

  #fresh(who: Person, within: number): boolean {
    for (let i = this.people.length - 1; i >= 0; i--) {
      const [one, clause] = this.people[i]!
      if (clause < this.clause - within) return false
      if (one === who) return true
    }
    return false
  }

  /** A reader would not hesitate: nobody else of that pronoun was said lately. */
  clear(who: Person): boolean {
    if (this.person(who.he) !== who) return false
    for (let i = this.people.length - 1; i >= 0; i--) {
      const [one, clause] = this.people[i]!
      if (clause < this.clause - reach) break
      if (one !== who && one.he === who.he) return false
    }
    return true
  }

  they(): [Person, Person] | undefined {
    return this.pair && this.pairClause >= this.clause - reach ? this.pair : undefined
  }

  it(): Thing | undefined {
    return this.thing && this.thingClause >= this.clause - reach ? this.thing : undefined
  }

  /** The place meant by there. */
  there(): Place | undefined {
    return this.place && this.placeClause >= this.clause - 1 ? this.place : undefined
  }

  at(place: Place): void {
    this.place = place
    this.placeClause = this.clause + 1
  }

  /** The end of a clause in which these were said, in this order. */
  commit(
    people: readonly Person[],
    things: readonly Thing[],
    subject: Person | undefined,
    pair?: [Person, Person],
  ): void {
    this.clause++
    for (const who of people) this.people.push([who, this.clause])
    if (this.people.length > 12) this.people.splice(0, this.people.length - 12)
    if (subject || pair || people.length > 0) this.subject = subject
    if (pair) {
      this.pair = pair
      this.pairClause = this.clause
    }
    if (things.length > 0) {
      this.thing = things.at(-1)
      this.thingClause = this.clause
      this.thingsMixed = things.some(thing => thing !== this.thing)
    }
  }
}
