/** The same tokens in Node, on a page in headless Chromium and in a worker there. */
import { chromiumMissing, servePage } from '@cria/chromium'
import { expect, test } from 'vitest'
import { everywhere } from '../test/everywhere.js'

test.skipIf(chromiumMissing())('Node, a page and a worker agree (needs Chromium, which CI has)', async () => {
  const here = await everywhere()
  const value = JSON.parse(here.json as string) as { n: number; tags: string[] }
  expect(value.n).toBeGreaterThan(2)
  expect(here.choice).toMatch(/^(yes|no)$/)
  expect(here.guessed).toEqual((here.texts as Record<string, number[]>).llamacpp)
  await using page = await servePage({ script: new URL('../test/page.ts', import.meta.url) })
  const [onPage, inWorker] = (await page.call('sampling')) as [unknown, unknown]
  expect(onPage).toEqual(here)
  expect(inWorker).toEqual(here)
})
