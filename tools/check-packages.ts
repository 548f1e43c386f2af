// Every public package as its user gets it: built, packed, linted (publint, attw), measured, then installed with npm into
// an empty folder together with only what it depends on, imported, type-checked under both module resolutions, and its
// README's first example run there. `pnpm check:packages llama weights` checks some only. New packages are found by themselves.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import ts from 'typescript'
import { examplesOf, vitestIn } from './readme-examples.js'
import { type Manifest, type Package, publicPackages, root } from './workspace.js'

/** Budgets of DESIGN §6, in bytes after gzip of everything that an import brings, minified. */
const gzipBudgets: Record<string, readonly GzipBudget[]> = {
  // A tokenizer is read from one kind of file; the entries of single families are for those who count kilobytes.
  '@cria/tokenizer': [
    { part: '{ fromTokenizerJson }', bytes: 22_000 },
    { path: '/byte-level', part: '{ fromTiktoken }', bytes: 10_500 },
    { path: '/byte-level', part: '{ fromTokenizerJson }', bytes: 12_000 },
    { path: '/byte-level', part: '{ fromCompact }', bytes: 11_200 },
    { path: '/sentencepiece', part: '{ fromSentencePiece }', bytes: 11_200 },
    { path: '/sentencepiece', part: '{ fromTokenizerJson }', bytes: 12_000 },
    { path: '/sentencepiece', part: '{ fromCompact }', bytes: 11_000 },
    { path: '/unigram', part: '{ fromSentencePiece }', bytes: 9_000 },
    { path: '/unigram', part: '{ fromTokenizerJson }', bytes: 11_000 },
    { path: '/unigram', part: '{ fromCompact }', bytes: 10_500 },
  ],
  '@cria/sampling': [{ part: '*', bytes: 12_000 }],
}
interface GzipBudget {
  /** The subpath, empty for the main entry. */
  path?: string
  /** What one user of it imports. */
  part: string
  bytes: number
}
/** The CLI as installed, with native CPU and WebAssembly; the model that it brings has a budget of its own. */
const cliBudget = { name: 'cria', bytes: 8_000_000, foreign: 5 }
const modelBudget = { name: '@cria/storyteller', bytes: 8_000_000 }

const work = mkdtempSync(join(tmpdir(), 'cria-packages-'))
const failures: string[] = []

interface Result {
  ok: boolean
  output: string
}

function run(cwd: string, program: string, ...args: string[]): Promise<Result> {
  return new Promise(done => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 180_000 })
    let output = ''
    child.stdout.on('data', text => (output += text))
    child.stderr.on('data', text => (output += text))
    child.on('error', error => done({ ok: false, output: error.message }))
    child.on('close', code => done({ ok: code === 0, output }))
  })
}
const tool = (path: string): string => join(root, 'node_modules', path)
const node = (cwd: string, ...args: string[]): Promise<Result> => run(cwd, process.execPath, ...args)

/** Whether npm installs it on this machine: platform packages name their system, and hold an addon only where one was built. */
function fitsHere({ folder, manifest }: Package): boolean {
  const { os, cpu, main } = manifest
  if ((os && !os.includes(process.platform)) || (cpu && !cpu.includes(process.arch))) return false
  return !os || !main || existsSync(join(root, folder, main))
}

/** The package and everything of ours that npm would install with it. */
function closure(start: Package, all: ReadonlyMap<string, Package>): Package[] {
  const found = new Set([start])
  for (const { manifest } of found) {
    const peers = Object.keys(manifest.peerDependencies ?? {}).filter(
      name => !manifest.peerDependenciesMeta?.[name]?.optional,
    )
    for (const name of [...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }), ...peers]) {
      const next = all.get(name)
      if (next && fitsHere(next)) found.add(next)
    }
  }
  return [...found]
}

async function pack({ folder, manifest }: Package): Promise<string> {
  const into = join(work, 'tarballs', manifest.name.replace(/\W+/g, '-'))
  mkdirSync(into, { recursive: true })
  const { ok, output } = await node(join(root, folder), tool('pnpm/bin/pnpm.cjs'), 'pack', '--pack-destination', into)
  const file = readdirSync(into)[0]
  if (!ok || !file) throw new Error(`${manifest.name} cannot be packed:\n${output}`)
  return join(into, file)
}

async function gzipSize(folder: string, name: string, { path = '', part }: GzipBudget): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export ${part} from ${JSON.stringify(name + path)}`,
      resolveDir: folder,
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    external: ['node:*'],
    logLevel: 'silent',
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

/** Every entry a user can import: the subpaths of `exports` that are code. */
function entries({ name, publishConfig, exports }: Manifest): string[] {
  const published = (publishConfig as { exports?: Manifest['exports'] } | undefined)?.exports ?? exports ?? {}
  return Object.entries(published)
    .filter(([path, target]) => typeof target === 'object' && !path.includes('*'))
    .map(([path]) => (path === '.' ? name : `${name}${path.slice(1)}`))
}

function writeConsumer(folder: string, { manifest, folder: source }: Package): string[] | undefined {
  const names = entries(manifest)
  const lines = names.map((name, at) => `import * as entry${at} from '${name}'\nconsole.log(typeof entry${at})`)
  writeFileSync(join(folder, 'consumer.ts'), `${lines.join('\n')}\n`)
  writeFileSync(join(folder, 'consumer.mjs'), `${lines.join('\n')}\n`)
  for (const [module, moduleResolution] of [
    ['ESNext', 'bundler'],
    ['NodeNext', 'nodenext'],
  ]) {
    const base = { module, moduleResolution, target: 'ES2022', strict: true, noEmit: true, skipLibCheck: false }
    const lib = ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable']
    // Our types stand without those of Node; an example may use Node.
    const alone = { compilerOptions: { ...base, lib, types: [] }, files: ['consumer.ts'] }
    const typeRoots = [tool('@types')]
    const inNode = {
      compilerOptions: { ...base, lib, types: ['node'], typeRoots, skipLibCheck: true },
      files: ['example.ts'],
    }
    writeFileSync(join(folder, `types.${moduleResolution}.json`), JSON.stringify(alone))
    writeFileSync(join(folder, `example.${moduleResolution}.json`), JSON.stringify(inNode))
  }
  try {
    const first = examplesOf(join(root, source, 'README.md')).find(({ notRun }) => notRun === undefined)
    if (!first) return undefined
    if (first.typed) writeFileSync(join(folder, 'example.ts'), first.code)
    if (first.test) {
      writeFileSync(join(folder, 'example.test.ts'), first.code)
      return [join(folder, 'node_modules/vitest/vitest.mjs'), ...vitestIn(folder, [])]
    }
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    writeFileSync(join(folder, 'example.mjs'), ts.transpileModule(first.code, { compilerOptions }).outputText)
    return ['example.mjs']
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function installedSize(folder: string): { bytes: number; foreign: string[] } {
  let bytes = 0
  const foreign: string[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name)
    if (entry.isFile()) bytes += statSync(path).size
    if (
      entry.isFile() &&
      entry.name === 'package.json' &&
      /node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+$/.test(entry.parentPath ?? entry.path)
    ) {
      const { name } = JSON.parse(readFileSync(path, 'utf8')) as Manifest
      if (name && name !== 'cria' && !name.startsWith('@cria/')) foreign.push(name)
    }
  }
  return { bytes, foreign }
}

async function check(
  entry: Package,
  all: ReadonlyMap<string, Package>,
  tarballs: ReadonlyMap<string, string>,
): Promise<void> {
  const { name } = entry.manifest
  const notes: string[] = []
  const hold = (what: string, { ok, output }: Result): void => {
    if (!ok) failures.push(`${name}: ${what}:\n${output.trimEnd().replace(/^/gm, '  ')}`)
  }
  const tarball = tarballs.get(name)!
  hold('publint', await node(root, tool('publint/src/cli.js'), tarball, '--strict'))
  if (entries(entry.manifest).length > 0)
    hold(
      'attw',
      await node(root, tool('@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'esm-only', '--no-emoji'),
    )

  const home = join(work, 'alone', name.replace(/\W+/g, '-'))
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }\n')
  const files = closure(entry, all).map(({ manifest }) => tarballs.get(manifest.name)!)
  // Subpaths that need an optional peer are tried with it.
  const peers = Object.keys((entry.manifest.peerDependenciesMeta as object | undefined) ?? {}).filter(
    peer => !all.has(peer),
  )
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const installed = await run(home, 'npm', 'install', ...quiet, ...files, ...peers)
  hold('npm install', installed)
  if (!installed.ok) return
  const size = installedSize(join(home, 'node_modules'))
  const model = join(home, 'node_modules', modelBudget.name)
  const modelBytes = existsSync(model) ? installedSize(model).bytes : 0
  if (modelBytes > modelBudget.bytes)
    failures.push(`${modelBudget.name}: got ${(modelBytes / 1e6).toFixed(2)} MB installed, expected at most 8 MB`)
  if (name === cliBudget.name) size.bytes -= modelBytes
  notes.push(`${(size.bytes / 1e6).toFixed(2)} MB installed with ${size.foreign.length} foreign packages`)
  if (name === cliBudget.name && (size.bytes > cliBudget.bytes || size.foreign.length > cliBudget.foreign))
    failures.push(
      `${name}: got ${notes[0]} (${size.foreign.join(', ')}), expected at most 8 MB and ${cliBudget.foreign}`,
    )

  if (entries(entry.manifest).length === 0)
    return void console.log(`${name} (${basename(tarball)}): ${notes.join(', ')}`)
  const example = writeConsumer(home, entry)
  hold('import', await node(home, 'consumer.mjs'))
  for (const resolution of ['bundler', 'nodenext'])
    for (const part of existsSync(join(home, 'example.ts')) ? ['types', 'example'] : ['types'])
      hold(
        `${part} under ${resolution}`,
        await node(home, tool('typescript/bin/tsc'), '-p', `${part}.${resolution}.json`),
      )
  if (example) hold("README's first example", await node(home, ...example))
  notes.push(example ? 'README example runs' : 'no README example')

  for (const budget of gzipBudgets[name] ?? []) {
    const bytes = await gzipSize(home, name, budget)
    const what = `${budget.part} from ${name}${budget.path ?? ''}`
    notes.push(`${what} ${bytes} bytes gzip of ${budget.bytes}`)
    if (bytes > budget.bytes)
      failures.push(`${name}: got ${bytes} bytes after gzip for ${what}, expected at most ${budget.bytes}`)
  }
  console.log(`${name} (${basename(tarball)}): ${notes.join(', ')}`)
}

try {
  const all = new Map(publicPackages().map(entry => [entry.manifest.name, entry]))
  const built = await node(root, tool('turbo/bin/turbo'), 'run', 'build', '--output-logs=errors-only')
  if (!built.ok) throw new Error(`the build failed:\n${built.output}`)
  const tarballs = new Map<string, string>()
  for (const [name, entry] of all) tarballs.set(name, await pack(entry))
  const wanted = process.argv.slice(2)
  const named = [...all.values()].filter(({ folder }) => wanted.length === 0 || wanted.includes(basename(folder)))
  const queue = named.filter(fitsHere)
  for (const entry of named)
    if (!fitsHere(entry)) console.log(`${entry.manifest.name}: left out: for another system, or its addon is not built`)
  const worker = async (): Promise<void> => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) await check(entry, all, tarballs)
  }
  await Promise.all([worker(), worker()])
} catch (error) {
  failures.push((error as Error).message)
} finally {
  rmSync(work, { recursive: true, force: true })
}
for (const failure of failures) console.error(failure)
console.log(`${failures.length} failures`)
if (failures.length > 0) process.exitCode = 1
