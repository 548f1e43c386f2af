// Finds the code of a README: ```ts and ```js fences. A fence tagged `no-run` (with the reason after a colon) is only
// type-checked: ```ts no-run: needs a GPU. One whose first line names a test file (// my.test.ts) is run by vitest.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Example {
  /** 1 for the first fence of the file. */
  number: number
  line: number
  code: string
  /** TypeScript is type-checked too. */
  typed: boolean
  /** Its first line names a test file (`// my.test.ts`): vitest runs it. */
  test: boolean
  /** Why this one is not run, when it is not. */
  notRun: string | undefined
}

/** Top-level names of two examples must not meet, and `await` needs a module. */
const asModule = (code: string): string => (/^\s*(import|export)\b/m.test(code) ? code : `${code}\nexport {}\n`)

/** The examples of one markdown text, in order. Throws when a `no-run` gives no reason. */
export function examples(markdown: string, path: string): Example[] {
  const found: Example[] = []
  const fence = /^( *)```(ts|typescript|js|javascript)\b(.*)\n([\s\S]*?)^\1```/gm
  for (const match of markdown.matchAll(fence)) {
    const line = markdown.slice(0, match.index).split('\n').length
    const tag = /\bno-run\b:?\s*(.*)/.exec(match[3] ?? '')
    if (tag && !tag[1])
      throw new Error(`${path}:${line}: got no-run without a reason, expected \`\`\`ts no-run: the reason`)
    found.push({
      number: found.length + 1,
      line,
      code: asModule(match[4] ?? ''),
      typed: match[2]!.startsWith('t'),
      test: /^\s*\/\/ \S+\.test\.[jt]s/.test(match[4] ?? ''),
      notRun: tag?.[1],
    })
  }
  return found
}

export function examplesOf(path: string): Example[] {
  return examples(readFileSync(path, 'utf8'), path)
}

/** Write a configuration of vitest for the tests of one folder; returns the arguments that run them. */
export function vitestIn(folder: string, conditions: string[]): string[] {
  const resolve = { conditions }
  const config = { root: folder, resolve, ssr: { resolve }, test: { include: ['*.test.{ts,js}'], testTimeout: 60_000 } }
  writeFileSync(join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(config)}\n`)
  return ['run', '--config', join(folder, 'vitest.config.mjs'), '--reporter=dot']
}
