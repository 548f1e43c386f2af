/** Models by ranges and from files the user picked, in headless Chromium as in Node. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { everywhere } from '../test/everywhere.js'
import { hubServer } from '../test/hub-server.js'
import { tinyFolder } from '../test/tiny.js'
import { convert } from './convert/convert.js'
import { openModel } from './open.js'
import { memorySink } from './sink.js'

const browsers = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome']
const executablePath = browsers.find(path => path && existsSync(path))

test.skipIf(executablePath === undefined && !process.env.CI)(
  'Node and a page read the same, and fail alike (needs Chromium, which CI has)',
  async () => {
    const folder = await tinyFolder()
    const files: Record<string, Uint8Array> = {}
    for (const name of folder.files) {
      const source = await folder.open(name)
      files[name] = (await source.read(0, source.size)).slice()
    }
    const gguf = memorySink()
    await convert(await openModel(folder), gguf, { to: 'gguf', type: 'q8_0' })
    const model = { ...files, 'model.gguf': gguf.bytes() }
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL('../test/page.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['cria-source'],
    })
    const server = await hubServer({
      ...model,
      'page.js': new TextEncoder().encode(bundle.outputFiles[0]!.text),
      'page.html': new TextEncoder().encode('<!doctype html><script type="module" src="page.js"></script>'),
    })
    const hub = { endpoint: server.endpoint, files: Object.keys(model) }
    const here = await everywhere(hub)
    expect(here).toEqual({
      byRanges: here.byBlobs,
      byBlobs: expect.stringMatching(/^[0-9a-f]{64}$/),
      gguf: expect.stringMatching(/^[0-9a-f]{64}$/),
      cut: 'format',
      cutSafetensors: 'format',
      empty: 'format',
      none: 'missing',
      missing: 'missing',
    })
    const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      await page.goto(server.url('page.html'))
      await page.waitForFunction('typeof everywhere === "function"')
      expect(await page.evaluate(`everywhere(${JSON.stringify(hub)})`)).toEqual(here)
      expect(await page.evaluate('overwritten()')).toBe('missing')
    } finally {
      await browser.close()
      await server.close()
    }
  },
)
