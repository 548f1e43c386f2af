/** Instructions for stories: what they ask for, how they are said, and whether a story does it. */
import { checkStory } from './checker.js'
import { article, capital } from './grammar/render.js'
import type { Random } from './random.js'
import type { Story } from './story.js'

export interface Constraints {
  /** The hero's kind: `fox`. */
  readonly kind?: string
  /** The hero's name. */
  readonly name?: string
  /** A noun of a thing that must be in the story. */
  readonly thing?: string
  /** The noun of a place that must be in the story. */
  readonly place?: string
  /** What happens, one of the phrases of `mishaps`. */
  readonly mishap?: string
  readonly ending?: 'happy' | 'sad' | 'bittersweet'
  /** A word that must be in the story. */
  readonly word?: string
  /** At most this many words. */
  readonly atMost?: number
  /** At least this many words. */
  readonly atLeast?: number
}

export interface Instruction {
  readonly text: string
  readonly constraints: Constraints
}

/** What can happen in a story, as an instruction says it, and one of the events that show it. */
export const mishaps: Readonly<Record<string, readonly string[]>> = {
  'loses something': ['blown', 'dropped', 'taken'],
  'is afraid': ['afraid'],
  'has a fight with a friend': ['quarrel'],
  'makes something': ['made'],
  'works for a present': ['earn'],
  'plans a surprise party': ['birthday'],
  'goes on a long journey': ['setOff'],
  'helps a stranger': ['feed'],
  'takes part in a contest': ['begin'],
  'solves a mystery': ['reveal'],
  'learns something new': ['learned'],
  'is caught in a storm': ['stormComes'],
  'helps a friend who is stuck': ['pullOut'],
  'makes a promise': ['promise'],
  'tells the truth': ['confess'],
  'grows a plant': ['plant'],
  'finds a new friend': ['invite'],
  'says goodbye to a friend': ['goodbye'],
}

const endings: Readonly<Record<string, NonNullable<Constraints['ending']>>> = {
  'a happy ending': 'happy',
  'a sad ending': 'sad',
  'a bittersweet ending': 'bittersweet',
}
const an = (words: string): string => `${article(words)} ${words}`
const wordCount = (text: string): number => text.split(/\s+/).length

/** An instruction that this story fulfils, with one to five constraints. */
export function instructionFor(story: Story, random: Random): Instruction {
  const { tale, text } = story
  const { hero } = tale
  const words = wordCount(text)
  const constraints: { -readonly [K in keyof Constraints]: Constraints[K] } = {}
  const mishap = Object.keys(mishaps).find(key =>
    mishaps[key]!.some(kind => tale.events.some(event => event.kind === kind)),
  )
  if (random.chance(0.85)) constraints.kind = hero.species.noun
  if (random.chance(0.3)) constraints.name = hero.name
  if (mishap && random.chance(0.7)) constraints.mishap = mishap
  const things = tale.world.things.filter(({ noun }) => new RegExp(`\\b${noun.noun}\\b`).test(text))
  if (things.length > 0 && random.chance(0.5)) constraints.thing = random.pick(things).noun.noun
  const places = tale.region.places.filter(place => text.includes(`the ${place.noun}`))
  if (places.length > 0 && random.chance(0.3)) constraints.place = random.pick(places).noun
  if (random.chance(0.4)) constraints.ending = tale.world.ending as 'happy'
  if (random.chance(0.25)) {
    const candidates = text.match(/\b[a-z]{4,9}\b/g)!
    constraints.word = random.pick(candidates)
  }
  if (random.chance(0.2)) {
    if (words < 150) constraints.atMost = 10 * Math.ceil((words + random.below(30)) / 10)
    else constraints.atLeast = 10 * Math.floor((words - random.below(30)) / 10)
  }
  if (Object.keys(constraints).length === 0) constraints.kind = hero.species.noun
  return { text: say(constraints, random), constraints }
}

/** The constraints as a request. `parseInstruction` reads every one of them back. */
export function say(constraints: Constraints, random: Random): string {
  const { kind, name, thing, place, mishap, ending, word, atMost, atLeast } = constraints
  const verb = random.pick(['Tell', 'Write', 'Tell me', 'Write me'])
  let text = `${verb} a story about ${kind ? an(kind) : 'someone'}`
  if (name) text += ` named ${name}`
  if (mishap) text += ` who ${mishap}`
  text += '.'
  const rest: string[] = []
  if (thing) rest.push(random.pick([`There should be ${an(thing)} in it.`, `It should have ${an(thing)} in it.`]))
  if (place) rest.push(random.pick([`It should happen near the ${place}.`, `The ${place} should be in it.`]))
  if (ending) {
    const end = Object.keys(endings).find(key => endings[key] === ending)!
    rest.push(random.pick([`Give it ${end}.`, `It should have ${end}.`]))
  }
  if (word) rest.push(random.pick([`Use the word "${word}".`, `It should contain the word "${word}".`]))
  if (atMost) rest.push(`Use at most ${atMost} words.`)
  if (atLeast) rest.push(`Use at least ${atLeast} words.`)
  return [text, ...random.shuffle(rest)].map(capital).join(' ')
}

/** The constraints of an instruction in the words of `say`. What it does not know it leaves out. */
export function parseInstruction(text: string): Constraints {
  const out: { -readonly [K in keyof Constraints]: Constraints[K] } = {}
  const about = /about (?:an? ([a-z]+(?: [a-z]+)?)|someone)(?: named ([A-Z][a-z]+))?(?: who ([a-z ]+))?\./.exec(text)
  if (about?.[1]) out.kind = about[1].replace(/ (named|who)$/, '')
  if (about?.[2]) out.name = about[2]
  if (about?.[3]) out.mishap = about[3]
  const thing = /(?:There should be|It should have) an? ([a-z][a-z -]*) in it\./.exec(text)
  if (thing) out.thing = thing[1]!
  const place = /It should happen near the ([a-z ]+)\./.exec(text) ?? /The ([a-z ]+) should be in it\./.exec(text)
  if (place) out.place = place[1]!
  const ending = /(?:Give it|It should have) (a [a-z]+ ending)\./.exec(text)
  if (ending && endings[ending[1]!]) out.ending = endings[ending[1]!]!
  const word = /the word "([a-z]+)"/.exec(text)
  if (word) out.word = word[1]!
  const most = /at most (\d+) words/.exec(text)
  if (most) out.atMost = Number(most[1])
  const least = /at least (\d+) words/.exec(text)
  if (least) out.atLeast = Number(least[1])
  return out
}

export interface InstructionReport {
  readonly followed: boolean
  /** The share of the constraints that hold, 0 to 1. */
  readonly score: number
  /** What does not hold, in words. */
  readonly missed: readonly string[]
}

/** Whether a story does what an instruction (its text, or its constraints) asks. Consistency is `checkStory`'s matter. */
export function checkInstruction(instruction: string | Constraints, story: string): InstructionReport {
  const wanted = typeof instruction === 'string' ? parseInstruction(instruction) : instruction
  const { facts } = checkStory(story)
  const hero = facts.characters[0]
  const words = wordCount(story)
  const missed: string[] = []
  let count = 0
  const ask = (asked: unknown, holds: boolean, problem: string): void => {
    if (asked === undefined) return
    count++
    if (!holds) missed.push(problem)
  }
  const { kind, name, thing, place, mishap, ending, word, atMost, atLeast } = wanted
  ask(kind, hero?.kind === kind, `the hero is ${hero ? an(hero.kind) : 'nobody'}, not ${an(kind ?? '')}`)
  ask(name, hero?.name === name, `the hero is not named ${name}`)
  ask(thing, new RegExp(`\\b${thing}\\b`).test(story), `there is no ${thing}`)
  ask(place, new RegExp(`\\bthe ${place}\\b`, 'i').test(story), `the ${place} is not in it`)
  ask(mishap, mishaps[mishap ?? '']?.some(event => facts.events.includes(event)) === true, `nobody ${mishap}`)
  ask(ending, facts.ending === ending, `the ending is ${facts.ending ?? 'missing'}, not ${ending}`)
  ask(word, new RegExp(`\\b${word}\\b`, 'i').test(story), `the word "${word}" is missing`)
  ask(atMost, words <= (atMost ?? 0), `it has ${words} words, more than ${atMost}`)
  ask(atLeast, words >= (atLeast ?? 0), `it has ${words} words, fewer than ${atLeast}`)
  return { followed: missed.length === 0, score: count ? 1 - missed.length / count : 1, missed }
}
