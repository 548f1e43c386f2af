import { defineConfig } from 'vitest/config'

// Tests run from TypeScript source: the `cria-source` condition resolves every @cria package to its src/.
const conditions = process.env.TEST_BUILT ? [] : ['cria-source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['{packages,apps,tools}/**/*.test.ts'], testTimeout: 60_000 },
})
