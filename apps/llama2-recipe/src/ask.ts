/**
 * Questions about held-out stories, answered twice: by likelihood, as the choice that the model finds likeliest after the
 * story, and in writing, where nothing is offered.
 */
import type { LanguageModel } from '@cria/eval'
import { formatQuestion, type Question, questions, Random, type Story, story } from '@cria/world'

export interface Answers {
  readonly questions: number
  /** Share answered right. */
  readonly accuracy: number
  /** The same without the story before the question: what the wording of an answer gives away. */
  readonly blind: number
  /** Mean of one over the number of choices. */
  readonly chance: number
  /** Of the questions that were answered in writing, greedily, how many to the letter. */
  readonly written: { readonly asked: number; readonly exact: number }
}

export interface AskOptions {
  readonly seed: number
  /** Held-out stories, of which everything is asked. */
  readonly stories: number
  /** Questions of each kind that are answered in writing too. */
  readonly written: number
}

interface Asked {
  readonly question: Question
  readonly text: string
  readonly kind: string
}

/** What somebody was is the hardest to remember, as it is said once: a kind of its own. */
const kindOf = ({ question, about }: Question): string => (/^Who was [A-Z][a-z]+\?$/.test(question) ? 'who' : about)

/** What is asked: all that has a choice of some stories, and of others only how they end, so that no ending is commoner. */
function asking({ seed, stories }: AskOptions): Asked[] {
  const each = Math.ceil(stories / 5)
  const endings = new Map<string, number>()
  const asked: Asked[] = []
  const ask = (one: Story, question: Question): void => {
    asked.push({ question, text: one.text, kind: kindOf(question) })
  }
  for (let i = 0; i < 20 * stories; i++) {
    const one = story(seed, i, 'heldout')
    for (const question of questions(one, new Random(seed, i, 4))) {
      const { about, answer, choices } = question
      if (about === 'ending') {
        const had = endings.get(answer) ?? 0
        endings.set(answer, had + 1)
        if (had < each) ask(one, question)
      } else if (i < stories && choices.length > 1) ask(one, question)
    }
    if (i >= stories && endings.size === 3 && [...endings.values()].every(had => had >= each)) break
  }
  return asked
}

export async function ask(
  lm: LanguageModel,
  options: AskOptions,
): Promise<{ all: Answers; about: Record<string, Answers> }> {
  const asked = asking(options)
  const kinds = [...new Set(asked.map(({ kind }) => kind))].sort()
  const of = (kind: string): Asked[] => asked.filter(one => one.kind === kind)
  const right = await choose(lm, asked, text => `${text}\n\n`)
  const blind = await choose(lm, asked, () => '')
  const sample = kinds.flatMap(kind => of(kind).slice(0, options.written))
  const exact = await write(lm, sample)
  const judge = (list: readonly Asked[]): Answers => {
    const mean = (of: (one: Asked) => number): number => list.reduce((sum, one) => sum + of(one), 0) / list.length
    const own = new Set(list)
    return {
      questions: list.length,
      accuracy: mean(one => Number(right.has(one))),
      blind: mean(one => Number(blind.has(one))),
      chance: mean(one => 1 / one.question.choices.length),
      written: {
        asked: sample.filter(one => own.has(one)).length,
        exact: sample.filter(one => own.has(one) && exact.has(one)).length,
      },
    }
  }
  return { all: judge(asked), about: Object.fromEntries(kinds.map(kind => [kind, judge(of(kind))])) }
}

/** The questions whose answer is the likeliest of the choices. */
async function choose(
  lm: LanguageModel,
  asked: readonly Asked[],
  before: (text: string) => string,
): Promise<Set<Asked>> {
  const requests = asked.flatMap(({ question, text }) =>
    question.choices.map(choice => ({
      context: before(text) + formatQuestion(question, false),
      continuation: ` ${choice}`,
    })),
  )
  const logprobs = (await lm.loglikelihood(requests)).map(answer => answer.logprob)
  let next = 0
  const right = asked.filter(({ question: { choices, answer } }) => {
    const own = logprobs.slice(next, (next += choices.length))
    return choices[own.indexOf(Math.max(...own))] === answer
  })
  return new Set(right)
}

/** The questions whose answer the model writes to the letter. */
async function write(lm: LanguageModel, asked: readonly Asked[]): Promise<Set<Asked>> {
  const written = await lm.generateUntil(
    asked.map(({ question, text }) => ({
      context: `${text}\n\n${formatQuestion(question, false)}`,
      until: ['\n'],
      maxTokens: 48,
    })),
  )
  return new Set(asked.filter(({ question }, i) => written[i]!.trim() === question.answer))
}
