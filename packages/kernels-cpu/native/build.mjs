// Builds the native addon with the system's C++ compiler: every translation unit in parallel, only those that changed.
// Without a compiler it says so in one line and succeeds: WebAssembly serves then. `node native/build.mjs [--arch arm64]`
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const cross = process.argv.includes('--arch') ? process.argv[process.argv.indexOf('--arch') + 1] : undefined
const arch = cross ?? process.arch
const output = join(root, 'build', cross ? `cria_cpu.linux-${cross}.node` : 'cria_cpu.node')
const objects = join(root, 'build', `objects-${arch}`)

const common = [
  '-std=c++20',
  '-O3',
  '-fPIC',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-pthread',
  '-Wall',
  '-Wextra',
]
const freestanding = ['-fno-exceptions', '-fno-rtti', '-fno-math-errno']
// gcc's own AVX-512 headers trip these.
const quiet = ['-Wno-uninitialized', '-Wno-maybe-uninitialized']
const isas = {
  x64: {
    generic: ['-DCRIA_SIMD_GENERIC'],
    avx2: ['-mavx2', '-mfma', '-mf16c'],
    avx512:
      '-mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16 -mamx-tile -mamx-bf16 -mprefer-vector-width=512'.split(
        ' ',
      ),
  },
  arm64: { generic: ['-DCRIA_SIMD_GENERIC'], neon: ['-march=armv8.2-a+dotprod+fp16'] },
}

function compiler() {
  const candidates = cross
    ? [`${cross === 'arm64' ? 'aarch64' : cross}-linux-gnu-g++`]
    : [process.env.CXX, 'g++', 'clang++', 'c++'].filter(Boolean)
  return candidates.find(c => spawnSync(c, ['--version'], { stdio: 'ignore' }).status === 0)
}

const sources = folder =>
  readdirSync(join(here, folder))
    .filter(f => f.endsWith('.cpp'))
    .map(f => join(here, folder, f))

/** Every translation unit: source, flags, object name. Generic code comes first: the linker keeps the first copy of an
 * inline function, and that copy must run everywhere. */
function units() {
  const byIsa = isas[arch] ?? { generic: ['-DCRIA_SIMD_GENERIC'] }
  const include = join(dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')), 'include')
  const list = sources('addon').map(source => ({ source, flags: ['-I', include, '-DNAPI_VERSION=8'], name: 'addon' }))
  list.push({ source: join(here, 'linear', 'pack.cpp'), flags: freestanding, name: 'linear' })
  for (const [isa, flags] of Object.entries(byIsa)) {
    const machine = flags.filter(f => !f.startsWith('-D')) // these files choose their layer themselves
    list.push({
      source: join(here, 'linear', `linear_${isa}.cpp`),
      flags: [...freestanding, ...quiet, ...machine],
      name: 'linear',
    })
    // x64 without AVX2 is rare: unrolled for it, all but the products would be the largest part of the addon.
    const size = isa === 'generic' && arch === 'x64' ? ['-O2'] : []
    for (const source of sources('ops'))
      list.push({ source, flags: [...freestanding, ...quiet, ...flags, ...size, `-DCRIA_ISA=${isa}`], name: isa })
  }
  return list.map(u => ({
    ...u,
    object: join(objects, `${u.name}-${relative(here, u.source).replace(/[/\\]/g, '-')}.o`),
  }))
}

/** Hash of a source and everything it includes from this folder, with its flags. */
const texts = new Map()
function closure(path, seen = new Set()) {
  if (seen.has(path) || !existsSync(path)) return seen
  seen.add(path)
  if (!texts.has(path)) texts.set(path, readFileSync(path, 'utf8'))
  for (const [, file] of texts.get(path).matchAll(/^#include "(.+)"$/gm)) closure(join(dirname(path), file), seen)
  return seen
}
const hashOf = (cxx, { source, flags }) =>
  [...closure(source)]
    .reduce((h, f) => h.update(texts.get(f)), createHash('sha256').update([cxx, ...common, ...flags].join(' ')))
    .digest('hex')

const run = (command, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', reject)
    child.on('exit', code => (code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')} failed`))))
  })

async function main() {
  const cxx = compiler()
  if (cxx === undefined) {
    console.log('kernels-cpu: no C++ compiler found (g++ or clang++): WebAssembly will be used, about half as fast')
    return
  }
  if (process.platform === 'win32') {
    console.log(
      'kernels-cpu: the native addon is built with g++ or clang++ on Linux and macOS: WebAssembly will be used',
    )
    return
  }
  mkdirSync(objects, { recursive: true })
  const stampFile = join(objects, 'stamps.json')
  const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {}
  const all = units()
  const stale = all.filter(u => stamps[u.object] !== hashOf(cxx, u) || !existsSync(u.object))
  if (stale.length === 0 && existsSync(output)) return
  const started = performance.now()
  // The longest first.
  const queue = [...stale].sort((a, b) => Number(b.source.includes('linear_')) - Number(a.source.includes('linear_')))
  await Promise.all(
    Array.from({ length: Math.max(1, availableParallelism()) }, async () => {
      for (let u = queue.shift(); u !== undefined; u = queue.shift()) {
        await run(cxx, [...common, ...u.flags, '-c', u.source, '-o', u.object])
        stamps[u.object] = hashOf(cxx, u)
      }
    }),
  )
  const link =
    process.platform === 'darwin'
      ? ['-undefined', 'dynamic_lookup']
      : ['-Wl,--gc-sections', '-static-libstdc++', '-static-libgcc', '-s']
  const order = [...all].sort((a, b) => Number(b.name === 'addon') - Number(a.name === 'addon'))
  await run(cxx, ['-shared', '-pthread', ...link, ...order.map(u => u.object), '-o', output])
  // The package of this platform ships the same file.
  const platform = join(root, 'npm', `linux-${arch}-gnu`)
  if (process.platform === 'linux' && existsSync(platform)) copyFileSync(output, join(platform, 'cria_cpu.node'))
  writeFileSync(stampFile, JSON.stringify(stamps))
  console.log(`kernels-cpu: built ${relative(root, output)} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

await main().catch(error => {
  console.error(`kernels-cpu: ${error.message}`)
  process.exitCode = 1
})
