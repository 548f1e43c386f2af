/** The native addon against the contract, on every instruction set that this machine runs. */
import { readFileSync } from 'node:fs'
import { describeBackend } from '@cria/conformance'
import { expect, it } from 'vitest'
import { native } from './index.js'
import { remedy } from './native.js'

it('names a command that the root of the repository has', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  const named = [...remedy.matchAll(/`npm run ([\w:]+)`/g)].map(match => match[1]!)
  expect(named.length).toBeGreaterThan(0)
  for (const name of named) expect(scripts).toHaveProperty([name])
  // Bare `pnpm setup` is a command of pnpm's own.
  expect(remedy).not.toMatch(/pnpm/)
})

for (const isa of ['amx', 'avx512', 'avx2', 'neon', 'generic'] as const) {
  const device = await native({ isa, threads: 2 }).catch(() => undefined)
  device?.dispose()
  if (device !== undefined) describeBackend(`native ${isa}`, () => native({ isa, threads: 2 }))
}
