// Holds every package and app to tools/import-rules.ts. Prints each broken rule on a line; silent when all is well.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findings, type SourceFile } from './import-rules.js'
import { packages, root } from './workspace.js'

const skipped = new Set(['node_modules', 'dist', 'build', '.cache', '.turbo', 'coverage'])

function sources(folder: string): SourceFile[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : sources(path)
    return /\.(ts|mts|js|mjs)$/.test(entry.name) ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : []
  })
}

const broken = findings(packages(), [...sources('packages'), ...sources('apps')])
for (const sentence of broken) console.error(sentence)
if (broken.length > 0) process.exitCode = 1
