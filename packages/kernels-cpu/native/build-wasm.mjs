// Builds the WebAssembly modules with clang from npm: SIMD128 and relaxed SIMD, each for one thread and for shared
// memory. Objects are compiled in parallel worker threads and kept until a source changes. `node native/build-wasm.mjs`
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const here = dirname(fileURLToPath(import.meta.url))
const output = join(dirname(here), 'build')
const objects = join(output, 'objects-wasm')
const flags =
  '-std=c++20 -O3 -nostdlib -nostdinc++ -fno-exceptions -fno-rtti -fno-math-errno -ffp-contract=off -fvisibility=hidden -matomics -mbulk-memory -mmutable-globals -msimd128 --target=wasm32-unknown-unknown -I. -Wall'.split(
    ' ',
  )
const isas = { wasm: [], wasm_relaxed: ['-mrelaxed-simd'] }
const names = { wasm: 'simd128', wasm_relaxed: 'relaxed' }

/** The folder as clang's file system, { folder: { file: text } }, where `..` does not exist: includes start at the root. */
function tree(folder) {
  const found = {}
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) found[entry.name] = tree(join(folder, entry.name))
    else if (/\.(h|cpp)$/.test(entry.name))
      found[entry.name] = readFileSync(join(folder, entry.name), 'utf8').replaceAll('#include "../', '#include "')
  }
  return found
}

function closure(path, seen = new Set()) {
  if (seen.has(path) || !existsSync(path)) return seen
  seen.add(path)
  for (const [, file] of readFileSync(path, 'utf8').matchAll(/^#include "(.+)"$/gm))
    closure(join(dirname(path), file), seen)
  return seen
}

function units() {
  const list = []
  for (const [isa, extra] of Object.entries(isas)) {
    const ops = readdirSync(join(here, 'ops')).filter(f => f.endsWith('.cpp'))
    const sources = [...ops.map(f => `ops/${f}`), 'wasm/module.cpp']
    for (const source of sources) list.push({ isa, source, flags: [...extra, `-DCRIA_ISA=${isa}`] })
    for (const source of ['linear/pack.cpp', `linear/linear_${isa}.cpp`]) list.push({ isa, source, flags: extra })
  }
  return list.map(u => ({ ...u, object: `${u.isa}-${u.source.replaceAll('/', '-')}.o` }))
}

const hashOf = u =>
  [...closure(join(here, u.source))]
    .reduce((h, f) => h.update(readFileSync(f)), createHash('sha256').update([...flags, ...u.flags].join(' ')))
    .digest('hex')

async function compile(u) {
  const { runClang } = await import('@yowasp/clang')
  const quiet = { stdout: () => {}, stderr: bytes => bytes && process.stderr.write(bytes), fetchProgress: () => {} }
  const made = await runClang(['clang++', ...flags, ...u.flags, '-c', u.source, '-o', 'out.o'], tree(here), quiet)
  writeFileSync(join(objects, u.object), made['out.o'])
}

async function link(list, isa, shared) {
  const { runLLVM } = await import('@yowasp/clang')
  const files = Object.fromEntries(
    list.filter(u => u.isa === isa).map(u => [u.object, new Uint8Array(readFileSync(join(objects, u.object)))]),
  )
  const options = [
    '--no-entry',
    '--import-memory',
    '--export=__stack_pointer',
    '--export=__heap_base',
    '--strip-all',
    '--gc-sections',
    '--max-memory=4294967296',
    '-z',
    'stack-size=131072',
  ]
  const made = await runLLVM(
    ['wasm-ld', ...options, ...(shared ? ['--shared-memory'] : []), ...Object.keys(files), '-o', 'out.wasm'],
    files,
    { stdout: () => {}, stderr: bytes => bytes && process.stderr.write(bytes), fetchProgress: () => {} },
  )
  const name = `cria-${names[isa]}${shared ? '-threads' : ''}.wasm`
  writeFileSync(join(output, name), made['out.wasm'])
  return `${name} ${Math.round(made['out.wasm'].length / 1024)} kB`
}

async function main() {
  mkdirSync(objects, { recursive: true })
  const stampFile = join(objects, 'stamps.json')
  const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {}
  const all = units()
  const stale = all.filter(u => stamps[u.object] !== hashOf(u) || !existsSync(join(objects, u.object)))
  const modules = Object.values(names).flatMap(n => [`cria-${n}.wasm`, `cria-${n}-threads.wasm`])
  if (stale.length === 0 && modules.every(m => existsSync(join(output, m)))) return
  const started = performance.now()
  const queue = stale.sort((a, b) => Number(b.source.includes('linear_')) - Number(a.source.includes('linear_')))
  await Promise.all(
    Array.from({ length: Math.min(queue.length, Math.max(1, availableParallelism())) }, async () => {
      for (let u = queue.shift(); u !== undefined; u = queue.shift()) {
        const unit = u
        await new Promise((resolve, reject) => {
          const worker = new Worker(fileURLToPath(import.meta.url), { workerData: unit })
          worker.on('error', reject)
          worker.on('message', resolve)
        })
        stamps[u.object] = hashOf(u)
        writeFileSync(stampFile, JSON.stringify(stamps))
      }
    }),
  )
  const made = []
  for (const isa of Object.keys(isas)) for (const shared of [false, true]) made.push(await link(all, isa, shared))
  console.log(`kernels-cpu: built ${made.join(', ')} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

if (isMainThread) {
  await main().catch(error => {
    console.error(`kernels-cpu: ${error.message}`)
    process.exitCode = 1
  })
} else {
  console.log = console.error = () => {} // clang tells how it loads itself
  await compile(workerData)
  parentPort.postMessage('done')
}
