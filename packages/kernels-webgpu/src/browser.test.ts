/** WebGPU in headless Chromium: the same backend, bundled, on a page of its own. */
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import type { PageReport } from '../test/page.js'
import { browserPath } from './testing.js'

const executablePath = browserPath()

test.skipIf(executablePath === undefined && !process.env.CI)(
  'a part of the conformance suite passes in Chromium',
  { timeout: 180_000 },
  async () => {
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL('../test/page.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['cria-source'],
    })
    const script = bundle.outputFiles[0]!.text
    // WebGPU needs a secure context, and localhost is one.
    const server = createServer((request, response) => {
      const page = request.url === '/page.js'
      response.setHeader('content-type', page ? 'text/javascript' : 'text/html')
      response.end(page ? script : '<!doctype html><script type="module" src="/page.js"></script>')
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const browser = await chromium.launch({
      executablePath: executablePath!,
      args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    })
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
      await page.waitForFunction('typeof conformance === "function"')
      const report = (await page.evaluate('conformance()')) as PageReport
      expect(report.failures).toEqual([])
      expect(report.passed).toBeGreaterThan(100)
    } finally {
      await browser.close()
      server.close()
    }
  },
)
