/**
 * Wrong choices that only a reader of the story can tell from the right one: what would be right had the story gone
 * otherwise. So no choice is likelier by its wording, and who guesses without the story is right by chance.
 */
import type { Ask } from './events/define.js'
import { events } from './events/index.js'
import type { Pattern } from './grammar/pattern.js'
import { capital, Voice } from './grammar/render.js'
import { patternOf, variables } from './happenings.js'
import { heroes, men, women } from './lexicon/people.js'
import type { Noun } from './lexicon/things.js'
import type { Topic } from './lexicon/topics.js'
import type { Plot } from './plots/define.js'
import { plots } from './plots/index.js'
import type { Random } from './random.js'
import { type Args, kindOf, type Person, type Thing, type Var } from './state/entities.js'
import type { Story } from './story.js'
import { Tale } from './tale.js'

/** More than a question needs, as some may turn out to be right too. */
const enough = 5

export class Choices {
  constructor(
    private readonly story: Story,
    private readonly random: Random,
  ) {}

  /** Wrong answers; none where the question says all of the answer. */
  wrong(ask: Ask, args: Args): readonly string[] {
    const [question, answer] = ask.slice(0, 2).map(text => patternOf(text!)) as [Pattern, Pattern]
    const kid = /^<([abc])\.kid>$/.exec(answer.text)
    if (kid) return this.#kinds(args[kid[1] as 'a']!)
    const given = variables(question)
    const own = [...variables(answer)].filter(v => !given.has(v))
    if (own.length === 0) return []
    const of = (type: string): Var | undefined => own.find(v => kindOf(v) === type)
    const v = of('place') ?? of('topic') ?? of('thing') ?? own.at(-1)!
    const kind = kindOf(v)
    const right = this.#right(ask, given, args, v)
    const others =
      kind === 'place'
        ? this.some(this.story.tale.path.filter(place => !right.has(place)))
        : kind === 'person'
          ? this.#people(args[v] as Person, [...[...given].map(v => args[v]), ...right])
          : this.#elsewhere(ask, v, args[v] as Thing | Topic)
    return others.filter(other => !right.has(other)).map(other => this.#say(answer, { ...args, [v]: other }))
  }

  /** All that answers the question in this story, also where it is not asked: who met two people met both. */
  #right([question]: Ask, given: ReadonlySet<Var>, args: Args, v: Var): ReadonlySet<unknown> {
    const same = this.story.tale.events.filter(
      ({ kind, args: others }) =>
        events()
          .get(kind)!
          .definition.ask?.some(other => other[0] === question) && [...given].every(one => others[one] === args[one]),
    )
    return new Set([args[v], ...same.map(one => one.args[v])])
  }

  /** As many of these as may be needed, in no order. */
  some<T>(list: readonly T[]): T[] {
    return this.random.shuffle(list).slice(0, enough)
  }

  /** What made others sad, as if it had happened to `who` and a friend. */
  causes(who: Person): readonly string[] {
    const { tale } = this.story
    const friend = tale.people.find(one => one !== who) ?? this.#stranger(!who.he)
    const happened = new Set(tale.events.map(({ kind }) => kind))
    const found = new Set<string>()
    while (found.size < enough) {
      const { events: told } = this.#other(this.random.pick(plots))
      const at = told.findIndex(({ kind }) => kind === 'sad')
      const cause = told.slice(0, Math.max(0, at)).findLast(({ kind }) => events().get(kind)!.definition.gist)
      if (!cause || happened.has(cause.kind)) continue
      const cast = (one: Person | undefined): Person | undefined => one && (one === told[at]!.args.a ? who : friend)
      const { a, b, c, ...rest } = cause.args
      const gist = patternOf(events().get(cause.kind)!.definition.gist!)
      found.add(this.#say(gist, { ...rest, a: cast(a), b: cast(b), c: cast(c) }))
    }
    return [...found]
  }

  /** How another story goes, of this thing or of any. */
  #other(plot: Plot, noun: Noun = this.random.pick(plot.things)): Tale {
    const { random } = this
    const tale = new Tale(random, { plot: plot.name, species: random.pick(heroes), noun })
    plot.run(tale)
    return tale
  }

  /** What the answer is where the same plot goes otherwise; with the same thing, unless it is asked for: a scarf is not nailed. */
  #elsewhere([question, answer]: Ask, v: Var, mine: Thing | Topic): (Thing | Topic)[] {
    const { tale } = this.story
    const plot = plots.find(({ name }) => name === tale.sketch.plot)!
    const key = (one: Thing | Topic): unknown => ('noun' in one ? one.noun : one)
    const found = new Map<unknown, Thing | Topic>()
    for (let tries = 0; tries < 100 && found.size < enough; tries++)
      for (const { kind, args } of this.#other(plot, kindOf(v) === 'topic' ? tale.sketch.noun : undefined).events)
        for (const other of events().get(kind)!.definition.ask ?? [])
          if (other[0] === question && other[1] === answer && args[v])
            found.set(key(args[v] as Thing | Topic), args[v] as Thing | Topic)
    found.delete(key(mine))
    return [...found.values()]
  }

  #say(pattern: Pattern, args: Args): string {
    return `${capital(new Voice(this.random, this.story.tale.people).say(pattern, args))}.`
  }

  /** The same kind with another trait, another kind with the same, and both other: neither alone decides. */
  #kinds(mine: Person): string[] {
    let other = mine
    while (other.he !== mine.he || other.species === mine.species || other.trait === mine.trait)
      other = this.#other(this.random.pick(plots)).hero
    const { species, trait } = other
    return [{ trait }, { species }, { species, trait }].map(changed =>
      this.#say(patternOf('<a.kid>'), { a: { ...mine, ...changed } }),
    )
  }

  /** The others of the story, but for those whom the question names; then strangers, so that of the four two are he and two she. */
  #people(mine: Person, named: readonly unknown[]): Person[] {
    const { random, story } = this
    const others = random
      .shuffle(story.tale.world.people.filter(one => one !== mine && !named.includes(one)))
      .slice(0, 3)
    for (let i = others.length; i < enough; i++) {
      const he = [mine, ...others].filter(one => one.he).length
      const she = 1 + others.length - he
      others.push(this.#stranger(he === she ? random.chance(0.5) : he < she, others))
    }
    return others
  }

  /** Somebody with a name that nobody else has. */
  #stranger(he: boolean, others: readonly Person[] = []): Person {
    const { tale } = this.story
    for (;;) {
      const name = this.random.pick(he ? men : women)
      if ([...tale.people, ...others].every(one => one.name !== name)) return { ...tale.hero, he, name }
    }
  }
}
