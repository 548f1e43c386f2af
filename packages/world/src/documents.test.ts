import { expect, test } from 'vitest'
import { checkStory } from './checker.js'
import { document, documents } from './documents.js'
import { WorldError } from './errors.js'
import { capital } from './grammar/render.js'
import { checkInstruction, instructionFor } from './instructions.js'
import { allSpecies, grownTraits, traits } from './lexicon/people.js'
import { regions } from './lexicon/places.js'
import { allNouns } from './lexicon/things.js'
import { topicLists } from './lexicon/topics.js'
import { mutate } from './mutate.js'
import { preference } from './preferences.js'
import { questions } from './questions.js'
import { Random } from './random.js'
import { mishaps, parseInstruction, say } from './request.js'
import { story } from './story.js'

test('questions have one right answer among their choices', () => {
  for (let i = 0; i < 300; i++)
    for (const question of questions(story(5, i), new Random(5, i, 9))) {
      expect(question.choices.filter(choice => choice === question.answer)).toHaveLength(1)
      expect(new Set(question.choices).size).toBe(question.choices.length)
      expect(question.question).toMatch(/^[A-Z].*\?$/)
      expect(question.answer).toMatch(/^[A-Z].*\.$/)
    }
})

test('a sentence within a question begins small, and why somebody was sad is what it was about', () => {
  const causes = { gift: 0, garden: 0 }
  // These keep their capital: mending them changes the text that the storyteller was trained on.
  const begins = [...topicLists.threat, ...topicLists.storm].map(({ forms }) => forms.base!.split(' ')[0]!)
  const known = new Set(['An', ...begins.map(capital)])
  for (let i = 0; i < 1500; i++) {
    const one = story(5, i)
    for (const { question, answer } of questions(one, new Random(5, i, 9))) {
      const names = one.tale.people.map(({ name }) => name)
      for (const [, word] of question.matchAll(/(?:: |, or )([A-Z][a-z]*)/g))
        if (!known.has(word!)) expect(names, question).toContain(word)
      const { plot } = one.tale.sketch
      if (!question.startsWith('Why was ') || (plot !== 'gift' && plot !== 'garden')) continue
      causes[plot]++
      expect(answer).toMatch(plot === 'gift' ? /had no money/ : /waited, but nothing grew/)
    }
  }
  expect(Math.min(causes.gift, causes.garden)).toBeGreaterThan(20)
})

test('an instruction is read back from its words and followed by its story', () => {
  for (let i = 0; i < 300; i++) {
    const one = story(6, i)
    const { text, constraints } = instructionFor(one, new Random(6, i, 9))
    expect(parseInstruction(text), text).toEqual(constraints)
    const report = checkInstruction(text, one.text)
    if (!report.followed) expect(report.missed, `${text}\n${one.text}`).toEqual([])
  }
})

test('whatever can be asked for is read back', () => {
  const random = new Random(6, 1, 10)
  const places = regions.flatMap(region => region.places)
  for (let i = 0; i < 5000; i++) {
    const all = {
      kind: random.pick(allSpecies).noun,
      trait: random.pick([...traits, ...grownTraits]),
      name: 'Mia',
      thing: random.pick(allNouns).noun,
      place: random.pick(places).noun,
      mishap: random.pick(Object.keys(mishaps)),
      ending: random.pick(['happy', 'sad', 'bittersweet'] as const),
      word: 'ends',
      atMost: 100,
      atLeast: 10,
    }
    const some = Object.fromEntries(Object.entries(all).filter(() => random.chance(0.5)))
    const text = say(some, random)
    expect(parseInstruction(text), text).toEqual(some)
  }
})

test.each([
  [
    'Tell a story about a fox who loses a kite and ends happy.',
    { kind: 'fox', mishap: 'loses something', thing: 'kite', ending: 'happy' },
  ],
  ['Tell a story about a brave fox.', { kind: 'fox', trait: 'brave' }],
  ['a story about an honest old woman called Mia', { kind: 'old woman', trait: 'honest', name: 'Mia' }],
  ['Write about a boy who loses his red toy train.', { kind: 'boy', mishap: 'loses something', thing: 'toy train' }],
  [
    'Write about a girl who tells the truth, with a sad ending.',
    { kind: 'girl', mishap: 'tells the truth', ending: 'sad' },
  ],
  ['Write a story about a dog who ends happily!', { kind: 'dog', ending: 'happy' }],
  ['Tell a story about a fox who eats the moon.', { kind: 'fox', mishap: 'eats the moon' }],
])('read from other words: %s', (text, constraints) => {
  expect(parseInstruction(text)).toEqual(constraints)
})

test('what nobody can ask for is missed, never a crash', () => {
  const { text } = story(6, 1)
  expect(checkInstruction('Tell a story about a fox who constructor.', text).missed).toContain('nobody constructor')
  for (const odd of ['((', '[', '*', '\\', 'constructor', '__proto__'])
    for (const key of ['kind', 'trait', 'name', 'thing', 'place', 'mishap', 'word'] as const)
      expect(checkInstruction({ [key]: odd }, text).followed, `${key}: ${odd}`).toBe(false)
  expect(checkInstruction({ place: 'hill' }, 'Clouds sailed over the hills.').followed).toBe(false)
})

test('a trait is asked of the hero', () => {
  const { text, tale } = story(6, 1)
  expect(checkInstruction({ trait: tale.hero.trait }, text).followed).toBe(true)
  expect(checkInstruction({ trait: 'purple' }, text).followed).toBe(false)
})

test('a split that there is not is refused by name', () => {
  for (const make of [() => story(1, 1, 'test' as 'train'), () => document(1, 1, { split: 'test' as 'train' })]) {
    expect(make).toThrow(WorldError)
    expect(make).toThrow(/story: got "test", expected the split 'train' or 'heldout'/)
  }
})

test('arguments that name no story, no mixture and no damage are refused', () => {
  for (const number of [-1, 1.5, Number.NaN, 2 ** 60]) {
    expect(() => story(number, 0)).toThrow(WorldError)
    expect(() => document(1, number)).toThrow(/whole number ≥ 0 as the index/)
  }
  for (const weights of [{}, { story: -1 }, { story: Number.NaN }, { story: Number.POSITIVE_INFINITY }, { poem: 1 }])
    expect(() => document(1, 0, { weights })).toThrow(/document: got .* expected weights ≥ 0 of story, questions/)
  expect(() => mutate(story(1, 0), 'nope' as 'shuffle', new Random(1))).toThrow(/mutate: got "nope", expected one of/)
  for (const tolerance of [Number.NaN, 5, -1])
    expect(() => checkStory('A story.', { tolerance })).toThrow(/a tolerance from 0 to 1/)
})

test('an instruction is not followed by any story', () => {
  const followed = Array.from({ length: 200 }, (_, i) => {
    const { text } = instructionFor(story(6, i), new Random(6, i, 9))
    return checkInstruction(text, story(6, i + 5000).text).followed
  }).filter(Boolean).length
  expect(followed).toBeLessThan(20)
})

test('documents: by index what the iterator gives, in the shares asked for', () => {
  const kinds = { story: 0, questions: 0, instruction: 0 }
  let index = 0
  for (const one of documents({ seed: 9 })) {
    kinds[one.kind]++
    if (index === 123) expect(document(9, 123).text).toBe(one.text)
    if (one.kind === 'questions') expect(one.text).toContain('\n\nQuestion: ')
    if (one.kind === 'instruction') expect(one.text).toMatch(/^Instruction: .*\nStory:\n/)
    if (++index === 2000) break
  }
  expect(kinds.story / 2000).toBeCloseTo(0.5, 1)
  expect(kinds.questions / 2000).toBeCloseTo(0.3, 1)
  const [first] = documents({ seed: 9, from: 50, weights: { questions: 1 } })
  expect(first!.kind).toBe('questions')
  expect(first!.story.text).toBe(story(9, 50).text)
})

test('preference pairs differ and have a margin', () => {
  for (let i = 0; i < 200; i++) {
    const { chosen, rejected, margin } = preference(3, i)
    expect(chosen).not.toBe(rejected)
    expect(margin).toBeGreaterThan(0)
    expect(margin).toBeLessThanOrEqual(1)
  }
})
