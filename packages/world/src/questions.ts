/** Questions about a story, their short answers, and wrong answers that fit the story; made from what happened. */
import { events } from './events/index.js'
import { compile, isChoice, type Node, type Pattern } from './grammar/pattern.js'
import { capital, Voice } from './grammar/render.js'
import { allSpecies, men, traits, women } from './lexicon/people.js'
import { allNouns } from './lexicon/things.js'
import { type Topic, type TopicKind, topicLists } from './lexicon/topics.js'
import type { Random } from './random.js'
import { type Args, kindOf, type Person, type Thing, type Var } from './state/entities.js'
import type { Story } from './story.js'

export interface Question {
  readonly question: string
  readonly answer: string
  /** The answer among wrong ones, in no order. */
  readonly choices: readonly string[]
  readonly about: 'person' | 'thing' | 'place' | 'feeling' | 'gist' | 'other' | 'order' | 'why' | 'ending'
}

const compiled = new Map<string, Pattern>()
const patternOf = (text: string): Pattern => {
  let pattern = compiled.get(text)
  if (!pattern) compiled.set(text, (pattern = compile(text)))
  return pattern
}

function variables(nodes: readonly Node[], into: Set<Var> = new Set()): Set<Var> {
  for (const node of nodes) {
    if (typeof node === 'string') continue
    if (isChoice(node)) for (const option of node.options) variables(option, into)
    else {
      into.add(node.v)
      if (node.w) into.add(node.w)
    }
  }
  return into
}

const endings: Readonly<Record<string, string>> = {
  happy: 'It ended happily.',
  sad: 'It ended sadly.',
  bittersweet: 'It ended a little sadly and a little happily.',
}

/** All questions that this story answers, in a random order. */
export function questions(story: Story, random: Random): Question[] {
  const { tale, said } = story
  const out: Question[] = []
  const asked = new Set<string>()
  const speak = (pattern: Pattern, args: Args): string => capital(new Voice(random, tale.people).say(pattern, args))
  const add = (question: string, answer: string, wrong: readonly string[], about: Question['about']): void => {
    if (asked.has(question)) return
    asked.add(question)
    const others = [...new Set(wrong)].filter(text => text !== answer).slice(0, 3)
    if (others.length > 0) out.push({ question, answer, choices: random.shuffle([answer, ...others]), about })
  }
  const gists: { text: string; at: number }[] = []
  let constants: string[] = []
  for (const { definition } of events().values())
    for (const [, answer] of definition.ask ?? []) if (!answer.includes('<')) constants.push(`${capital(answer)}.`)
  constants = random.shuffle(constants)

  tale.events.forEach(({ kind, args }, i) => {
    const { definition } = events().get(kind)!
    const told = said[i]!
    const known = (pattern: Pattern): boolean => [...variables(pattern.nodes)].every(v => args[v] && told.has(v))
    if (definition.gist && known(patternOf(definition.gist)))
      gists.push({ text: `${speak(patternOf(definition.gist), args)}.`, at: i })
    if (kind === 'sad' && gists.length > 0) {
      const cause = gists.at(-1)!.text
      const name = args.a!.name
      const wrong = [
        ...gists.slice(0, -1).map(({ text }) => text),
        `${name} was hungry.`,
        `${name} was tired.`,
        'It was raining.',
      ]
      add(`Why was ${name} ${args.x!.forms.base}?`, cause, random.shuffle(wrong), 'why')
    }
    for (const [question, answer, about] of definition.ask ?? []) {
      const q = patternOf(question)
      const a = patternOf(answer)
      if (!known(q) || !known(a)) continue
      const wrong =
        [...variables(a.nodes)].length > 0
          ? alternatives(a, args, story, random).map(other => `${speak(a, other)}.`)
          : constants
      add(speak(q, args), `${speak(a, args)}.`, wrong, about)
    }
  })
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
  return random.shuffle(out)
}

const plain = (sentence: string): string => sentence.slice(0, -1)

/** Other bindings under which an answer would be wrong: first with what else is in the story, then with what could be. */
function alternatives(answer: Pattern, args: Args, { tale }: Story, random: Random): Args[] {
  const vars = [...variables(answer.nodes)]
  const of = (type: string): Var | undefined => vars.find(v => kindOf(v) === type)
  const v = of('topic') ?? of('thing') ?? of('place') ?? vars.at(-1)!
  const mine = args[v]
  const list: unknown[] = []
  const type = kindOf(v)
  if (type === 'topic') {
    const kind = (mine as Topic).kind as TopicKind
    // Two words for sorrow are no choice; joy and anger beside sorrow are.
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
