// Builds the standalone test of the matrix kernels with the system's C++ compiler and runs it on every instruction set of
// this CPU. Without a compiler there is nothing native to test, and the test says so.
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const native = join(dirname(fileURLToPath(import.meta.url)), '..')
const cxx = [process.env.CXX, 'g++', 'clang++'].find(c => c && spawnSync(c, ['--version']).status === 0)
const run = promisify(execFile)

const flags: Record<string, string[]> = {
  generic: [],
  ...(process.arch === 'x64' && {
    avx2: ['-mavx2', '-mfma', '-mf16c'],
    avx512:
      '-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16 -mavx2 -mfma -mf16c -mamx-tile -mamx-bf16'.split(
        ' ',
      ),
  }),
  ...(process.arch === 'arm64' && { neon: ['-march=armv8.2-a+dotprod+fp16'] }),
}
const common = '-std=c++20 -O1 -ffp-contract=off -fno-exceptions -fno-rtti -w'.split(' ')

test.skipIf(!cxx)(
  'matrix kernels agree with double-precision arithmetic on every instruction set (needs a C++ compiler)',
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'cria-linear-'))
    try {
      mkdirSync(out, { recursive: true })
      const units = Object.entries(flags).map(([isa, f]) => ({ source: join('linear', `linear_${isa}.cpp`), f }))
      units.push({ source: join('linear', 'pack.cpp'), f: [] }, { source: join('test', 'linear-test.cpp'), f: [] })
      const queue = units.map((u, i) => ({ ...u, object: join(out, `${i}.o`) }))
      const objects = queue.map(u => u.object)
      // Two compilers at a time: each takes a few hundred megabytes.
      await Promise.all(
        [0, 1].map(async () => {
          for (let u = queue.shift(); u; u = queue.shift()) {
            await run(cxx as string, [...common, ...u.f, '-c', u.source, '-o', u.object], { cwd: native })
          }
        }),
      )
      const program = join(out, 'linear-test')
      await run(cxx as string, [...objects, '-o', program])
      const { stdout } = await run(program)
      expect(stdout).toMatch(/^generic linear f32/)
      expect(stdout).toMatch(/ok\n$/)
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  },
)
