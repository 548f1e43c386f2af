import { expect, test } from 'vitest'
import { allSpecies, men, women } from './lexicon/people.js'
import { topicLists } from './lexicon/topics.js'
import { type Question, questions } from './questions.js'
import { Random } from './random.js'
import { type Split, story } from './story.js'

const asked = (count: number, seed: number, split: Split): Question[] =>
  Array.from({ length: count }, (_, i) => questions(story(seed, i, split), new Random(seed, i, 4))).flat()

const names = new Set([...men, ...women])
const namesIn = (text: string): string[] => (text.match(/[A-Z][a-z]+/g) ?? []).filter(word => names.has(word))
const nameless = (text: string, named: readonly string[]): string =>
  text.replace(/[A-Z][a-z]+/g, word => (names.has(word) ? (named.includes(word) ? 'NAMED' : 'SOMEBODY') : word))

/** What can be known of a choice without the story: its words after this question, and what it shares with how many others. */
const signs: Readonly<Record<string, (question: Question, choice: string) => string>> = {
  wording: ({ question }, choice) =>
    `${nameless(question, namesIn(question))} ${nameless(choice, namesIn(question))}`.replace(/the [a-z -]+\?/, '?'),
  words: ({ about, question }, choice) => `${about} ${nameless(choice, namesIn(question))}`,
  company: ({ about, choices }, choice) => {
    const alike = (of: (choice: string) => unknown): number => choices.filter(one => of(one) === of(choice)).length
    const he = (text: string): string =>
      namesIn(text)
        .map(name => men.includes(name))
        .join()
    const kind = (text: string): string | undefined => allSpecies.find(({ noun }) => text.endsWith(` ${noun}.`))?.noun
    const glad = (text: string): boolean => topicLists.glad.some(({ forms }) => text.toLowerCase() === `${forms.base}.`)
    return [about, alike(he), alike(kind), alike(glad), alike(text => text.split(' ', 2)[1])].join()
  },
}

test('who knows how often each choice was right, but not the story, guesses', () => {
  const seen = asked(1000, 1, 'train')
  const fresh = asked(500, 3001, 'heldout')
  for (const [name, sign] of Object.entries(signs)) {
    const right = new Map<string, { times: number; of: number }>()
    for (const question of seen)
      for (const choice of question.choices) {
        const key = sign(question, choice)
        const { times, of } = right.get(key) ?? { times: 0, of: 0 }
        right.set(key, { times: times + Number(choice === question.answer), of: of + 1 })
      }
    const likely = (question: Question, choice: string): number => {
      const { times, of } = right.get(sign(question, choice)) ?? { times: 0, of: 0 }
      return (times + 1) / (of + question.choices.length)
    }
    // An order is guessed by who knows how stories go, and most end well: no wrong choice can hide that.
    for (const about of ['person', 'thing', 'place', 'feeling', 'why', 'other'] as const) {
      const list = fresh.filter(question => question.about === about && question.choices.length > 1)
      expect(list.length).toBeGreaterThan(150)
      const guessed = list.reduce((sum, question) => {
        const score = question.choices.map(choice => likely(question, choice))
        const best = question.choices.filter((_, i) => score[i] === Math.max(...score))
        return sum + (best.includes(question.answer) ? 1 / best.length : 0)
      }, 0)
      const chance = list.reduce((sum, { choices }) => sum + 1 / choices.length, 0)
      // Three standard deviations of guessing at so many questions.
      expect(guessed / list.length, `${about} by ${name}`).toBeLessThan(
        chance / list.length + 3 * Math.sqrt(0.19 / list.length),
      )
    }
  }
})

test('of who somebody was, kind and trait are offered twice each, of what somebody felt, words for the same', () => {
  for (const { question, choices, about } of asked(200, 5, 'train')) {
    if (/^Who was [A-Z][a-z]+\?$/.test(question)) {
      const parts = choices.map(choice => /^An? (\w+) (.+)\.$/.exec(choice)!)
      for (const part of [1, 2]) expect(new Set(parts.map(match => match[part])).size, choices.join(' ')).toBe(2)
    }
    if (about === 'feeling') {
      const list = /at the end/.test(question) ? topicLists.glad : topicLists.sad
      for (const choice of choices)
        expect(list.map(({ forms }) => `felt ${forms.base}.`)).toContain(choice.replace(/^\w+ /, ''))
    }
  }
})

test('whom the question names is no choice, nor what is as right', () => {
  for (const seed of [1, 2, 3]) {
    for (let i = 0; i < 100; i++) {
      const one = story(seed, i)
      const went = one.tale.events.filter(({ kind }) => kind === 'go' || kind === 'walkAlone')
      for (const { question, choices, answer, about } of questions(one, new Random(seed, i, 4))) {
        if (about === 'person')
          for (const name of namesIn(question)) expect(namesIn(choices.join(' '))).not.toContain(name)
        const who = /^Where did ([A-Z][a-z]+) go\?$/.exec(question)?.[1]
        for (const { args } of went)
          if (who === args.a!.name && !answer.endsWith(`${args.p!.noun}.`))
            expect(choices.filter(choice => choice.endsWith(` the ${args.p!.noun}.`))).toEqual([])
      }
    }
  }
})

test('a question that gives its answer away has no other choice', () => {
  const lonely = asked(300, 1, 'train').filter(
    ({ question }) => question.startsWith('Why was') && /lonely\?$/.test(question),
  )
  expect(lonely.length).toBeGreaterThan(5)
  for (const { choices, answer } of lonely) expect(choices).toEqual([answer])
})

test('who met somebody else too, unnamed at first, has no wrong choice of that name', () => {
  let two = 0
  for (let i = 0; i < 1500; i++) {
    const one = story(3001, i, 'heldout')
    for (const { question, answer, choices } of questions(one, new Random(3001, i, 4))) {
      const [, who] = /^Who did (\w+) meet\?$/.exec(question) ?? []
      if (who === undefined) continue
      const met = one.tale.events.filter(({ kind, args }) => kind === 'meet' && args.a?.name === who)
      const others = met.map(({ args }) => `${args.b!.name}.`).filter(name => name !== answer)
      two += Math.min(1, others.length)
      expect(choices.filter(choice => others.includes(choice))).toEqual([])
    }
  }
  expect(two).toBeGreaterThan(10)
})
