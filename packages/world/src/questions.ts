/** Questions about a story, their short answers, and wrong answers that fit the story; made from what happened. */
import { Choices } from './choices.js'
import type { Pattern } from './grammar/pattern.js'
import { capital, Voice } from './grammar/render.js'
import { happenings, patternOf } from './happenings.js'
import type { Random } from './random.js'
import type { Args } from './state/entities.js'
import type { Story } from './story.js'

export interface Question {
  readonly question: string
  readonly answer: string
  /** The answer among wrong ones, in no order. Alone where the question gives it away: why who had no friends was lonely. */
  readonly choices: readonly string[]
  readonly about: 'person' | 'thing' | 'place' | 'feeling' | 'gist' | 'other' | 'order' | 'why' | 'ending'
}

const endings: Readonly<Record<string, string>> = {
  happy: 'It ended happily.',
  sad: 'It ended sadly.',
  bittersweet: 'It ended a little sadly and a little happily.',
}

/** All questions that this story answers, in a random order. */
export function questions(story: Story, random: Random): Question[] {
  const { tale } = story
  const out: (Omit<Question, 'choices'> & { wrong: () => readonly string[]; apart: Random })[] = []
  /** Each question with all its answers: somebody can go to two places. */
  const asked = new Map<string, Set<string>>()
  const speak = (pattern: Pattern, args: Args): string => capital(new Voice(random, tale.people).say(pattern, args))
  const add = (
    question: string,
    answer: string,
    about: Question['about'],
    wrong: (choices: Choices) => readonly string[],
  ): void => {
    const answers = asked.get(question)
    if (answers) return void answers.add(answer)
    asked.set(question, new Set([answer]))
    const apart = random.fork()
    out.push({ question, answer, about, wrong: () => wrong(new Choices(story, apart)), apart })
  }
  /** What happened, in order, each in a sentence. */
  const gists: string[] = []
  for (const { kind, args, definition, known } of happenings(story)) {
    if (definition.gist && known(patternOf(definition.gist))) gists.push(`${speak(patternOf(definition.gist), args)}.`)
    if (kind === 'sad' && gists.length > 0) {
      const who = args.a!
      add(`Why was ${who.name} ${args.x!.forms.base}?`, gists.at(-1)!, 'why', choices => choices.causes(who))
    }
    for (const ask of definition.ask ?? []) {
      const [q, a] = [patternOf(ask[0]), patternOf(ask[1])]
      if (known(q) && known(a)) add(speak(q, args), `${speak(a, args)}.`, ask[2], choices => choices.wrong(ask, args))
    }
  }
  if (gists.length > 2) {
    const first = random.below(gists.length - 1)
    const later = random.shuffle([...new Set(gists.slice(first + 1))].filter(text => text !== gists[first])).slice(0, 2)
    const named = [gists[first]!, ...later].sort().map(plain).join(', or ')
    if (later.length > 0) add(`What happened first: ${named}?`, gists[first]!, 'order', () => later)
    const before = gists.slice(0, -1).filter(text => text !== gists.at(-1))
    add('What happened last?', gists.at(-1)!, 'order', choices => choices.some(before))
  }
  const end = endings[tale.world.ending!]!
  add('How did the story end?', end, 'ending', () => Object.values(endings))
  return random.shuffle(out).map(({ question, answer, about, wrong, apart }) => {
    let choices: readonly string[] | undefined
    return {
      question,
      answer,
      about,
      // Made when they are looked at: training text has none.
      get choices() {
        const others = (): string[] => [...new Set(wrong())].filter(text => !asked.get(question)!.has(text)).slice(0, 3)
        return (choices ??= apart.shuffle([answer, ...others()]))
      },
    }
  })
}

/** A sentence within another; names stay as they are. */
const plain = (sentence: string): string =>
  sentence.slice(0, -1).replace(/^(?:A|The|There|It|Everyone) /, word => word.toLowerCase())

/** The fixed format of a question in training text and prompts; a model continues after `Answer:`. */
export const formatQuestion = (question: Question, answered = true): string =>
  `Question: ${question.question}\nAnswer:${answered ? ` ${question.answer}` : ''}`
