/** Instructions for stories: one that a story fulfils, and whether a story does what one asks. */
import { checkStory } from './checker.js'
import { literal } from './grammar/render.js'
import type { Random } from './random.js'
import { an, type Constraints, mishaps, parseInstruction, say } from './request.js'
import type { Story } from './story.js'

export interface Instruction {
  readonly text: string
  readonly constraints: Constraints
}

const says = (story: string, words = ''): boolean => new RegExp(`\\b${literal(words)}\\b`, 'i').test(story)
const shows = (events: readonly string[], mishap = ''): boolean =>
  Object.hasOwn(mishaps, mishap) && mishaps[mishap]!.some(event => events.includes(event))
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
  const places = tale.region.places.filter(place => says(text, `the ${place.noun}`))
  if (places.length > 0 && random.chance(0.3)) constraints.place = random.pick(places).noun
  const { ending } = tale.world
  // Nearly all end happily: of the others too a model must learn what their order means.
  if (random.chance(ending === 'happy' ? 0.3 : 0.8)) constraints.ending = ending as 'happy'
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

export interface InstructionReport {
  readonly followed: boolean
  /** The share of the constraints that hold, 0 to 1. */
  readonly score: number
  /** What does not hold, in words. */
  readonly missed: readonly string[]
}

/**
 * Whether a story does what an instruction (its text, or its constraints) asks. Consistency is `checkStory`'s matter. What
 * `parseInstruction` does not understand asks for nothing: any story follows it.
 */
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
  const { kind, trait, name, thing, place, mishap, ending, word, atMost, atLeast } = wanted
  ask(kind, hero?.kind === kind, `the hero is ${hero ? an(hero.kind) : 'nobody'}, not ${an(kind ?? '')}`)
  ask(trait, hero?.trait === trait, `the hero is not ${trait}`)
  ask(name, hero?.name === name, `the hero is not named ${name}`)
  ask(thing, says(story, thing), `there is no ${thing}`)
  ask(place, says(story, `the ${place}`), `the ${place} is not in it`)
  ask(mishap, shows(facts.events, mishap), `nobody ${mishap}`)
  ask(ending, facts.ending === ending, `the ending is ${facts.ending ?? 'missing'}, not ${ending}`)
  ask(word, says(story, word), `the word "${word}" is missing`)
  ask(atMost, words <= (atMost ?? 0), `it has ${words} words, more than ${atMost}`)
  ask(atLeast, words >= (atLeast ?? 0), `it has ${words} words, fewer than ${atLeast}`)
  return { followed: missed.length === 0, score: count ? 1 - missed.length / count : 1, missed }
}
