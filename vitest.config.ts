import { readdirSync, readFileSync } from 'node:fs'
import type { ViteUserConfig } from 'vitest/config'

// Tests run from TypeScript source: the `cria-source` condition resolves every package of ours to its src/.
// TEST_BUILT=1 runs them against dist/ instead: those that import our packages by name, since a test that only looks at
// the file beside it would see the same source again.
const built = Boolean(process.env.TEST_BUILT)
const conditions = built ? [] : ['cria-source']

function importers(): string[] {
  return ['packages', 'apps', 'tools'].flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.test.ts') && !/(^|[\\/])(node_modules|dist|build|\.cache)[\\/]/.test(path))
      .map(path => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter(path => /from '(@cria\/|cria')|import\('@cria\//.test(readFileSync(path, 'utf8'))),
  )
}

const config: ViteUserConfig = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: built ? importers() : ['{packages,apps,tools}/**/*.test.ts'],
    exclude: ['**/{node_modules,dist,build,.cache}/**'],
    // Ends what hangs: a slow or busy machine is no failure.
    testTimeout: 600_000,
    slowTestThreshold: 2000,
  },
}

export default config
