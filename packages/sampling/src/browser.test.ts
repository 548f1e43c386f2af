/** The same tokens in Node, on a page in headless Chromium and in a worker there. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { everywhere } from '../test/everywhere.js'

const browsers = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome']
const executablePath = browsers.find(path => path && existsSync(path))

test.skipIf(executablePath === undefined && !process.env.CI)(
  'Node, a page and a worker agree (needs Chromium, which CI has)',
  async () => {
    const here = await everywhere()
    const value = JSON.parse(here.json as string) as { n: number; tags: string[] }
    expect(value.n).toBeGreaterThan(2)
    expect(here.choice).toMatch(/^(yes|no)$/)
    expect(here.guessed).toEqual((here.texts as Record<string, number[]>).llamacpp)
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL('../test/page.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['cria-source'],
    })
    const script = bundle.outputFiles[0]!.text
    const server = createServer((request, response) => {
      const page = request.url === '/page.js'
      response.setHeader('content-type', page ? 'text/javascript' : 'text/html')
      response.end(page ? script : '<!doctype html><script type="module" src="/page.js"></script>')
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
      await page.waitForFunction('typeof sampling === "function"')
      const [onPage, inWorker] = (await page.evaluate('sampling()')) as [unknown, unknown]
      expect(onPage).toEqual(here)
      expect(inWorker).toEqual(here)
    } finally {
      await browser.close()
      server.close()
    }
  },
)
