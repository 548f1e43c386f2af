/** Questions about held-out stories, answered by likelihood: the choice that the model finds likeliest after the story. */
import type { LanguageModel } from '@cria/eval'
import { formatQuestion, type Question, questions, Random, story } from '@cria/world'

export interface Answers {
  readonly questions: number
  /** Share answered right. */
  readonly accuracy: number
  /** The same without the story before the question: what the wording of an answer gives away. */
  readonly blind: number
  /** Mean of one over the number of choices. */
  readonly chance: number
}

/** `stories` held-out stories of a seed, all their questions; in all, and by what is asked about. */
export async function ask(
  lm: LanguageModel,
  { seed, stories }: { readonly seed: number; readonly stories: number },
): Promise<{ all: Answers; about: Record<string, Answers> }> {
  const asked: { question: Question; text: string }[] = []
  for (let i = 0; i < stories; i++) {
    const one = story(seed, i, 'heldout')
    for (const question of questions(one, new Random(seed, i, 4))) asked.push({ question, text: one.text })
  }
  const answer = async (before: (text: string) => string): Promise<boolean[]> => {
    const requests = asked.flatMap(({ question, text }) =>
      question.choices.map(choice => ({
        context: before(text) + formatQuestion(question, false),
        continuation: ` ${choice}`,
      })),
    )
    const logprobs = (await lm.loglikelihood(requests)).map(answer => answer.logprob)
    let next = 0
    return asked.map(({ question: { choices, answer } }) => {
      const own = logprobs.slice(next, (next += choices.length))
      return choices[own.indexOf(Math.max(...own))] === answer
    })
  }
  const right = await answer(text => `${text}\n\n`)
  const blind = await answer(() => '')
  const share = (list: readonly boolean[], at: readonly number[]): number =>
    at.filter(i => list[i]).length / Math.max(1, at.length)
  const of = (at: readonly number[]): Answers => ({
    questions: at.length,
    accuracy: share(right, at),
    blind: share(blind, at),
    chance: at.reduce((sum, i) => sum + 1 / asked[i]!.question.choices.length, 0) / Math.max(1, at.length),
  })
  const kinds = [...new Set(asked.map(({ question }) => question.about))].sort()
  return {
    all: of(asked.map((_, i) => i)),
    about: Object.fromEntries(
      kinds.map(kind => [kind, of(asked.flatMap((a, i) => (a.question.about === kind ? [i] : [])))]),
    ),
  }
}
