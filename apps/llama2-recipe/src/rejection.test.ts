import { readFile } from 'node:fs/promises'
import { fromGguf } from '@cria/tokenizer'
import { bytesSource, openGguf } from '@cria/weights'
import { document, formatInstruction } from '@cria/world'
import { expect, test } from 'vitest'
import { repetition } from './copying.js'
import { lesson } from './rejection.js'
import { orderOf, storyOf } from './tell.js'
import { acceptable } from './telling.js'

const storyteller = new URL('../../../packages/storyteller/storyteller.gguf', import.meta.url)
const tokenizer = fromGguf((await openGguf(bytesSource(await readFile(storyteller)))).metadata)
const documents = Array.from({ length: 200 }, (_, i) => document(5, i))
const learned = ({ tokens, counted }: ReturnType<typeof lesson>): string =>
  tokenizer.decode(Array.from(tokens).filter((_, i) => counted![i]))

test('the parts of a document are found', () => {
  for (const { text, story, instruction } of documents) {
    expect(storyOf(text)).toBe(story.text)
    expect(orderOf(text)).toBe(instruction?.text)
  }
})

test('of a document the story is learned with its end, of questions that they come, of a prompt nothing', () => {
  for (const { text, kind, story, instruction } of documents) {
    const prompt = instruction ? formatInstruction(instruction) : ''
    const made = lesson(tokenizer, text, prompt)
    const ends = made.tokens[made.tokens.length - 1] === tokenizer.eosId
    expect(ends).toBe(kind !== 'questions')
    expect(learned(made).trim()).toBe(kind === 'questions' ? `${story.text}\n\nQuestion:` : story.text)
    expect(made.counted![0], 'the beginning token').toBe(false)
  }
})

test('what the world tells is accepted, and refused where it does not hold together or does not obey', () => {
  for (const { text } of documents) expect(acceptable(text), text).toBe(true)
  const ordered = documents.filter(d => d.kind === 'instruction')
  const disobeyed = ordered.filter(d =>
    acceptable(`${formatInstruction('Tell a story about a dragon.')}${d.story.text}`),
  )
  expect(disobeyed).toEqual([])
  const { text } = documents.find(d => d.kind === 'story')!
  expect(acceptable(text.slice(0, text.length / 2))).toBe(false)
  expect(acceptable(`${text} Zorblax frumped the gleep.`)).toBe(false)
})

test('repetition is the share of runs of twelve words that another story has too', () => {
  const words = (from: number): string => Array.from({ length: 13 }, (_, i) => `w${from + i}`).join(' ')
  expect(repetition([words(0), words(100)])).toBe(0)
  expect(repetition([words(0), words(0)])).toBe(1)
  expect(repetition([words(0), words(1)]), 'one run of two in each').toBe(0.5)
})
