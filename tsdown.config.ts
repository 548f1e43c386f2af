// The one build of every package: each `cria-source` entry of package.json's `exports` becomes one ESM file with its types.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { UserConfig } from 'tsdown'

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> }
const sources = Object.values(exports).flatMap(target => (target as { 'cria-source'?: string })['cria-source'] ?? [])

const config: UserConfig = {
  cwd: process.cwd(),
  entry: Object.fromEntries(sources.map(path => [path.replace(/^\.\/src\/|\.ts$/g, ''), path])),
  platform: 'neutral',
  target: 'es2022',
  dts: { oxc: true },
  tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
  logLevel: 'warn',
}

export default config
