/** From the list of what happened to a text: picks wordings, opens and joins sentences, sets paragraphs. */
import { type Compiled, events } from './events/index.js'
import type { Pattern } from './grammar/pattern.js'
import { capital, Voice } from './grammar/render.js'
import { joints, leads, openers } from './openers.js'
import type { Random } from './random.js'
import type { Var } from './state/entities.js'
import type { Tale, Told } from './tale.js'

/** Sentences longer than this, in characters, are not joined to another. */
const joinLimit = 75

export interface Telling {
  readonly text: string
  /** For each event of the tale, which of its variables the text says. */
  readonly said: readonly ReadonlySet<Var>[]
  /** For each event, the sentence that tells it, from 0. */
  readonly sentences: readonly number[]
}

export function tellTale(tale: Tale, random: Random): Telling {
  const said: ReadonlySet<Var>[] = []
  const sentences: number[] = []
  let count = -1
  const voice = new Voice(random, tale.people)
  const used = new Map<Compiled, number>()
  let text = ''
  /** The sentence that is still open for another clause, and the clause it ends with. */
  let sentence = ''
  let last: { told: Told; pattern: Pattern; joined: boolean } | undefined
  const close = (): void => {
    if (sentence) text += capital(sentence) + (/[.!?"]$/.test(sentence) ? '' : '.')
    sentence = ''
  }
  const choose = (told: Told): Pattern => {
    const event = events().get(told.kind)!
    // No wording twice in a row in one story: the second use of an event takes another one.
    const before = used.get(event)
    const count = event.patterns.length
    let i = random.below(count)
    if (before !== undefined && i === before && count > 1) i = (i + 1 + random.below(count - 1)) % count
    used.set(event, i)
    return event.patterns[i]!
  }
  for (const told of tale.events) {
    const pattern = choose(told)
    const { lead } = told
    if (told.paragraph) {
      close()
      text += '\n\n'
      last = undefined
    }
    const joint = lead === 'and' || lead === 'but' || lead === 'so' || lead === 'after' ? lead : undefined
    const canJoin =
      joint &&
      last &&
      !last.joined &&
      !last.pattern.sentence &&
      pattern.open &&
      sentence.length < joinLimit &&
      !/, (but|and|so|then|because) /.test(sentence) &&
      !pattern.text.includes(', but ') &&
      !(joint === 'but' && sentence.startsWith('But ')) &&
      !sentence.includes(',')
    if (canJoin && random.chance(joint === 'after' ? 0.35 : 0.65)) {
      const same =
        pattern.subject !== undefined &&
        last!.pattern.subject !== undefined &&
        pattern.subject.w === undefined &&
        last!.pattern.subject.w === undefined &&
        told.args[pattern.subject.v] === last!.told.args[last!.pattern.subject.v]
      let joiner = random.pick(joints[joint])
      const elide = same && (joint === 'and' || joint === 'after') && random.chance(0.8)
      if (joint === 'and' || joint === 'after') {
        if (elide && joiner.startsWith(', and')) joiner = joiner.slice(1)
        if (!elide && joiner.startsWith(' ')) joiner = `,${joiner}`
      }
      sentence += joiner + voice.say(pattern, told.args, elide)
      said.push(voice.said)
      sentences.push(count)
      last = { told, pattern, joined: true }
      continue
    }
    close()
    count++
    if (text && !text.endsWith('\n')) text += ' '
    sentence = opener(told, pattern, random, text === '' || text.endsWith('\n')) + voice.say(pattern, told.args)
    said.push(voice.said)
    sentences.push(count)
    last = { told, pattern, joined: false }
  }
  close()
  return { text, said, sentences }
}

function opener(told: Told, pattern: Pattern, random: Random, first: boolean): string {
  if (!pattern.open) return ''
  const { lead } = told
  if (lead === 'but' && pattern.text.includes(', but ')) return ''
  if (lead === 'but' || lead === 'so') return leads[lead]
  if (lead === 'next' || lead === 'one') return random.pick(openers[lead])
  if (lead === 'plain') return ''
  const kind = lead === 'after' ? 'after' : (events().get(told.kind)!.definition.opener ?? 'none')
  if (kind === 'none') return ''
  const often =
    kind === 'sudden' || kind === 'last'
      ? 0.6
      : kind === 'one'
        ? first
          ? 0.9
          : 0
        : first
          ? 0.1
          : lead === 'after'
            ? 0.6
            : 0.12
  if (!random.chance(often)) return ''
  const words = random.pick(openers[kind])
  return words.startsWith('But ') && pattern.text.includes(', but ') ? '' : words
}
