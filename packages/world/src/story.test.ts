import { expect, test } from 'vitest'
import { checkStory } from './checker.js'
import { phrases } from './lexicon/phrases.js'
import { mutate, mutationKinds } from './mutate.js'
import { Random } from './random.js'
import { splitOf, story } from './story.js'

const count = Number(process.env.WORLD_STORIES ?? 2000)

test(`the checker accepts every one of ${count} stories and understands every sentence`, () => {
  for (let i = 0; i < count; i++) {
    const { text } = story(7, i)
    const report = checkStory(text, { tolerance: 0 })
    if (!report.consistent) expect(report.problems, `story 7/${i}:\n${text}`).toEqual([])
  }
})

test('a story depends on seed, index and split alone', () => {
  const late = story(3, 1_000_000).text
  expect(story(3, 1_000_000).text).toBe(late)
  expect(story(3, 1_000_001).text).not.toBe(late)
  expect(story(4, 1_000_000).text).not.toBe(late)
  expect(story(3, 1_000_000, 'heldout').text).not.toBe(late)
})

test('no combination of plot, hero and thing is in both splits', () => {
  for (let i = 0; i < 300; i++) {
    expect(splitOf(story(2, i))).toBe('train')
    expect(splitOf(story(2, i, 'heldout'))).toBe('heldout')
  }
})

test('English: articles, capitals, quotes, ends of sentences', () => {
  for (let i = 0; i < 1000; i++) {
    const { text } = story(8, i)
    expect(text).not.toMatch(/\b[Aa] (?:[aeiou]|honest|hour)[a-z]*\b|\b[Aa]n (?!honest|hour)[^aeiou]/)
    expect(text).not.toMatch(/ {2}| [.,!?]|[.!?] [a-z]|,,|\.\.|undefined|[<>|$[\]()]/)
    expect((text.match(/"/g)?.length ?? 0) % 2, text).toBe(0)
    expect(text).not.toMatch(/\b(?:to|with|of|from|at) (?:he|she|they)\b/)
    for (const paragraph of text.split('\n\n').slice(1)) expect(paragraph).toMatch(/^["A-Z].*[.!?"]$/)
  }
})

test('contests are held where they can be, and nobody learns to swim, to skate or to row elsewhere than there', () => {
  const held = Array.from({ length: 2000 }, (_, i) => story(8, i).tale)
    .filter(({ sketch }) => sketch.plot === 'contest' || sketch.plot === 'learn')
    .map(({ events }) => {
      const { x } = events.find(({ kind }) => kind === 'announce' || kind === 'wantLearn')!.args
      const { p } = events.find(({ kind }) => kind === 'announce' || kind === 'out')!.args
      return `${x!.forms.base} at ${p!.noun}`
    })
  expect(new Set(held.map(one => one.replace(/ at .*/, ''))).size).toBeGreaterThan(27)
  for (const one of held) {
    if (/skat/.test(one)) expect(one).toMatch(/frozen pond$/)
    if (/swim|row a boat|boat race/.test(one)) expect(one).toMatch(/ at (pond|lake|beach|cove|harbor|pier|duck pond)$/)
    if (/sled/.test(one)) expect(one).toMatch(/snowy slope|sled hill/)
  }
})

test('a story turns aside at most once by day, and by night twice where its end does too', () => {
  const [day, night] = [phrases.tail!, phrases.nighttail!].map(list => new RegExp(list, 'g'))
  for (let i = 0; i < 1000; i++) {
    const { text } = story(8, i)
    expect(text.match(day!)?.length ?? 0, text).toBeLessThan(2)
    expect(text.match(night!)?.length ?? 0, text).toBeLessThan(3)
  }
})

test('the checker rejects damaged stories of every kind', () => {
  for (const kind of mutationKinds) {
    let made = 0
    let caught = 0
    for (let i = 0; i < 120; i++) {
      const one = story(12, i)
      const text = mutate(one, kind, new Random(12, i, 8), story(12, i + 1000))
      if (text === undefined || text === one.text) continue
      made++
      if (!checkStory(text).consistent) caught++
    }
    // bench/detect.ts measures; this holds the floor.
    if (made > 20) expect(caught / made, kind).toBeGreaterThan(kind === 'movePlace' ? 0.5 : 0.85)
  }
})
