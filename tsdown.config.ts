// The one build of every package: each entry of package.json's `exports` becomes one ESM file with its types. The file
// named by `cria-source` is built into the file named by `default`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { UserConfig } from 'tsdown'

type Target = string | { 'cria-source'?: string; default?: string }

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, Target> }
const entries = Object.values(exports).flatMap(target => {
  if (typeof target === 'string' || !target['cria-source'] || !target.default) return []
  return [[target.default.replace(/^\.\/dist\/|\.js$/g, ''), target['cria-source']]]
})

const config: UserConfig = {
  cwd: process.cwd(),
  entry: Object.fromEntries(entries),
  platform: 'neutral',
  target: 'es2022',
  dts: { oxc: true },
  tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
  logLevel: 'warn',
}

export default config
