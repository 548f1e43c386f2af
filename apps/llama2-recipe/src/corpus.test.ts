import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { vocabulary } from './corpus.js'

test('each seed has its own vocabulary in a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recipe-'))
  const of = async (seed: number): Promise<string[]> => {
    const tokenizer = await vocabulary(folder, seed, 600)
    return Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.piece(id)!)
  }
  const first = await of(1)
  expect(await of(2)).not.toEqual(first)
  expect(await of(1)).toEqual(first)
})
