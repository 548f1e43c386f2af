import { readFile } from 'node:fs/promises'
import { fromGguf } from '@cria/tokenizer'
import { bytesSource, openGguf } from '@cria/weights'
import { checkInstruction, questions, Random, story } from '@cria/world'
import { expect, test } from 'vitest'
import { context } from './sizes.js'
import { examination, ordered } from './study.js'

const storyteller = new URL('../../../packages/storyteller/storyteller.gguf', import.meta.url)
const tokenizer = fromGguf((await openGguf(bytesSource(await readFile(storyteller)))).metadata)

/** Without line ends, which are in the token that ends a sentence. */
const plain = (text: string): string => text.replace(/\s+/g, ' ').trim()

test('of a story that is asked about, the answers are learned, and where the last ends', () => {
  for (let i = 0; i < 50; i++) {
    const { text, ...one } = story(1, i)
    const asked = questions({ text, ...one }, new Random(1, i, 5))
    const { tokens, counted } = examination(tokenizer, text, asked)
    const ids = Array.from(tokens)
    const learned = tokenizer.decode(ids.filter((_, at) => counted![at]))
    const kept = tokenizer.decode(ids).split('\nQuestion: ').length - 1
    expect(ids.length).toBeLessThanOrEqual(context)
    expect(ids.length === counted!.length && Array.from(counted!).at(-1)).toBe(true)
    expect(ids.at(-1)).toBe(tokenizer.eosId)
    const answers = asked.slice(0, kept).map(({ answer }) => ` ${answer}`)
    expect(plain(learned)).toBe(plain(answers.join('')))
    if (kept < asked.length) expect(ids.length, 'there was room for one more').toBeGreaterThan(context - 80)
  }
})

test('of a story longer than a row nothing is learned', () => {
  const long = Array.from({ length: 60 }, (_, i) => story(2, i).text).join('\n\n')
  const { tokens, counted } = examination(tokenizer, long, questions(story(2, 0), new Random(1)))
  expect(Array.from(counted!)).toEqual(Array.from(tokens, () => false))
  expect(tokenizer.decode(Array.from(tokens))).toBe(long)
})

test('each ending is ordered as often, and the story has it', () => {
  const all = [...ordered(1, 0, 4)]
  expect(all.map(([, order]) => order.constraints.ending).sort()).toEqual(
    ['bittersweet', 'happy', 'sad'].flatMap(ending => Array<string>(4).fill(ending)),
  )
  for (const [one, order] of all) expect(checkInstruction(order.text, one.text)).toMatchObject({ followed: true })
})
