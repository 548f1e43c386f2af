import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Accepted, accepted, tellShare } from './telling.js'

const gguf = fileURLToPath(new URL('../../../packages/storyteller/storyteller.gguf', import.meta.url))

test('however many processes tell, the same is accepted in the same order', { timeout: 60_000 }, async () => {
  const telling = { gguf, seed: 3, round: 1, documents: 24, heat: 0.7 }
  const alone: Accepted[] = []
  for await (const [, one] of tellShare({ ...telling, first: 0, of: 1 })) alone.push(one)
  expect(alone.length).toBeGreaterThan(2)
  expect(alone.some(({ prompt }) => prompt !== '') && alone.some(({ prompt }) => prompt === '')).toBe(true)
  expect(await accepted({ ...telling, processes: 3 })).toEqual(alone)
})

test('what goes wrong in a process is an error', { timeout: 60_000 }, async () => {
  const missing = { gguf: 'nowhere.gguf', seed: 3, round: 1, documents: 2, heat: 0.7 }
  await expect(accepted(missing)).rejects.toThrow(/ended with 1/)
})
