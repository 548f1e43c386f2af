/**
 * The state of a story's world: who is where, who holds what, what is broken, what is still open. The simulation and the
 * checker keep the same ledger by the same rules; what differs is what happens when a rule is broken.
 */
import type { Place } from '../lexicon/places.js'
import type { Topic } from '../lexicon/topics.js'
import { type Args, named, type Person, type Thing } from './entities.js'

/** Something that the reader waits for: a lost thing, a wish, a quarrel. It must come to some end. */
export interface Thread {
  kind: string
  who: Person | undefined
  whom: Person | undefined
  /** The thing or the topic that it is about: a lost kite, a wish to swim. */
  what: Thing | Topic | undefined
  /** How it ended; undefined while it is open. */
  end: string | undefined
}

export const goesOn = 'the story goes on after its end'

type Holder = Person | Place | 'lost' | 'gone'

export class Ledger {
  people: Person[] = []
  things: Thing[] = []
  at: Map<Person, Place> = new Map()
  holder: Map<Thing, Holder> = new Map()
  owner: Map<Thing, Person> = new Map()
  broken: Set<Thing> = new Set()
  feeling: Map<Person, string> = new Map()
  threads: Thread[] = []
  /** Facts that are true from when they are said: `helps:Tom:Mia`. */
  marks: Set<string> = new Set()
  ending: string | undefined
  /** Where someone has been told to go, or has to. */
  goal: Place | undefined
  problems: string[] = []

  clone(): Ledger {
    const copy = new Ledger()
    copy.people = this.people.slice()
    copy.things = this.things.slice()
    copy.at = new Map(this.at)
    copy.holder = new Map(this.holder)
    copy.owner = new Map(this.owner)
    copy.broken = new Set(this.broken)
    copy.feeling = new Map(this.feeling)
    copy.threads = this.threads.map(thread => ({ ...thread }))
    copy.marks = new Set(this.marks)
    copy.ending = this.ending
    copy.goal = this.goal
    copy.problems = this.problems.slice()
    return copy
  }

  fail(problem: string): void {
    this.problems.push(problem)
  }

  person(who: Person): void {
    if (!this.people.includes(who)) this.people.push(who)
  }

  /** What holds for every event: nothing happens after the end, and nobody gives, confesses or says sorry to themselves. */
  event(kind: string, { a, b, c }: Args): void {
    if (this.ending && kind !== 'theEnd') this.fail(goesOn)
    const twice = a && (a === b || a === c) ? a : b && b === c ? b : undefined
    if (twice) this.fail(`${twice.name} cannot do this with ${twice.he ? 'himself' : 'herself'}`)
  }

  thing(what: Thing | undefined, holder?: Holder, owner?: Person): void {
    if (!what) return
    if (!this.things.includes(what)) this.things.push(what)
    if (holder) this.holder.set(what, holder)
    if (owner) this.owner.set(what, owner)
  }

  /** `who` must be at `where`; one whose place is not known is there from now on. */
  here(who: Person | undefined, where: Place | undefined): void {
    if (!who || !where) return
    const at = this.at.get(who)
    if (at && at !== where) this.fail(`${who.name} is at the ${at.noun}, not at the ${where.noun}`)
    else this.at.set(who, where)
  }

  together(a: Person | undefined, b: Person | undefined): void {
    if (!a || !b) return
    const at = this.at.get(a)
    const other = this.at.get(b)
    if (at && other && at !== other)
      this.fail(`${a.name} is at the ${at.noun} and ${b.name} at the ${other.noun}; they cannot meet`)
    else if (at) this.at.set(b, at)
    else if (other) this.at.set(a, other)
  }

  go(who: Person | undefined, where: Place | undefined): void {
    if (!who || !where) return
    this.reach(where)
    if (this.at.get(who) === where) this.fail(`${who.name} is already at the ${where.noun}`)
    this.at.set(who, where)
  }

  /** Someone goes there: a place that was named for it must be this one. */
  reach(where: Place | undefined): void {
    if (!where || !this.goal) return
    if (this.goal !== where) this.fail(`the way led to the ${this.goal.noun}, not to the ${where.noun}`)
    this.goal = undefined
  }

  /** The story is about the first one introduced, and ends with them. */
  hero(who: Person | undefined, other?: Person): void {
    const [first] = this.people
    if (who && first && who !== first && other !== first)
      this.fail(`the story is about ${first.name}, not about ${who.name}`)
  }

  has(who: Person | undefined, what: Thing | undefined): void {
    if (!who || !what) return
    const holder = this.holder.get(what)
    if (holder === who) return
    if (holder === 'lost') this.fail(`the ${named(what)} is lost, so ${who.name} cannot have it`)
    else if (holder === 'gone') this.fail(`the ${named(what)} is gone, so ${who.name} cannot have it`)
    else if (holder) this.fail(`${who.name} does not have the ${named(what)}`)
    else this.holder.set(what, who)
  }

  whole(what: Thing | undefined): void {
    if (what && this.broken.has(what)) this.fail(`the ${named(what)} is broken`)
  }

  owns(who: Person | undefined, what: Thing | undefined): void {
    if (!who || !what) return
    const owner = this.owner.get(what)
    if (owner && owner !== who) this.fail(`the ${named(what)} belongs to ${owner.name}, not to ${who.name}`)
    else this.owner.set(what, who)
  }

  open(kind: string, { a, b, o, x }: Pick<Args, 'a' | 'b' | 'o' | 'x'>): void {
    const what = o ?? x
    // One at a time, whatever the topic is.
    if (this.#find(kind, a, o)) this.fail(`${kind} again: it is still open`)
    else if (this.threads.some(one => one.kind === kind && one.end && one.who === a && one.what === what))
      this.fail(`${kind} again: it has come to its end`)
    this.threads.push({ kind, who: a, whom: b, what, end: undefined })
  }

  #find(kind: string, who?: Person, what?: Thing | Topic): Thread | undefined {
    return this.threads.find(
      thread =>
        thread.kind === kind &&
        !thread.end &&
        (!who || !thread.who || thread.who === who) &&
        (!what || !thread.what || thread.what === what),
    )
  }

  /** A thread of this kind must be open. */
  expect(kind: string, who?: Person, what?: Thing | Topic): Thread | undefined {
    const thread = this.#find(kind, who, what)
    if (!thread)
      this.fail(`nothing before says ${kind}${who ? ` of ${who.name}` : ''}${what ? `, ${named(what)}` : ''}`)
    return thread
  }

  /** `whom`: the other one of it, a friend who was promised something, must be this one. */
  close(kind: string, end: string, who?: Person, what?: Thing | Topic, whom?: Person): void {
    const thread = this.expect(kind, who, what)
    if (!thread) return
    thread.end = end
    if (whom && thread.whom && thread.whom !== whom)
      this.fail(`${kind}: the other one is ${thread.whom.name}, not ${whom.name}`)
  }

  /** A thread of this kind must have come to this end. */
  ended(kind: string, end: string, who?: Person, what?: Topic): void {
    const fits = (one: Thread): boolean =>
      one.kind === kind && one.end === end && (!who || one.who === who) && (!what || one.what === what)
    if (!this.threads.some(fits))
      this.fail(`nothing before says ${end}${who ? ` of ${who.name}` : ''}${what ? `, ${named(what)}` : ''}`)
  }

  isOpen(kind: string, who?: Person, what?: Thing | Topic): boolean {
    return this.#find(kind, who, what) !== undefined
  }

  mark(fact: string, ...who: (Person | Thing | undefined)[]): void {
    this.marks.add(key(fact, who))
  }

  marked(fact: string, ...who: (Person | Thing | undefined)[]): boolean {
    return this.marks.has(key(fact, who))
  }

  /** `fact` must have been said of these. Unsaid parts are not asked for. */
  needs(fact: string, ...who: (Person | Thing | undefined)[]): void {
    if (who.includes(undefined) || this.marks.has(key(fact, who))) return
    this.fail(`nothing before says ${key(fact, who).replaceAll(':', ' ')}`)
  }
}

const key = (fact: string, who: readonly (Person | Thing | undefined)[]): string => {
  let text = fact
  for (const one of who) text += `:${one ? ('name' in one ? one.name : one.noun.noun) : '?'}`
  return text
}
