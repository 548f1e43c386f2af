// Finds the code of a README: ```ts and ```js fences. A fence tagged `no-run` (with the reason after a colon) is only
// type-checked: ```ts no-run: needs a GPU
import { readFileSync } from 'node:fs'

export interface Example {
  /** 1 for the first fence of the file. */
  number: number
  line: number
  code: string
  /** TypeScript is type-checked too. */
  typed: boolean
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
      notRun: tag?.[1],
    })
  }
  return found
}

export function examplesOf(path: string): Example[] {
  return examples(readFileSync(path, 'utf8'), path)
}
