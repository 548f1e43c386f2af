import { Random, story } from '@cria/world'
import { expect, test } from 'vitest'
import { balanced } from './balance.js'
import { spread } from './spread.js'
import type { Accepted } from './telling.js'

const told = Array.from({ length: 900 }, (_, i) => story(41, i))
/** A model that hardly loses or says goodbye, and loves a storm. */
const narrow = told.flatMap(({ text, tale: { sketch } }, i): Accepted[] =>
  (sketch.plot === 'lost' || sketch.plot === 'farewell') && i % 2
    ? []
    : Array(sketch.plot === 'storm' ? 6 : 1).fill({ document: text, prompt: '' }),
)

test('what is learned is as varied as the world', () => {
  const even = spread(told.map(({ text }) => text))
  const before = spread(narrow.map(one => one.document))
  const after = spread(balanced(narrow, new Random(1, 1)).map(one => one.document))
  expect(before.plots.storm).toBeGreaterThan(4 * even.plots.storm!)
  expect(after.plots.storm).toBeLessThan(1.3 * even.plots.storm!)
  expect(after.even).toBeGreaterThan(0.95 * even.even)
  for (const ending of ['happy', 'sad', 'bittersweet'])
    expect(Math.abs(after.endings[ending]! - even.endings[ending]!)).toBeLessThan(0.03)
})

test('what is rare is learned three times at most', () => {
  const [first, ...others] = told.filter(({ tale }) => tale.sketch.plot === 'farewell')
  const rare = told.filter(one => !others.includes(one)).map(({ text }): Accepted => ({ document: text, prompt: '' }))
  const after = balanced(rare, new Random(1, 2)).filter(one => one.document === first!.text)
  expect(others.length).toBeGreaterThan(10)
  expect(after.length).toBe(3)
})

test('how often something is told freely does not change what is learned of it to order', () => {
  const ordered = Array.from({ length: 600 }, (_, i): Accepted => ({ document: story(43, i).text, prompt: 'order' }))
  const storms = (list: readonly Accepted[]): number =>
    spread(list.filter(({ prompt }) => prompt !== '').map(one => one.document)).plots.storm!
  expect(storms(balanced([...narrow, ...ordered], new Random(1, 3))) / storms(ordered)).toBeGreaterThan(0.7)
})
