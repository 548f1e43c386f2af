// What a result was measured on: machine, system, and the version of this repository.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Start of every document in bench/results. `root` is the repository. */
export async function machine(root) {
  const git = await run('git', ['-C', root, 'describe', '--always', '--dirty']).catch(() => ({ stdout: 'unknown' }))
  const manifest = join(root, 'packages/cria/package.json')
  return {
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) },
    system: { platform: process.platform, arch: process.arch, release: release(), node: process.version },
    cria: {
      version: existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : 'unknown',
      commit: git.stdout.trim(),
    },
  }
}
