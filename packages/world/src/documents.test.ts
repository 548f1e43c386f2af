import { expect, test } from 'vitest'
import { document, documents } from './documents.js'
import { WorldError } from './errors.js'
import { checkInstruction, instructionFor, parseInstruction } from './instructions.js'
import { preference } from './preferences.js'
import { questions } from './questions.js'
import { Random } from './random.js'
import { story } from './story.js'

test('questions have one right answer among their choices', () => {
  for (let i = 0; i < 300; i++)
    for (const question of questions(story(5, i), new Random(5, i, 9))) {
      expect(question.choices.filter(choice => choice === question.answer)).toHaveLength(1)
      expect(new Set(question.choices).size).toBe(question.choices.length)
      expect(question.choices.length).toBeGreaterThan(1)
      expect(question.question).toMatch(/^[A-Z].*\?$/)
      expect(question.answer).toMatch(/^[A-Z].*\.$/)
    }
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

test('a split that there is not is refused by name', () => {
  for (const make of [() => story(1, 1, 'test' as 'train'), () => document(1, 1, { split: 'test' as 'train' })]) {
    expect(make).toThrow(WorldError)
    expect(make).toThrow(/story: got "test", expected the split 'train' or 'heldout'/)
  }
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
