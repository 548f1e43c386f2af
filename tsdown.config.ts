// The one build of every package: each entry of package.json's `exports` becomes one ESM file with its types. The file
// named by `cria-source` is built into the file named by `default`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { UserConfig } from 'tsdown'

interface Manifest {
  exports: Record<string, Target>
  dependencies?: Record<string, string>
}
type Target = string | { 'cria-source'?: string; default?: string }

const { exports, dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const entries = Object.values(exports).flatMap(target => {
  if (typeof target === 'string' || !target['cria-source'] || !target.default) return []
  return [[target.default.replace(/^\.\/dist\/|\.js$/g, ''), target['cria-source']]]
})

// Bundling drops the references to global types that a source file begins with.
const globals = dependencies?.['@webgpu/types'] ? { dts: '/// <reference types="@webgpu/types" />' } : {}

const config: UserConfig = {
  cwd: process.cwd(),
  entry: Object.fromEntries(entries),
  platform: 'neutral',
  target: 'es2022',
  dts: { oxc: true },
  banner: globals,
  tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
  logLevel: 'warn',
}

export default config
