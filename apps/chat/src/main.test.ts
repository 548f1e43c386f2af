import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { storyteller } from '@cria/storyteller'
import { expect, test } from 'vitest'

function chat(input: string, ...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const program = ['--conditions=cria-source', '--import', import.meta.resolve('tsx'), main]
  return spawnSync(process.execPath, [...program, ...args], { input, encoding: 'utf8' })
}

test('without a model named, the storyteller tells and answers', () => {
  const { stdout, stderr, status } = chat('Why?\nTell a story about a fox named Heidi.\nWho was Heidi?\n')
  expect(stderr).toContain('a question before a story')
  expect(stdout).toMatch(/Heidi(.|\n)*\n+ ?[A-Z][a-z ]+\.\n+$/)
  expect(stdout).not.toContain('Question')
  expect(status).toBe(0)
})

test.each([
  [fileURLToPath(storyteller), /without a chat template, expected a chat model\. .*none for the storyteller/],
  ['nowhere.gguf', /nowhere\.gguf: got no such file/],
])('with %s it says in a line what is wrong', (path, message) => {
  const { stdout, stderr, status } = chat('', path)
  expect({ stdout, status }).toEqual({ stdout: '', status: 1 })
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/\n\s+at /)
})
