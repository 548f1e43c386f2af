/** A tale in the making: the cast, the map, the world's state, and the list of what happens. Plots write on it. */
import { definitions } from './events/index.js'
import { grownTraits, helpers, heroes, men, type Species, traits, women } from './lexicon/people.js'
import { type Place, type Region, regions } from './lexicon/places.js'
import type { Noun } from './lexicon/things.js'
import { heldAt, mends, type Topic, type TopicKind, topicLists } from './lexicon/topics.js'
import type { Random } from './random.js'
import type { Args, Person, Thing } from './state/entities.js'
import { Ledger } from './state/ledger.js'

/** How an event hangs on the one before: the teller joins the two, or opens the sentence with the word. */
export type Lead = '' | 'and' | 'but' | 'so' | 'after' | 'plain' | 'next' | 'one'

export interface Told {
  readonly kind: string
  readonly args: Args
  readonly lead: Lead
  /** A new paragraph begins here. */
  readonly paragraph: boolean
  /** It brings something that was open to an end. */
  readonly resolves: boolean
}

/** What is fixed before the simulation runs; what the held-out split and instructions go by. */
export interface Sketch {
  readonly plot: string
  readonly species: Species
  readonly noun: Noun
}

export class Tale {
  readonly world: Ledger = new Ledger()
  readonly events: Told[] = []
  readonly people: Person[] = []
  readonly things: Thing[] = []
  readonly region: Region
  readonly hero: Person
  /** The thing that the story is about; a plot may do without. */
  readonly thing: Thing
  /** Places of the region from one end of a path to the other. */
  readonly path: readonly Place[]
  /** Words of the plot for a title: `The <title>`. */
  title = ''
  #paragraph = false

  constructor(
    readonly random: Random,
    readonly sketch: Sketch,
  ) {
    this.region = random.pick(regions)
    const start = random.below(this.region.places.length)
    this.path = this.region.places.map((_, i, all) => all[(start + i) % all.length]!)
    this.hero = this.#person(sketch.species)
    this.thing = this.#thing(sketch.noun)
  }

  /** A friend of the hero, mostly a he to a she: then *he* and *she* tell the two apart, for a reader as for a model. */
  friend(): Person {
    const { hero } = this
    const he = this.random.chance(0.8) ? !hero.he : hero.he
    return this.#person(this.#unused(heroes.filter(({ sex }) => !sex || (sex === 'he') === he)), he)
  }

  helper(): Person {
    return this.#person(this.#unused(helpers))
  }

  grown(): Person {
    return this.#person(this.#unused(helpers.filter(species => species.role === 'grown')))
  }

  #unused(list: readonly Species[]): Species {
    for (let tries = 0; ; tries++) {
      const species = this.random.pick(list)
      if (tries > 20 || this.people.every(one => one.species !== species)) return species
    }
  }

  #person(species: Species, given?: boolean): Person {
    const { random } = this
    const he = species.sex ? species.sex === 'he' : (given ?? random.chance(0.5))
    let name = ''
    do name = random.pick(he ? men : women)
    while (this.people.some(one => one.name === name || one.name.slice(0, 2) === name.slice(0, 2)))
    const person = { name, species, he, trait: random.pick(species.role === 'grown' ? grownTraits : traits) }
    this.people.push(person)
    return person
  }

  make(list: readonly Noun[]): Thing {
    for (;;) {
      const noun = this.random.pick(list)
      if (this.things.every(thing => thing.noun !== noun)) return this.#thing(noun)
    }
  }

  #thing(noun: Noun): Thing {
    const thing = { noun, look: this.random.chance(0.85) ? this.random.pick(noun.looks) : '' }
    this.things.push(thing)
    return thing
  }

  topic(kind: TopicKind): Topic {
    return this.random.pick<Topic>(topicLists[kind])
  }

  /** A contest or a skill, and a place of this region that suits it. */
  held(kind: 'contest' | 'skill'): [Topic, Place] {
    const grounds = (x: Topic): readonly Place[] => this.path.filter(place => heldAt(x, place))
    const x = this.random.pick(topicLists[kind].filter(x => grounds(x).length > 0))
    return [x, this.random.pick(grounds(x))]
  }

  /** What mends this thing. */
  glue({ noun }: Thing): Topic {
    return this.random.pick(topicLists.glue.filter(glue => mends(glue, noun)))
  }

  topics(kind: TopicKind): readonly Topic[] {
    return topicLists[kind]
  }

  /** What this plot can teach. */
  lesson(): Topic {
    return this.random.pick(lessonsOf(this.sketch.plot))
  }

  chance(p: number): boolean {
    return this.random.chance(p)
  }

  /** Adds an event and lets the world follow it. A plot that breaks a rule of the world is a mistake in the plot. */
  tell(kind: string, args: Args, lead: Lead = ''): void {
    const definition = definitions[kind]
    if (!definition) throw new Error(`plot ${this.sketch.plot}: no event ${kind}`)
    const { world } = this
    const open = world.threads.filter(thread => !thread.end)
    world.event(kind, args)
    definition.rule?.(world, args)
    const [problem] = world.problems
    if (problem) throw new Error(`plot ${this.sketch.plot}, event ${kind}: ${problem}`)
    this.events.push({ kind, args, lead, paragraph: this.#paragraph, resolves: open.some(thread => thread.end) })
    this.#paragraph = false
  }

  paragraph(): void {
    this.#paragraph = this.events.length > 0
  }
}

const lessons = new Map<string, readonly Topic[]>()

function lessonsOf(plot: string): readonly Topic[] {
  let list = lessons.get(plot)
  if (!list) lessons.set(plot, (list = topicLists.lesson.filter(({ forms }) => forms.plots!.split(' ').includes(plot))))
  return list
}
