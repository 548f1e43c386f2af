import type { ViteUserConfig } from 'vitest/config'

// Tests run from TypeScript source: the `cria-source` condition resolves every @cria package to its src/.
const conditions = process.env.TEST_BUILT ? [] : ['cria-source']

const config: ViteUserConfig = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,apps,tools}/**/*.test.ts'],
    exclude: ['**/{node_modules,dist,build,.cache}/**'],
    testTimeout: 60_000,
  },
}

export default config
