import { expect, test } from 'vitest'
import { complete } from './manifests.js'

const manifest = {
  name: '@cria/a',
  version: '1.2.3',
  exports: {
    '.': { 'cria-source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' },
    './package.json': './package.json',
  },
  scripts: { build: 'something else' },
}

test('what is published has no source condition, and its entries keep their order', () => {
  const { publishConfig, exports } = complete('packages/a', manifest)
  expect(JSON.stringify(publishConfig)).toBe(
    '{"access":"public","exports":{".":{"types":"./dist/index.d.ts","default":"./dist/index.js"},"./package.json":"./package.json"}}',
  )
  expect(exports).toEqual(manifest.exports)
})

test('completing twice changes nothing, and a build script of its own stays', () => {
  const once = complete('packages/a', manifest)
  expect(complete('packages/a', once)).toEqual(once)
  expect(once.scripts?.build).toBe('something else')
})
