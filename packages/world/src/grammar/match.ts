/** From English back to a pattern: does this text say it, and with which references? No state; what they mean comes later. */
import { allSpecies, grownTraits, men, type Species, traits, women } from '../lexicon/people.js'
import { type Place, regions } from '../lexicon/places.js'
import { allLooks, allNouns, harm, type Noun } from '../lexicon/things.js'
import { type Topic, type TopicKind, topicLists } from '../lexicon/topics.js'
import { isChoice, type Node, type Pattern, type Slot } from './pattern.js'

/** How a text refers to one thing. */
export interface Ref {
  readonly slot: Slot
  readonly name?: string
  readonly name2?: string
  readonly he?: boolean
  readonly they?: true
  readonly species?: Species
  readonly trait?: string
  readonly noun?: Noun
  readonly look?: string
  readonly it?: true
  /** The article was a or an: the thing is new. */
  readonly fresh?: true
  readonly wrongArticle?: true
  readonly verb?: string
  readonly place?: Place
  readonly there?: true
  readonly topic?: Topic
}

type Index<T> = Map<string, [phrase: string, value: T][]>

function index<T>(entries: Iterable<readonly [string, T]>): Index<T> {
  const map: Index<T> = new Map()
  for (const [phrase, value] of entries) {
    const word = phrase.split(' ')[0]!
    if (!map.has(word)) map.set(word, [])
    map.get(word)!.push([phrase, value])
  }
  for (const list of map.values()) list.sort((a, b) => b[0].length - a[0].length)
  return map
}

const nounIndex: Index<Noun> = /* @__PURE__ */ index(allNouns.map(noun => [noun.noun, noun]))
const speciesIndex: Index<Species> = /* @__PURE__ */ index(allSpecies.map(species => [species.noun, species]))
const placeIndex: Index<Place> = /* @__PURE__ */ index(
  regions.flatMap(region => region.places).map(place => [place.noun, place]),
)
const names: ReadonlyMap<string, boolean> = /* @__PURE__ */ new Map([
  ...men.map(name => [name, true] as const),
  ...women.map(name => [name, false] as const),
])
const traitSet: ReadonlySet<string> = /* @__PURE__ */ new Set([...traits, ...grownTraits])
const verbIndex: Index<string> = /* @__PURE__ */ index(
  [...new Set(allNouns.flatMap(({ verb }) => [verb.base, verb.past, verb.ing]))].map(verb => [verb, verb]),
)
const harms: Readonly<Record<string, Index<string>>> = {
  broke: /* @__PURE__ */ index([...new Set(allNouns.map(noun => harm(noun).past))].map(verb => [verb, verb])),
  broken: /* @__PURE__ */ index([...new Set(allNouns.map(noun => harm(noun).participle))].map(verb => [verb, verb])),
}
const topicIndexes = new Map<string, Index<Topic>>()

/** Whether a name is he (true) or she (false); undefined when it is no name of this world. */
export const nameIsHe = (name: string): boolean | undefined => names.get(name)
export const speciesOf = (noun: string): Species | undefined => allSpecies.find(species => species.noun === noun)

function topicIndex(kind: TopicKind, form: string): Index<Topic> {
  const key = `${kind}.${form}`
  let found = topicIndexes.get(key)
  if (!found) {
    const list: readonly Topic[] = topicLists[kind]
    topicIndexes.set(key, (found = index(list.map(topic => [topic.forms[form || 'base'] ?? '', topic]))))
  }
  return found
}

const letter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90)

function wordAt(text: string, at: number): string {
  let end = at
  while (end < text.length && (letter(text.charCodeAt(end)) || text[end] === '-')) end++
  return text.slice(at, end)
}

const ends = (text: string, at: number): boolean => !letter(text.charCodeAt(at)) && text[at] !== '-'

function* phrasesAt<T>(map: Index<T>, text: string, at: number): Generator<[end: number, value: T]> {
  for (const [phrase, value] of map.get(wordAt(text, at)) ?? map.get(text.slice(at).split(' ', 1)[0]!) ?? [])
    if (text.startsWith(phrase, at) && ends(text, at + phrase.length)) yield [at + phrase.length, value]
}

const low = (word: string, at: number): string => (at === 0 ? word.toLowerCase() : word)
const pronouns: Record<string, readonly [string, boolean][]> = {
  '': [
    ['he', true],
    ['she', false],
  ],
  he: [
    ['he', true],
    ['she', false],
  ],
  him: [
    ['him', true],
    ['her', false],
  ],
  hm: [
    ['him', true],
    ['her', false],
  ],
  his: [
    ['his', true],
    ['her', false],
  ],
  np: [],
  hs: [
    ['his', true],
    ['her', false],
  ],
  self: [
    ['himself', true],
    ['herself', false],
  ],
}

/** The kinds of topic that the variables x and y of the event stand for. */
export type TopicKinds = { readonly x?: TopicKind | undefined; readonly y?: TopicKind | undefined }

function* slotAt(slot: Slot, text: string, at: number, kinds: TopicKinds): Generator<[end: number, ref: Ref]> {
  const { form, type } = slot
  if (type === 'topic') {
    const kind = kinds[slot.v as 'x' | 'y']
    if (!kind) return
    for (const [end, topic] of phrasesAt(
      topicIndex(kind, form),
      at === 0 ? text.charAt(0).toLowerCase() + text.slice(1) : text,
      at,
    ))
      yield [end, { slot, topic }]
  } else if (type === 'place') {
    let start = at
    const word = low(wordAt(text, at), at)
    if (form === 'in' && word === 'there') yield [at + 5, { slot, there: true }]
    if (form === 'in') start += word.length + 1
    else if (form === 'to') {
      if (word !== 'to') return
      start += 3
    }
    if (form !== 'bare') {
      if (low(wordAt(text, start), start) !== 'the') return
      start += 4
    }
    for (const [end, place] of phrasesAt(placeIndex, text, start))
      if (form !== 'in' || place.preposition === word) yield [end, { slot, place }]
  } else if (type === 'thing') yield* thingAt(slot, text, at)
  else if (type === 'pair') yield* pairAt(slot, text, at)
  else yield* personAt(slot, text, at)
}

function* thingAt(slot: Slot, text: string, at: number): Generator<[number, Ref]> {
  const { form } = slot
  const verbs = form === 'use' || form === 'used' || form === 'using' ? verbIndex : harms[form]
  if (verbs) {
    for (const [end, verb] of phrasesAt(verbs, text, at)) yield [end, { slot, verb }]
    return
  }
  let start = at
  let wrong = false
  const first = wordAt(text, at)
  if (form === 'a') {
    if (low(first, at) !== 'a' && low(first, at) !== 'an') return
    start = at + first.length + 1
    const next = wordAt(text, start)
    wrong = (first.length === 2) !== /^[aeiou]/.test(next)
  } else if (form === '' || form === 'the' || form === 'it') {
    if (low(first, at) === 'it') yield [at + 2, { slot, it: true }]
    if (low(first, at) !== 'the') return
    start = at + 4
  }
  const mark = { ...(form === 'a' ? { fresh: true as const } : {}), ...(wrong ? { wrongArticle: true as const } : {}) }
  const look = wordAt(text, start)
  if (form !== 'bare' && allLooks.has(look) && text[start + look.length] === ' ')
    for (const [end, noun] of phrasesAt(nounIndex, text, start + look.length + 1))
      yield [end, { slot, noun, look, ...mark }]
  for (const [end, noun] of phrasesAt(nounIndex, text, start)) yield [end, { slot, noun, ...mark }]
}

function* pairAt(slot: Slot, text: string, at: number): Generator<[number, Ref]> {
  const word = wordAt(text, at)
  const { form } = slot
  const pronoun = form === 'them' ? 'them' : form === 'their' ? 'their' : 'they'
  if (low(word, at) === pronoun) yield [at + pronoun.length, { slot, they: true }]
  if (text.startsWith('he two friends', at + 1)) yield [at + 15, { slot, they: true }]
  if (!names.has(word) || !text.startsWith(' and ', at + word.length)) return
  const start = at + word.length + 5
  const second = wordAt(text, start)
  if (!names.has(second)) return
  const end = start + second.length
  if (form !== 'their') yield [end, { slot, name: word, name2: second }]
  else if (text.startsWith("'s", end)) yield [end + 2, { slot, name: word, name2: second }]
}

function* personAt(slot: Slot, text: string, at: number): Generator<[number, Ref]> {
  const { form } = slot
  const word = wordAt(text, at)
  if (form === 'intro' || form === 'kid') {
    const article = low(word, at)
    if (article !== 'a' && article !== 'an') return
    let start = at + word.length + 1
    const trait = wordAt(text, start)
    const wrongArticle = (article === 'an') !== /^([aeiou]|honest)/.test(trait) ? { wrongArticle: true as const } : {}
    if (!traitSet.has(trait)) return
    start += trait.length + 1
    for (const [end, species] of phrasesAt(speciesIndex, text, start)) {
      if (form === 'kid') yield [end, { slot, species, trait, ...wrongArticle }]
      else if (text.startsWith(' named ', end) || text.startsWith(' called ', end)) {
        const name = wordAt(text, text.indexOf(' ', end + 1) + 1)
        if (names.has(name))
          yield [text.indexOf(' ', end + 1) + 1 + name.length, { slot, name, species, trait, ...wrongArticle }]
      }
    }
    return
  }
  if (form === 'noun') {
    for (const [end, species] of phrasesAt(speciesIndex, text, at)) yield [end, { slot, species }]
    return
  }
  for (const [pronoun, he] of pronouns[form] ?? [])
    if (low(word, at) === pronoun) yield [at + pronoun.length, { slot, he }]
  const possessive = form === 'his' || form === 'hs'
  const after = (end: number): number => (possessive ? (text.startsWith("'s", end) ? end + 2 : -1) : end)
  if (names.has(word) && form !== 'self') {
    const end = after(at + word.length)
    if (end >= 0) yield [end, { slot, name: word }]
  }
  if (low(word, at) === 'the' && form !== 'name' && form !== 'self')
    for (const [stop, species] of phrasesAt(speciesIndex, text, at + 4)) {
      const end = after(stop)
      if (end >= 0) yield [end, { slot, species }]
    }
}

/** The references of `text` read as the pattern, or undefined. `elided`: the subject is left out. */
export function match(pattern: Pattern, text: string, kinds: TopicKinds, elided = false): Ref[] | undefined {
  const refs: Ref[] = []
  const nodes = elided ? pattern.nodes.slice(1) : pattern.nodes
  const step = (list: readonly Node[], i: number, at: number, then: (at: number) => boolean): boolean => {
    const node = list[i]
    if (node === undefined) return then(at)
    if (typeof node === 'string') {
      const literal = elided && i === 0 && list === nodes ? node.trimStart() : node
      if (text.startsWith(literal, at)) return step(list, i + 1, at + literal.length, then)
      const lowered = at === 0 && text.charAt(0).toLowerCase() + text.slice(1, literal.length)
      return lowered === literal && step(list, i + 1, literal.length, then)
    }
    if (isChoice(node)) {
      for (const option of node.options) {
        const kept = refs.length
        if (step(option, 0, at, end => step(list, i + 1, end, then))) return true
        refs.length = kept
      }
      return false
    }
    for (const [end, ref] of slotAt(node, text, at, kinds)) {
      const kept = refs.length
      refs.push(ref)
      if (step(list, i + 1, end, then)) return true
      refs.length = kept
    }
    return false
  }
  return step(nodes, 0, 0, at => at === text.length) ? refs : undefined
}
