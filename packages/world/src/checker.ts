/**
 * Reads a story as the teller would have told it and follows the state of the world: who is where, who has what, what is
 * open. Whatever cannot be is a problem. Works on any text; what it cannot read it counts.
 */
import { WorldError } from './errors.js'
import { Focus } from './grammar/focus.js'
import { nameIsHe, type Ref, speciesOf } from './grammar/match.js'
import { harm } from './lexicon/things.js'
import { type Reading, readSentence, sentences } from './reader.js'
import { type Args, named, type Person, type Thing, type Var } from './state/entities.js'
import { goesOn, Ledger } from './state/ledger.js'

export interface Problem {
  /** Which sentence, from 0; the number of sentences for what is missing at the end. */
  readonly sentence: number
  readonly text: string
  readonly problem: string
}

export interface Facts {
  readonly characters: readonly { name: string; kind: string; pronoun: 'he' | 'she'; trait: string; feeling?: string }[]
  readonly things: readonly { thing: string; owner?: string; holder?: string; broken: boolean }[]
  readonly places: readonly string[]
  /** What happened, in order: the events of the world. */
  readonly events: readonly string[]
  /** What was open in the story, and how it ended (undefined: it did not). */
  readonly threads: readonly { kind: string; who?: string; thing?: string; about?: string; end?: string }[]
  readonly ending: string | undefined
}

export interface Report {
  readonly consistent: boolean
  readonly problems: readonly Problem[]
  readonly facts: Facts
  readonly sentences: number
  /** Sentences that the grammar of the world does not know. */
  readonly unknown: readonly string[]
}

export interface CheckOptions {
  /** The share of sentences that need not be understood, 0 to 1. Default 0.2. */
  tolerance?: number
}

class State {
  world = new Ledger()
  focus = new Focus()
  events: string[] = []
  places = new Set<string>()

  clone(): State {
    const copy = new State()
    copy.world = this.world.clone()
    copy.focus = this.focus.clone()
    copy.events = this.events.slice()
    copy.places = new Set(this.places)
    return copy
  }
}

/** What the references of a clause mean, given what came before. Problems go to the world's list. */
function bind(
  state: State,
  reading: Reading,
): { args: Args; people: Person[]; things: Thing[]; pair?: [Person, Person] } {
  const { world, focus } = state
  const args: Args = {}
  const people: Person[] = []
  const things: Thing[] = []
  let pair: [Person, Person] | undefined
  const setPerson = (v: Var, who: Person | undefined, ref: Ref): void => {
    if (!who) return
    const known = args[v]
    if (known && known !== who) world.fail(`${(known as Person).name} and ${who.name} cannot both be meant`)
    if (ref.he !== undefined && ref.he !== who.he) world.fail(`${who.name} is ${who.he ? 'he' : 'she'}`)
    ;(args as Record<Var, unknown>)[v] = who
  }
  const byName = (name: string): Person | undefined => {
    const who = world.people.find(one => one.name === name)
    if (!who) world.fail(`nobody has been introduced as ${name}`)
    return who
  }
  const { subject } = reading.pattern
  if (reading.elided && subject) {
    const who = focus.subject
    if (who && subject.type === 'person') {
      args[subject.v as 'a'] = who
      people.push(who)
    }
  }
  // Those who are named first: pronouns in the same clause then say no more than he or she.
  const introduced = new Map<Var, Ref>()
  for (const ref of reading.refs) {
    const { v, w } = ref.slot
    if (ref.wrongArticle) world.fail('a and an are mixed up')
    if (ref.slot.type === 'pair' && ref.name && ref.name2) {
      // The order of the two is free.
      setPerson(v, byName(ref.name), ref)
      setPerson(w!, byName(ref.name2), ref)
    } else if (ref.species && ref.trait) {
      introduced.set(v, ref)
    } else if (ref.slot.type === 'person' && ref.name && !reading.refs.some(one => one.slot.v === v && one.trait))
      setPerson(v, byName(ref.name), ref)
    else if (ref.slot.type === 'person' && ref.species && ref.slot.form !== 'noun') {
      const [who, more] = world.people.filter(one => one.species === ref.species)
      if (!who) world.fail(`there is no ${ref.species.noun} in the story`)
      if (!more) setPerson(v, who, ref)
    } else if (ref.place || ref.there) {
      const place = ref.place ?? focus.there()
      if (!place) continue
      if (args[v] && args[v] !== place) world.fail('two places for one')
      ;(args as Record<Var, unknown>)[v] = place
      if (ref.slot.form === 'in' || ref.slot.form === 'to') focus.at(place)
      state.places.add(place.noun)
    } else if (ref.topic) {
      if (args[v] && args[v] !== ref.topic) world.fail(`${ref.topic.kind}: two for one`)
      ;(args as Record<Var, unknown>)[v] = ref.topic
    }
  }
  for (const [v, ref] of introduced) {
    const name = ref.name ?? reading.refs.find(one => one.slot.v === v && one.name)?.name
    if (!name) continue
    const known = world.people.find(one => one.name === name)
    if (known) world.fail(`${name} is introduced twice`)
    const who = known ?? { name, species: ref.species!, he: nameIsHe(name)!, trait: ref.trait! }
    if (who.species.sex && (who.species.sex === 'he') !== who.he) world.fail(`${name} cannot be a ${who.species.noun}`)
    world.person(who)
    ;(args as Record<Var, unknown>)[v] = who
  }
  for (const ref of reading.refs) {
    const { v, w, type } = ref.slot
    if (type === 'pair' && ref.they) {
      const they = focus.they() ?? (world.people.length === 2 ? (world.people as [Person, Person]) : undefined)
      if (args[v] && args[w!]) continue
      if (!they) world.fail('it is not clear who they are')
      else {
        args[v as 'a'] = they[0]
        args[w as 'b'] = they[1]
      }
    } else if (type === 'person' && ref.he !== undefined) {
      if (args[v]) setPerson(v, args[v] as Person, ref)
      else {
        const not =
          people.at(-1) ?? Object.values(args).find((one): one is Person => typeof one === 'object' && 'species' in one)
        const who = focus.person(ref.he, not) ?? world.people.find(one => one.he === ref.he && one !== not)
        if (!who) world.fail(`it is not clear who ${ref.he ? 'he' : 'she'} is`)
        setPerson(v, who, ref)
      }
    }
    if (type === 'person' && args[v]) people.push(args[v] as Person)
    if (type === 'pair' && args[v] && args[w!]) {
      pair = [args[v] as Person, args[w!] as Person]
      people.push(...pair)
    }
  }
  for (const ref of reading.refs) {
    if (ref.slot.type !== 'thing') continue
    const { v } = ref.slot
    if (ref.verb) continue
    let what: Thing | undefined
    if (ref.it) what = (args[v] as Thing | undefined) ?? focus.it()
    else if (ref.noun) {
      what = world.things.find(thing => thing.noun === ref.noun) ?? (args[v] as Thing | undefined)
      if (!what || what.noun !== ref.noun) {
        if (!ref.fresh) world.fail(`there has been no ${ref.noun.noun} before`)
        what = { noun: ref.noun, look: ref.look ?? '' }
        world.thing(what)
      } else if (ref.look && what.look !== ref.look) {
        if (what.look) world.fail(`the ${ref.noun.noun} is ${what.look}, not ${ref.look}`)
        else what.look = ref.look
      }
    }
    if (!what) world.fail('it is not clear what it is')
    else {
      if (args[v] && args[v] !== what) world.fail(`${named(args[v] as Thing)} and ${named(what)} cannot both be meant`)
      args[v as 'o'] = what
      things.push(what)
    }
  }
  for (const ref of reading.refs) {
    const what = args[ref.slot.v] as Thing | undefined
    if (ref.verb && what) {
      const { base, past, ing } = what.noun.verb
      const { past: broke, participle: broken } = harm(what.noun)
      const { form } = ref.slot
      if (form === 'broke' || form === 'broken') {
        if (ref.verb !== broke && ref.verb !== broken) world.fail(`a ${what.noun.noun} never ${ref.verb}`)
      } else if (![base, past, ing].includes(ref.verb)) world.fail(`nobody can ${ref.verb} a ${what.noun.noun}`)
    }
    const who = args[ref.slot.v] as Person | undefined
    if (ref.slot.form === 'noun' && who && who.species !== ref.species)
      world.fail(`${who.name} is no ${ref.species!.noun}`)
  }
  return pair ? { args, people, things, pair } : { args, people, things }
}

function follow(state: State, readings: readonly Reading[]): void {
  for (const reading of readings) {
    const { args, people, things, pair } = bind(state, reading)
    const required = reading.event.definition.args.split(' ').filter(arg => arg && !arg.endsWith('?'))
    state.world.event(reading.event.kind, args)
    if (required.every(arg => args[arg as Var])) reading.event.definition.rule?.(state.world, args)
    const subject = pair && pair[1] === people[1] && people.length >= 2 && pair[0] === people[0] ? undefined : people[0]
    state.focus.commit(people, things, subject, pair)
    state.events.push(reading.event.kind)
  }
}

/** Words in an unknown sentence that speak of someone or something not there. */
function strangers(state: State, sentence: string): string[] {
  const problems: string[] = []
  const words = sentence.split(/[^A-Za-z]+/)
  for (const word of words)
    if (nameIsHe(word) !== undefined && state.world.people.every(one => one.name !== word))
      problems.push(`nobody has been introduced as ${word}`)
  for (const found of sentence.matchAll(/\bthe ([a-z]+)\b/g)) {
    const species = speciesOf(found[1]!)
    if (species?.role === 'animal' && state.world.people.every(one => one.species !== species))
      problems.push(`there is no ${species.noun} in the story`)
  }
  return problems
}

/**
 * Checks a story in this world's English.
 *
 * @example
 * checkStory(story(1, 0).text).consistent // true
 */
export function checkStory(text: string, options: CheckOptions = {}): Report {
  const { tolerance = 0.2 } = options
  if (typeof text !== 'string') throw new WorldError('checkStory', text, 'a text', 'Give the story alone.')
  if (!(tolerance >= 0 && tolerance <= 1))
    throw new WorldError('checkStory', tolerance, 'a tolerance from 0 to 1', 'It is a share of the sentences.')
  const problems: Problem[] = []
  const unknown: string[] = []
  let state = new State()
  let count = 0
  const paragraphs = sentences(text)
  const first = paragraphs[0]
  if (paragraphs.length > 1 && first?.length === 1 && !/[.!?"]$/.test(first[0]!)) paragraphs.shift()
  const told = new Set<string>()
  for (const sentence of paragraphs.flat()) {
    const readings = readSentence(sentence)
    const report = (problem: string): void => void problems.push({ sentence: count, text: sentence, problem })
    if (told.has(sentence)) report('this has been told before, in the same words')
    told.add(sentence)
    let best: State | undefined
    for (const reading of readings) {
      const trial = state.clone()
      trial.world.problems = []
      follow(trial, reading)
      if (!best || trial.world.problems.length < best.world.problems.length) best = trial
      if (best.world.problems.length === 0) break
    }
    if (best) {
      best.world.problems.forEach(report)
      state = best
    } else {
      unknown.push(sentence)
      strangers(state, sentence).forEach(report)
      if (state.world.ending) report(goesOn)
      state.focus.clause++
    }
    count++
  }
  const { world } = state
  const missing = (problem: string): void => void problems.push({ sentence: count, text: '', problem })
  for (const { kind, who, what, end } of world.threads)
    if (!end) missing(`${kind}${who ? ` (${who.name})` : ''}${what ? ` (${named(what)})` : ''} comes to no end`)
  if (!world.ending) missing('the story has no end')
  if (unknown.length > tolerance * count) missing(`${unknown.length} of ${count} sentences cannot be understood`)
  return { consistent: problems.length === 0, problems, facts: factsOf(state), sentences: count, unknown }
}

function factsOf({ world, events, places }: State): Facts {
  return {
    characters: world.people.map(one => {
      const feeling = world.feeling.get(one)
      const pronoun = one.he ? ('he' as const) : ('she' as const)
      return { name: one.name, kind: one.species.noun, pronoun, trait: one.trait, ...(feeling ? { feeling } : {}) }
    }),
    things: world.things.map(thing => {
      const owner = world.owner.get(thing)?.name
      const holder = world.holder.get(thing)
      const held =
        holder === undefined
          ? undefined
          : typeof holder === 'string'
            ? holder
            : 'name' in holder
              ? holder.name
              : holder.noun
      return {
        thing: named(thing),
        ...(owner ? { owner } : {}),
        ...(held ? { holder: held } : {}),
        broken: world.broken.has(thing),
      }
    }),
    places: [...places],
    events,
    threads: world.threads.map(({ kind, who, what, end }) => ({
      kind,
      ...(who ? { who: who.name } : {}),
      ...(what ? { ['forms' in what ? 'about' : 'thing']: named(what) } : {}),
      ...(end ? { end } : {}),
    })),
    ending: world.ending,
  }
}
