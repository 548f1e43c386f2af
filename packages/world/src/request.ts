/** What an instruction asks for, and the words for it: said by the world, and read from what a person writes. */
import { article, capital } from './grammar/render.js'
import { allSpecies, grownTraits, traits } from './lexicon/people.js'
import { allLooks, allNouns } from './lexicon/things.js'
import type { Random } from './random.js'

export interface Constraints {
  /** The hero's kind: `fox`. */
  readonly kind?: string
  /** What the hero is like: `brave`. */
  readonly trait?: string
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
export const an = (words: string): string => `${article(words)} ${words}`

/** The constraints as a request. `parseInstruction` reads every one of them back. */
export function say(constraints: Constraints, random: Random): string {
  const { kind, trait, name, thing, place, mishap, ending, word, atMost, atLeast } = constraints
  const verb = random.pick(['Tell', 'Write', 'Tell me', 'Write me'])
  const hero = kind ? an(trait ? `${trait} ${kind}` : kind) : trait ? `someone ${trait}` : 'someone'
  let text = `${verb} a story about ${hero}`
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

const wordsOf = (list: readonly { readonly noun: string }[]): ReadonlySet<string> =>
  new Set(list.map(({ noun }) => noun))
const species: ReadonlySet<string> = /* @__PURE__ */ wordsOf(allSpecies)
const things: ReadonlySet<string> = /* @__PURE__ */ wordsOf(allNouns)
const traitSet: ReadonlySet<string> = /* @__PURE__ */ new Set([...traits, ...grownTraits])

/** `brave fox` as `brave` and `fox`, where both are known; else all of it is the noun. */
function qualified(words: string, nouns: ReadonlySet<string>, qualities: ReadonlySet<string>): [string, string] {
  const at = words.indexOf(' ')
  const [first, rest] = [words.slice(0, at), words.slice(at + 1)]
  return !nouns.has(words) && qualities.has(first) && nouns.has(rest) ? [first, rest] : ['', words]
}

/**
 * The constraints of an instruction, in the words of `say` or in some that mean the same (`who loses a kite and ends
 * happy`). It leaves out what it does not know, except what the hero shall do: no story follows that.
 */
export function parseInstruction(text: string): Constraints {
  const out: { -readonly [K in keyof Constraints]: Constraints[K] } = {}
  const about =
    /\babout (?:an? ([a-z]+(?: [a-z]+){0,3}?)|someone(?: (?!named|called|who)([a-z]+))?)(?: (?:named|called) ([A-Z][a-z]+))?(?: who ([a-z -]{1,200}))?(?:[.,!]|$)/.exec(
      text,
    )
  if (about?.[1]) {
    const [trait, kind] = qualified(about[1], species, traitSet)
    out.kind = kind
    if (trait) out.trait = trait
  }
  if (about?.[2]) out.trait = about[2]
  if (about?.[3]) out.name = about[3]
  const deed = about?.[4]?.replace(/ ?(?:\b(?:and|but) )?(?:\bthe story )?\bends (?:happ|sad|bittersweet)[a-z]*$/, '')
  if (deed) {
    const [, verb, what = ''] = /^(loses|makes) (?:an?|his|her|the) ([a-z -]+)$/.exec(deed) ?? []
    const [, noun] = qualified(what, things, allLooks)
    out.mishap = things.has(noun) ? `${verb} something` : deed
    if (things.has(noun)) out.thing = noun
  }
  const thing = /(?:There should be|It should have) an? ([a-z][a-z -]{0,100}) in it\./.exec(text)
  if (thing) out.thing = thing[1]!
  const place =
    /It should happen near the ([a-z ]{1,100})\./.exec(text) ?? /The ([a-z ]{1,100}) should be in it\./.exec(text)
  if (place) out.place = place[1]!
  const ending = /\b(happy|sad|bittersweet) ending\b|\bends? (happ|sad|bittersweet)/.exec(text)
  if (ending) out.ending = (ending[1] ?? ending[2]!.replace('happ', 'happy')) as 'happy'
  const word = /the word "([a-z]+)"/.exec(text)
  if (word) out.word = word[1]!
  const most = /at most (\d+) words/.exec(text)
  if (most) out.atMost = Number(most[1])
  const least = /at least (\d+) words/.exec(text)
  if (least) out.atLeast = Number(least[1])
  return out
}
