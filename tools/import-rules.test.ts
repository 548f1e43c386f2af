import { expect, test } from 'vitest'
import { findings } from './import-rules.js'
import type { Package } from './workspace.js'

const entry = (folder: string, name: string, fields: Partial<Package['manifest']> = {}): Package => ({
  folder,
  manifest: { name, version: '0.0.0', ...fields },
})
const tensor = entry('packages/tensor', '@cria/tensor')
const cpu = entry('packages/kernels-cpu', '@cria/kernels-cpu', { dependencies: { '@cria/tensor': 'workspace:^' } })
const llama = entry('packages/llama', '@cria/llama', {
  dependencies: { '@cria/tensor': 'workspace:^' },
  devDependencies: { '@cria/kernels-cpu': 'workspace:^' },
})
const train = entry('packages/train', '@cria/train', { dependencies: { '@cria/tokenizer': 'workspace:^' } })
const tokenizer = entry('packages/tokenizer', '@cria/tokenizer')
const house = [tensor, cpu, llama, train, tokenizer]

test('an orderly house has no findings', () => {
  const files = [
    { path: 'packages/tensor/src/index.ts', text: `export { a } from './a.js'` },
    { path: 'packages/tensor/src/a.ts', text: `import type { B } from './b.js'\nexport const a: B = 1` },
    { path: 'packages/tensor/src/b.ts', text: `import { a } from './a.js'\nexport type B = number\nconsole.log(a)` },
    { path: 'packages/llama/src/index.ts', text: `import { a } from '@cria/tensor'\nexport const b = a` },
    { path: 'packages/llama/src/model.test.ts', text: `import { cpu } from '@cria/kernels-cpu'` },
    { path: 'packages/train/src/node/tokenize.ts', text: `import '@cria/tokenizer'` },
  ]
  expect(findings(house, files)).toEqual([])
})

test.each([
  ['a circle of files', { path: 'packages/tensor/src/a.ts', text: `import './b.js'` }, /circle of files/],
  ['a model that names a backend', { path: 'packages/llama/src/x.ts', text: `import '@cria/kernels-cpu'` }, /no arrow/],
  [
    'an import outside the entry that may',
    { path: 'packages/train/src/step.ts', text: `import '@cria/tokenizer'` },
    /only its node entry/,
  ],
  [
    'an import that is not listed',
    { path: 'packages/llama/src/x.ts', text: `import '@cria/weights'` },
    /does not list/,
  ],
  [
    'a foreign import that is not listed',
    { path: 'packages/llama/src/x.ts', text: `import 'lodash'` },
    /does not list/,
  ],
  ['a re-export', { path: 'packages/llama/src/x.ts', text: `export * from '@cria/tensor'` }, /re-exports/],
  [
    'a reach into another package',
    { path: 'packages/llama/src/x.ts', text: `import '../../tensor/src/b.js'` },
    /reaches into/,
  ],
])('%s is found', (_, file, expected) => {
  const b = { path: 'packages/tensor/src/b.ts', text: `import './a.js'` }
  const weights = entry('packages/weights', '@cria/weights')
  expect(findings([...house, weights], [b, file]).join('\n')).toMatch(expected)
})

test('a leaf with a dependency of ours, a backend on a backend and a circle of packages are found', () => {
  const leaf = entry('packages/sampling', '@cria/sampling', { dependencies: { '@cria/tensor': 'workspace:^' } })
  expect(findings([tensor, leaf], []).join()).toMatch(/sampling depends on @cria\/tensor/)
  const gpu = entry('packages/kernels-webgpu', '@cria/kernels-webgpu', {
    dependencies: { '@cria/kernels-cpu': 'workspace:^' },
  })
  expect(findings([...house, gpu], []).join()).toMatch(/webgpu depends on @cria\/kernels-cpu/)
  const looped = entry('packages/tensor', '@cria/tensor', { devDependencies: { '@cria/llama': 'workspace:^' } })
  expect(findings([looped, cpu, llama], []).join()).toMatch(/circle of packages/)
})

test('a circle of folders is found even when each file is free of circles', () => {
  const files = [
    { path: 'packages/tensor/src/ops/a.ts', text: `import '../core/b.js'` },
    { path: 'packages/tensor/src/core/b.ts', text: '' },
    { path: 'packages/tensor/src/core/c.ts', text: `import '../ops/d.js'` },
    { path: 'packages/tensor/src/ops/d.ts', text: '' },
  ]
  expect(findings(house, files).join()).toMatch(/circle of folders/)
})
