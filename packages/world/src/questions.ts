/** Questions about a story, their short answers, and wrong answers that fit the story; made from what happened. */
import { Choices } from './choices.js'
import { events } from './events/index.js'
import type { Pattern } from './grammar/pattern.js'
import { capital, Voice } from './grammar/render.js'
import { happenings, patternOf, variables } from './happenings.js'
import { allSpecies, men, traits, women } from './lexicon/people.js'
import { allNouns } from './lexicon/things.js'
import { type Topic, type TopicKind, topicLists } from './lexicon/topics.js'
import type { Random } from './random.js'
import { type Args, kindOf, type Person, type Thing, type Var } from './state/entities.js'
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
  /**
   * `drawn` are wrong answers, which are asked with unless there are `better` ones. What is drawn from `random` for them
   * decides the text of what comes after, so it is drawn all the same, and the better ones are drawn apart.
   */
  const add = (
    question: string,
    answer: string,
    drawn: readonly string[],
    about: Question['about'],
    better: (choices: Choices) => readonly string[] | undefined = () => undefined,
  ): void => {
    const answers = asked.get(question)
    if (answers) return void answers.add(answer)
    asked.set(question, new Set([answer]))
    const others = [...new Set(drawn)].filter(text => text !== answer).slice(0, 3)
    if (others.length === 0) return
    random.shuffle([answer, ...others])
    const apart = random.fork()
    const wrong = (): readonly string[] => better(new Choices(story, apart)) ?? drawn
    out.push({ question, answer, about, wrong, apart })
  }
  const gists: { text: string; at: number }[] = []
  let constants: string[] = []
  for (const { definition } of events().values())
    for (const [, answer] of definition.ask ?? []) if (!answer.includes('<')) constants.push(`${capital(answer)}.`)
  constants = random.shuffle(constants)

  for (const { kind, args, at, definition, known } of happenings(story)) {
    if (definition.gist && known(patternOf(definition.gist)))
      gists.push({ text: `${speak(patternOf(definition.gist), args)}.`, at })
    if (kind === 'sad' && gists.length > 0) {
      const cause = gists.at(-1)!.text
      const who = args.a!
      const drawn = [
        ...gists.slice(0, -1).map(({ text }) => text),
        `${who.name} was hungry.`,
        `${who.name} was tired.`,
        'It was raining.',
      ]
      add(`Why was ${who.name} ${args.x!.forms.base}?`, cause, random.shuffle(drawn), 'why', choices =>
        choices.causes(who),
      )
    }
    for (const ask of definition.ask ?? []) {
      const [q, a] = [patternOf(ask[0]), patternOf(ask[1])]
      if (!known(q) || !known(a)) continue
      const drawn =
        variables(a).size > 0 ? alternatives(a, args, story, random).map(other => `${speak(a, other)}.`) : constants
      add(speak(q, args), `${speak(a, args)}.`, drawn, ask[2], choices => choices.wrong(ask, args))
    }
  }
  for (let tries = 0; tries < 2 && gists.length > 2; tries++) {
    const first = random.below(gists.length - 1)
    const rest = gists.slice(first + 1).map(({ text }) => text)
    const some = random.shuffle(rest).slice(0, 2)
    if (tries === 0)
      add(
        `What happened first: ${[gists[first]!.text, ...some].sort().map(plain).join(', or ')}?`,
        gists[first]!.text,
        some,
        'order',
      )
    else
      add(
        'What happened last?',
        gists.at(-1)!.text,
        random.shuffle(gists.slice(0, -1).map(({ text }) => text)),
        'order',
      )
  }
  const end = endings[tale.world.ending!]!
  add('How did the story end?', end, Object.values(endings), 'ending')
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

const plain = (sentence: string): string => sentence.slice(0, -1)

/** Other bindings under which an answer would be wrong. Only those of places are asked with, see `drawn`. */
function alternatives(answer: Pattern, args: Args, { tale }: Story, random: Random): Args[] {
  const vars = [...variables(answer)]
  const of = (type: string): Var | undefined => vars.find(v => kindOf(v) === type)
  const v = of('topic') ?? of('thing') ?? of('place') ?? vars.at(-1)!
  const mine = args[v]
  const list: unknown[] = []
  const type = kindOf(v)
  if (type === 'topic') {
    const kind = (mine as Topic).kind as TopicKind
    const others = kind === 'sad' ? topicLists.glad : kind === 'glad' ? topicLists.sad : topicLists[kind]
    list.push(...random.shuffle(others).slice(0, 4))
  } else if (type === 'place') list.push(...random.shuffle(tale.path).slice(0, 4))
  else if (type === 'thing') {
    list.push(...random.shuffle(tale.world.things))
    const kin = allNouns.filter(noun => noun.looks === (mine as Thing).noun.looks)
    for (let i = 0; i < 4; i++) {
      const noun = random.pick(kin.length > 3 ? kin : allNouns)
      list.push({ noun, look: random.pick(noun.looks) })
    }
  } else {
    list.push(...random.shuffle(tale.world.people))
    for (let i = 0; i < 4; i++) {
      const he = (mine as Person).he
      const species = random.pick(allSpecies.filter(one => !one.sex || (one.sex === 'he') === he))
      list.push({ name: random.pick(he ? men : women), species, he, trait: random.pick(traits) })
    }
  }
  return list.filter(other => other !== mine).map(other => ({ ...args, [v]: other }))
}

/** The fixed format of a question in training text and prompts; a model continues after `Answer:`. */
export const formatQuestion = (question: Question, answered = true): string =>
  `Question: ${question.question}\nAnswer:${answered ? ` ${question.answer}` : ''}`
