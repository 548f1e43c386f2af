import { expect, test } from 'vitest'
import { checkStory } from './checker.js'
import { questions } from './questions.js'
import { Random } from './random.js'
import { story } from './story.js'

test('the checker accepts every generated story, and understands every sentence', () => {
  for (let i = 0; i < 1500; i++) {
    const { text } = story(7, i)
    const report = checkStory(text, { tolerance: 0 })
    expect(report.problems, `story 7/${i}:\n${text}`).toEqual([])
  }
})

test('a story depends on seed and index alone', () => {
  const late = story(3, 1_000_000).text
  expect(story(3, 1_000_000).text).toBe(late)
  expect(story(3, 1_000_001).text).not.toBe(late)
  expect(story(4, 1_000_000).text).not.toBe(late)
})

test('questions have one right answer among their choices', () => {
  for (let i = 0; i < 200; i++)
    for (const question of questions(story(5, i), new Random(5, i, 9))) {
      expect(question.choices.filter(choice => choice === question.answer)).toHaveLength(1)
      expect(new Set(question.choices).size).toBe(question.choices.length)
      expect(question.question).toMatch(/^[A-Z].*\?$/)
    }
})
