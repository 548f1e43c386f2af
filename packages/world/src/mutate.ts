/** Damage: stories with one thing wrong, each kind of its own. For measuring the checker and for preference pairs. */
import { changeName, changeTopic, join, withSentence } from './damage.js'
import { WorldError } from './errors.js'
import { literal } from './grammar/render.js'
import { men, women } from './lexicon/people.js'
import type { Random } from './random.js'
import { sentences } from './reader.js'
import type { Story } from './story.js'

export type MutationKind =
  | 'stranger'
  | 'swapNames'
  | 'dropTurn'
  | 'movePlace'
  | 'changeKind'
  | 'changeThing'
  | 'changeLook'
  | 'changePronoun'
  | 'cutEnd'
  | 'shuffle'
  | 'otherStory'
  | 'changeTopic'
  | 'changeName'
  | 'repeat'
  | 'goOn'

/** What breaks, from plain to see to hard to see. */
export const mutationKinds: readonly MutationKind[] = [
  'otherStory',
  'shuffle',
  'cutEnd',
  'stranger',
  'changeKind',
  'changeThing',
  'changeLook',
  'changePronoun',
  'swapNames',
  'dropTurn',
  'movePlace',
  'changeTopic',
  'changeName',
  'repeat',
  'goOn',
]

/** Replaces the n-th match only. */
function replaceNth(text: string, pattern: RegExp, n: number, by: string): string {
  let i = 0
  return text.replace(pattern, match => (i++ === n ? by : match))
}

/**
 * The story with one fault of this kind, or undefined where it has no place for it. `other` lends its second half for
 * `otherStory`.
 */
export function mutate(story: Story, kind: MutationKind, random: Random, other?: Story): string | undefined {
  const { text, tale } = story
  const paragraphs = sentences(text)
  const flat = paragraphs.flat()
  const { people } = tale.world
  switch (kind) {
    case 'stranger': {
      // One mention after the introduction becomes a name that nobody bears.
      const who = random.pick(people)
      const mentions = text.match(new RegExp(`\\b${who.name}\\b`, 'g'))?.length ?? 0
      if (mentions < 2) return undefined
      const name = random.pick((who.he ? men : women).filter(one => people.every(person => person.name !== one)))
      return replaceNth(text, new RegExp(`\\b${who.name}\\b`, 'g'), 1 + random.below(mentions - 1), name)
    }
    case 'swapNames': {
      // From some sentence on, two of the cast have changed names.
      if (people.length < 2) return undefined
      const [a, b] = random.shuffle(people)
      const both = flat.findIndex((_, i) => {
        const before = flat.slice(0, i).join(' ')
        return before.includes(a!.name) && before.includes(b!.name)
      })
      if (both < 0 || both >= flat.length - 3) return undefined
      const from = both + random.below(Math.max(1, flat.length - 3 - both))
      let i = 0
      const swapped = new RegExp(`\\b(${a!.name}|${b!.name})\\b`, 'g')
      const out = paragraphs.map(list =>
        list.map(sentence =>
          i++ < from ? sentence : sentence.replace(swapped, name => (name === a!.name ? b!.name : a!.name)),
        ),
      )
      const result = join(out)
      return result === join(paragraphs) ? undefined : result
    }
    case 'dropTurn': {
      // A sentence that resolves something goes missing.
      const turns = tale.events.flatMap(({ resolves }, i) => (resolves ? [story.sentences[i]!] : []))
      if (turns.length === 0) return undefined
      return withSentence(text, random.pick(turns), () => '')
    }
    case 'movePlace': {
      // One mention of a place where somebody is becomes another place of the region.
      const pattern = /\b(?:in|at|by|on|under|near|to) the ([a-z]+(?: [a-z]+){0,3})/g
      const spots = [...text.matchAll(pattern)].flatMap(found => {
        const place = tale.region.places
          .filter(one => found[1]!.startsWith(one.noun) && found[0].startsWith(`${one.preposition} `))
          .sort((x, y) => y.noun.length - x.noun.length)[0]
        return place && found.index > text.length / 4 ? [{ at: found.index, place }] : []
      })
      if (spots.length < 2) return undefined
      const { at, place } = random.pick(spots)
      const another = random.pick(
        tale.region.places.filter(
          one => one.preposition === place.preposition && one !== place && !text.includes(one.noun),
        ),
      )
      if (!another) return undefined
      const old = `${place.preposition} the ${place.noun}`
      return `${text.slice(0, at)}${place.preposition} the ${another.noun}${text.slice(at + old.length)}`
    }
    case 'changeKind': {
      const who = random.pick(people)
      const mention = new RegExp(`\\bthe ${literal(who.species.noun)}\\b`, 'g')
      const count = text.match(mention)?.length ?? 0
      if (count === 0) return undefined
      const kinds = ['fox', 'rabbit', 'bear', 'mouse', 'owl', 'frog', 'goat', 'otter'].filter(kind =>
        people.every(one => one.species.noun !== kind),
      )
      return replaceNth(text, mention, random.below(count), `the ${random.pick(kinds)}`)
    }
    case 'changeThing':
    case 'changeLook': {
      const [thing] = random.shuffle(tale.world.things)
      if (!thing || (kind === 'changeLook' && !thing.look)) return undefined
      const mention =
        kind === 'changeThing'
          ? new RegExp(`\\b(?<=the |the ${thing.look || 'x'} )${literal(thing.noun.noun)}\\b`, 'g')
          : new RegExp(`\\b${thing.look}(?= ${literal(thing.noun.noun)}\\b)`, 'g')
      const count = text.match(mention)?.length ?? 0
      const first = kind === 'changeLook' ? 1 : 0
      if (count <= first) return undefined
      const nouns = ['kite', 'drum', 'ball', 'book', 'hat', 'bell', 'lantern', 'scooter'].filter(
        noun => !text.includes(noun),
      )
      const looks = ['red', 'blue', 'green', 'yellow', 'white', 'brown'].filter(look => look !== thing.look)
      return replaceNth(
        text,
        mention,
        first + random.below(count - first),
        random.pick(kind === 'changeThing' ? nouns : looks),
      )
    }
    case 'changePronoun': {
      const mention = /\b(he|she|He|She|himself|herself)\b/g
      const count = text.match(mention)?.length ?? 0
      if (count === 0) return undefined
      const n = random.below(count)
      const found = text.match(mention)![n]!
      const turned: Record<string, string> = {
        he: 'she',
        she: 'he',
        He: 'She',
        She: 'He',
        himself: 'herself',
        herself: 'himself',
      }
      return replaceNth(text, mention, n, turned[found]!)
    }
    case 'changeTopic':
      return changeTopic(story, random)
    case 'changeName':
      return changeName(story, random)
    case 'repeat':
      return withSentence(text, random.pick(story.sentences), sentence => `${sentence} ${sentence}`)
    case 'goOn':
      return `${text} One day, ${people[0]!.name} went to the ${random.pick(tale.path).noun}.`
    case 'cutEnd':
      return join(paragraphs.slice(0, Math.max(1, Math.ceil(paragraphs.length / 2))))
    case 'shuffle':
      return join([random.shuffle(flat)])
    case 'otherStory': {
      if (!other) return undefined
      const rest = sentences(other.text)
      return join([...paragraphs.slice(0, Math.ceil(paragraphs.length / 2)), ...rest.slice(Math.ceil(rest.length / 2))])
    }
    default:
      throw new WorldError('mutate', kind, `one of ${mutationKinds.join(', ')}`, 'Name what shall be wrong.')
  }
}
