/** Damage that leaves every sentence good English of this world: only what came before says that it cannot be. */
import { literal } from './grammar/render.js'
import { type TopicKind, topicLists } from './lexicon/topics.js'
import type { Random } from './random.js'
import { sentences } from './reader.js'
import type { Story } from './story.js'

export const join = (paragraphs: readonly (readonly string[])[]): string =>
  paragraphs
    .filter(list => list.length > 0)
    .map(list => list.join(' '))
    .join('\n\n')

/** The story with sentence `n` in other words; the title is none of its sentences. */
export function withSentence(text: string, n: number, change: (sentence: string) => string): string {
  const paragraphs = sentences(text)
  const titled = paragraphs[0]!.length === 1 && !/[.!?"]$/.test(paragraphs[0]![0]!)
  let i = titled ? -1 : 0
  return join(
    paragraphs.map(list => list.map(sentence => (i++ === n ? change(sentence) : sentence)).filter(one => one !== '')),
  )
}

/** Topics that a story may name twice without meaning the same. */
const free: ReadonlySet<string> = new Set(['sad', 'glad', 'spot'])

/** A wish, a need, a task, a fear … of which the story has told becomes another of its kind. */
export function changeTopic({ text, tale, said, sentences: places }: Story, random: Random): string | undefined {
  const before = new Set<string>()
  const mentions = tale.events.flatMap(({ args }, i) =>
    (['x', 'y'] as const).flatMap(v => {
      const topic = args[v]
      if (!topic || free.has(topic.kind) || !said[i]!.has(v)) return []
      const again = before.has(topic.forms.base!)
      before.add(topic.forms.base!)
      return again ? [{ topic, sentence: places[i]! }] : []
    }),
  )
  if (mentions.length === 0) return undefined
  const { topic, sentence } = random.pick(mentions)
  return withSentence(text, sentence, words => {
    const [form, old] = Object.entries(topic.forms)
      .filter(([, phrase]) => new RegExp(`\\b${literal(phrase)}\\b`).test(words))
      .reduce((a, b) => (b[1].length > a[1].length ? b : a), ['', ''])
    if (!old) return words
    const others = topicLists[topic.kind as TopicKind].filter(one => one !== topic)
    return words.replace(new RegExp(`\\b${literal(old)}\\b`), random.pick(others).forms[form]!)
  })
}

/** One mention of a name, after both were introduced, becomes the name of another of the cast. */
export function changeName({ text, tale }: Story, random: Random): string | undefined {
  const names = tale.world.people.map(({ name }) => name)
  const mentions = [...text.matchAll(new RegExp(`\\b(?:${names.join('|')})\\b`, 'g'))].flatMap(({ 0: name, index }) => {
    const known = names.filter(one => text.slice(0, index).search(new RegExp(`\\b${one}\\b`)) >= 0)
    const others = known.filter(one => one !== name)
    return known.includes(name) && others.length > 0 ? [{ name, index, others }] : []
  })
  if (mentions.length === 0) return undefined
  const { name, index, others } = random.pick(mentions)
  return text.slice(0, index) + random.pick(others) + text.slice(index + name.length)
}
