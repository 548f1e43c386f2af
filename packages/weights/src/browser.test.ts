/** Models by ranges and from files the user picked, in headless Chromium as in Node. */
import { bundle, chromiumMissing, openPage } from '@cria/chromium'
import { expect, test } from 'vitest'
import { everywhere } from '../test/everywhere.js'
import { hubServer } from '../test/hub-server.js'
import { tinyFolder } from '../test/tiny.js'
import { convert } from './convert/convert.js'
import { openModel } from './open.js'
import { memorySink } from './sink.js'

test.skipIf(chromiumMissing())(
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
    const server = await hubServer({
      ...model,
      'page.js': new TextEncoder().encode(await bundle(new URL('../test/page.ts', import.meta.url))),
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
    try {
      await using page = await openPage(server.url('page.html'))
      expect(await page.call('everywhere', hub)).toEqual(here)
      expect(await page.call('overwritten')).toBe('missing')
    } finally {
      await server.close()
    }
  },
)
