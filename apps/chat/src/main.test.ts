import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { storyteller } from '@cria/storyteller'
import { afterAll, expect, test } from 'vitest'

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

/** The storyteller, but for its template. */
const silent = join(mkdtempSync(join(tmpdir(), 'chat-')), 'silent.gguf')
writeFileSync(
  silent,
  readFileSync(storyteller).toString('latin1').replace('tokenizer.chat_template', 'tokenizer.chat_nothing!'),
  'latin1',
)
afterAll(() => rmSync(dirname(silent), { recursive: true }))

test.each([
  [silent, /without a chat template, expected a chat model\. .*none for the storyteller/],
  ['nowhere.gguf', /nowhere\.gguf: got no such file/],
])('with %s it says in a line what is wrong', (path, message) => {
  const { stdout, stderr, status } = chat('', path)
  expect({ stdout, status }).toEqual({ stdout: '', status: 1 })
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/\n\s+at /)
})
