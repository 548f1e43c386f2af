/** WebGPU in headless Chromium: the same backend, bundled, on a page of its own. */
import { chromiumMissing, servePage } from '@cria/chromium'
import { expect, test } from 'vitest'
import type { PageReport } from '../test/page.js'

test.skipIf(chromiumMissing())('part of the conformance suite passes (needs Chromium, which CI has)', async () => {
  await using page = await servePage({
    script: new URL('../test/page.ts', import.meta.url),
    args: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  })
  const report = (await page.call('conformance')) as PageReport
  expect(report.failures).toEqual([])
  expect(report.passed).toBeGreaterThan(100)
})
