// Makes a fresh clone ready to run, with Node and npm alone: dependencies, WebAssembly, the native addon, the built
// packages. Each step remembers a hash of what it read, so a second run does nothing and takes well under a second.
// It needs no dependency itself and prints to stderr only. It does not touch the system: tools/test.mjs may do that.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, 'node_modules/.cache/cria')
const windows = process.platform === 'win32'
const readJson = path => JSON.parse(readFileSync(path, 'utf8'))
const say = line => process.stderr.write(`${line}\n`)

/** Full path of the first of `names` on the PATH, or undefined. */
export function onPath(...names) {
  const suffixes = windows ? ['.exe', '.cmd'] : ['']
  for (const name of names)
    for (const folder of (process.env.PATH ?? '').split(delimiter))
      for (const suffix of suffixes)
        if (folder && existsSync(join(folder, name + suffix))) return join(folder, name + suffix)
}

const skipped = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.turbo', '.cache'])

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (entry.isFile()) yield path
  }
}

const folders = parent =>
  existsSync(join(root, parent))
    ? readdirSync(join(root, parent))
        .map(name => join(root, parent, name))
        .filter(path => existsSync(join(path, 'package.json')))
    : []

function hash(paths, ...words) {
  const sum = createHash('sha256').update(JSON.stringify([process.version, process.arch, ...words]))
  for (const path of [...paths].sort()) sum.update(`\0${relative(root, path)}\0`).update(readFileSync(path))
  return sum.digest('hex')
}

/** Run one step unless its inputs are what they were the last time and its outputs still exist. */
async function step({ name, title, input, outputs, work }) {
  const stamp = join(cache, `${name}.json`)
  if (existsSync(stamp)) {
    const before = readJson(stamp)
    if (before.input === input && before.outputs.every(path => existsSync(join(root, path)))) return false
    rmSync(stamp)
  }
  const start = performance.now()
  process.stderr.write(`setup: ${title} …`)
  const done = await work()
  say(`${done ? '' : ' failed,'} ${((performance.now() - start) / 1000).toFixed(1)} s`)
  if (done) {
    mkdirSync(cache, { recursive: true })
    writeFileSync(stamp, JSON.stringify({ input, outputs: outputs().map(path => relative(root, path)) }))
  }
  return done
}

/** Run a program quietly. Its output goes to a log, whose end is shown when it fails. */
function quietly(name, [program, ...args]) {
  mkdirSync(cache, { recursive: true })
  const log = join(cache, `${name}.log`)
  const sink = openSync(log, 'w')
  const env = {
    ...process.env,
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`,
    CI: 'true',
    NO_COLOR: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    npm_config_manage_package_manager_versions: 'false',
  }
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', sink, sink], shell: windows })
    const end = (ok, reason) => {
      closeSync(sink)
      if (!ok) {
        say('')
        say(readFileSync(log, 'utf8').trimEnd().split('\n').slice(-25).join('\n'))
        say(`setup: ${reason}; the whole output is in ${relative(root, log)}`)
      }
      resolve(ok)
    }
    child.on('error', error => end(false, `${program} cannot run (${error.message})`))
    child.on('exit', code => end(code === 0, `${program} ${args.join(' ')} ended with ${code}`))
  })
}

/** The pnpm to use: the one an earlier set-up installed, the system's of the same major version, or npx gets it. */
function findPnpm() {
  const pinned = readJson(join(root, 'package.json')).packageManager
  const version = pinned.split('@')[1]
  const local = join(root, 'node_modules/pnpm/bin/pnpm.cjs')
  if (existsSync(local)) return { command: [process.execPath, local], label: `pnpm ${version}` }
  if (onPath('pnpm')) {
    const env = { ...process.env, npm_config_manage_package_manager_versions: 'false', COREPACK_ENABLE_STRICT: '0' }
    const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', cwd: root, env, shell: windows }).stdout?.trim()
    if (found?.split('.')[0] === version.split('.')[0]) return { command: ['pnpm'], label: `pnpm ${found}` }
  }
  return { command: ['npx', '--yes', pinned], label: `pnpm ${version} through npx` }
}

function stop(reason) {
  say(`setup: ${reason}`)
  process.exit(1)
}

/**
 * Set everything up. Returns how many steps had work to do; ends the process with one line when that is impossible.
 * Tests from source can do without the built packages: they pass `built: false`, and a failed build is only reported.
 */
export async function setup({ built: needed = true } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) stop(`got Node ${process.versions.node}, expected 20.19 or newer`)

  let pnpm
  const run = (name, ...args) => {
    pnpm ??= findPnpm()
    return quietly(name, [...pnpm.command, ...args])
  }
  let steps = 0
  const packages = [...folders('packages'), ...folders('apps'), ...folders('tools')]
  const manifests = [root, ...packages].map(folder => join(folder, 'package.json'))
  const lock = ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map(name => join(root, name))

  const install = hash([...manifests, ...lock])
  if (!existsSync(join(cache, 'install.json')) || readJson(join(cache, 'install.json')).input !== install)
    pnpm = findPnpm()
  steps += await step({
    name: 'install',
    title: `dependencies (${pnpm?.label}, as in pnpm-lock.yaml)`,
    input: install,
    outputs: () => [join(root, 'node_modules/.modules.yaml')],
    work: async () =>
      (await run('install', 'install', '--frozen-lockfile', '--prefer-offline')) ||
      stop(
        readFileSync(join(cache, 'install.log'), 'utf8').includes('OUTDATED_LOCKFILE')
          ? 'pnpm-lock.yaml does not fit the package.json files: run npx pnpm install and commit both'
          : 'the dependencies could not be installed; they come from the npm registry, so check the network',
      ),
  })

  steps += await buildKernels(run)

  // Not through `pnpm exec`, which puts a relative folder on the PATH that turbo cannot use from inside a package.
  const turbo = join(root, 'node_modules/turbo/bin/turbo')
  const built = packages.filter(folder => readJson(join(folder, 'package.json')).scripts?.build)
  const sources = built.flatMap(folder => [...files(folder)].filter(path => !/\.(test|bench)\.ts$|\.md$/.test(path)))
  const config = ['tsdown.config.ts', 'tsconfig.json', 'tsconfig.base.json', 'turbo.json'].map(name => join(root, name))
  steps += await step({
    name: 'build',
    title: 'TypeScript packages (tsdown)',
    input: hash([...sources, ...config, ...lock]),
    outputs: () => built.map(folder => join(folder, 'dist')),
    work: async () =>
      (await quietly('build', [process.execPath, turbo, 'run', 'build', '--output-logs=errors-only'])) ||
      (needed && stop('the packages could not be built')),
  })
  return steps
}

/** The C++ core, twice: WebAssembly always (its compiler comes from npm), the addon where a C++ compiler is. */
async function buildKernels(run) {
  const folder = join(root, 'packages/kernels-cpu')
  const scripts = readJson(join(folder, 'package.json')).scripts ?? {}
  const inputs = [...files(folder)].filter(path =>
    /\.(c|cc|cpp|h|hpp|inc|S|mjs|js|json)$|[\\/](scripts|native)[\\/]/.test(path),
  )
  const outputs = ending => () => {
    const found = []
    const walk = at => {
      for (const entry of existsSync(at) ? readdirSync(at, { withFileTypes: true }) : [])
        if (entry.isDirectory() && entry.name !== 'node_modules') walk(join(at, entry.name))
        else if (entry.name.endsWith(ending)) found.push(join(at, entry.name))
    }
    walk(folder)
    return found
  }
  let steps = 0
  if (scripts['build:wasm']) {
    const done = await step({
      name: 'wasm',
      title: 'CPU kernels as WebAssembly (compiler from npm)',
      input: hash(inputs),
      outputs: outputs('.wasm'),
      work: () => run('wasm', '--filter', '@cria/kernels-cpu', 'run', 'build:wasm'),
    })
    steps += Number(done)
    if (!done && !existsSync(join(cache, 'wasm.json'))) say('setup: going on without the WebAssembly backend')
  }
  if (!scripts['build:native']) return steps
  const stamp = join(cache, 'native.json')
  const compiler = process.env.CXX ? onPath(process.env.CXX) : onPath('g++', 'clang++', 'c++')
  const slow = 'the CPU backend runs as WebAssembly, about half as fast'
  if (!compiler) {
    // An addon built while there was a compiler still serves.
    if (!existsSync(stamp) || readJson(stamp).outputs.length === 0)
      say(`setup: no C++ compiler, so ${slow}; for the native one: apt-get install g++, then the same command`)
    return steps
  }
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0]
  const input = hash(inputs, version)
  // What failed is not tried again until a source or the compiler changes: the tries would cost every start a minute.
  const failedBefore = existsSync(stamp) && readJson(stamp).failed === input
  if (!failedBefore) {
    const done = await step({
      name: 'native',
      title: `CPU kernels as a native addon (${version})`,
      input,
      outputs: outputs('.node'),
      work: () => run('native', '--filter', '@cria/kernels-cpu', 'run', 'build:native'),
    })
    steps += Number(done)
    if (existsSync(stamp)) return steps
    writeFileSync(stamp, JSON.stringify({ failed: input, outputs: [] }))
  }
  say(`setup: the native addon could not be built (node_modules/.cache/cria/native.log), so ${slow}`)
  return steps
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const start = performance.now()
  const steps = await setup()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  say(`setup: ${steps === 0 ? 'everything is up to date' : 'ready'} (${seconds} s)`)
}
