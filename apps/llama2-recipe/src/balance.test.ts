import { document, Random, story } from '@cria/world'
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

test('what is learned is as varied as the world, and no story is learned by heart', () => {
  const even = spread(told.map(({ text }) => text))
  const before = spread(narrow.map(one => one.document))
  const after = spread(balanced(narrow, new Random(1, 1)).map(one => one.document))
  expect(before.plots.storm).toBeGreaterThan(4 * even.plots.storm!)
  expect(after.plots.storm).toBeLessThan(1.3 * even.plots.storm!)
  expect(after.even).toBeGreaterThan(0.95 * even.even)
  for (const ending of ['happy', 'sad', 'bittersweet'])
    expect(Math.abs(after.endings[ending]! - even.endings[ending]!)).toBeLessThan(0.03)
  const times = new Map<string, number>()
  for (const { document } of balanced(narrow, new Random(1, 1))) times.set(document, (times.get(document) ?? 0) + 1)
  expect(Math.max(...times.values())).toBeLessThanOrEqual(6)
})

test('orders of others, orders of its own and free stories stay in the shares in which they were told', () => {
  const all = Array.from({ length: 1000 }, (_, i) => document(43, i)).map(
    ({ text, kind }, i): Accepted => ({
      document: text,
      prompt: kind === 'instruction' && i % 2 ? text.slice(0, 40) : '',
    }),
  )
  const count = (list: readonly Accepted[], own: boolean): number =>
    list.filter(({ document, prompt }) => document.startsWith('Instruction: ') && (prompt === '') === own).length
  const after = balanced(all, new Random(1, 2))
  for (const own of [true, false]) expect(count(after, own) / count(all, own)).toBeCloseTo(1, 0.6)
})
