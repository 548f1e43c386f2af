import { expect, test } from 'vitest'
import { examples } from './readme-examples.js'

test('finds the code that runs and the code that is only type-checked', () => {
  const text = [
    '# A',
    '```ts',
    "import { a } from 'a'",
    'a()',
    '```',
    '```sh',
    'npm i a',
    '```',
    '- in a list:',
    '  ```js no-run: needs a GPU',
    '  await b()',
    '  ```',
  ].join('\n')
  expect(examples(text, 'README.md')).toEqual([
    { number: 1, line: 2, code: "import { a } from 'a'\na()\n", typed: true, test: false, notRun: undefined },
    { number: 2, line: 10, code: '  await b()\n\nexport {}\n', typed: false, test: false, notRun: 'needs a GPU' },
  ])
})

test('an example that is not run gives its reason', () => {
  expect(() => examples('```ts no-run\n```', 'README.md')).toThrow(/without a reason/)
})
