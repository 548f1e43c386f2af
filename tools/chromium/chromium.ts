/** Tests in headless Chromium: a script bundled from TypeScript, served with files beside it, on a page of its own. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const candidates = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome']
const executablePath = candidates.find(path => path && existsSync(path))

/** True where tests have no browser to expect. CI has one. */
export const chromiumMissing = (): boolean => executablePath === undefined && !process.env.CI

export interface Page extends AsyncDisposable {
  /** The result of `NAME(…args)`, a function that the page's script puts on `globalThis`; all as JSON. */
  call(name: string, ...args: unknown[]): Promise<unknown>
}

/** A script for a page, with the sources of our own packages in it. */
export async function bundle(script: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(script)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['cria-source'],
  })
  return outputFiles[0]!.text
}

/** The page at an address, in a browser of its own with the flags `args`. */
export async function openPage(url: string, args: readonly string[] = []): Promise<Page> {
  const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox', ...args] })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    return {
      async call(name, ...values) {
        await page.waitForFunction(`typeof ${name} === "function"`)
        return page.evaluate(`${name}(${values.map(value => JSON.stringify(value)).join()})`)
      },
      [Symbol.asyncDispose]: () => browser.close(),
    }
  } catch (error) {
    await browser.close()
    throw error
  }
}

export interface ServeOptions {
  /** Bundled, and served as `/page.js`, which the page loads. */
  readonly script: URL
  /** Served under `/files/`. */
  readonly files?: Readonly<Record<string, () => Uint8Array>>
  /** Flags of the browser. */
  readonly args?: readonly string[]
}

/**
 * A page with nothing but the script, from localhost: a secure context, which WebGPU needs.
 *
 * @example
 * await using page = await servePage({ script: new URL('../test/page.ts', import.meta.url) })
 * expect(await page.call('answer', 6, 7)).toBe(42)
 */
export async function servePage({ script, files = {}, args }: ServeOptions): Promise<Page> {
  const text = await bundle(script)
  const server = createServer(({ url = '' }, response) => {
    const file = url.startsWith('/files/') ? files[url.slice('/files/'.length)] : undefined
    const page = url === '/page.js'
    response.setHeader('content-type', file ? 'application/octet-stream' : page ? 'text/javascript' : 'text/html')
    response.end(file?.() ?? (page ? text : '<!doctype html><script type="module" src="/page.js"></script>'))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  try {
    const page = await openPage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, args)
    return {
      ...page,
      async [Symbol.asyncDispose]() {
        await page[Symbol.asyncDispose]()
        server.close()
      },
    }
  } catch (error) {
    server.close()
    throw error
  }
}
