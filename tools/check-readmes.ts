// Law 8: every example in a README runs. The fences of each README are written into its package (so that imports resolve
// as a user's would), type-checked together, and run one by one from source. The first example of a package's README runs
// in an empty folder; later ones, and those of the root README, find the files of ../shared/models in theirs.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Example, examplesOf, vitestIn } from './readme-examples.js'
import { packages, root } from './workspace.js'

const models = join(process.env.CRIA_SHARED ?? join(root, '../shared'), 'models')
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href

interface Job extends Example {
  readme: string
  file: string
}

function jobs(): Job[] {
  const all = packages()
  // The root README speaks of the whole, so its examples run where everything can be imported.
  const home = ['packages/cria', 'packages/llama'].find(folder => all.some(entry => entry.folder === folder))
  const places = [
    ...all.map(({ folder }) => ({ readme: join(folder, 'README.md'), folder })),
    { readme: 'README.md', folder: home! },
  ]
  return places
    .filter(({ readme }) => existsSync(join(root, readme)))
    .flatMap(({ readme, folder }) => {
      const at = join(root, folder, '.cache', readme === 'README.md' ? 'root-readme' : 'readme')
      rmSync(at, { recursive: true, force: true })
      mkdirSync(at, { recursive: true })
      return examplesOf(join(root, readme)).map(example => {
        const file = join(at, `example-${example.number}.${example.test ? 'test.ts' : example.typed ? 'ts' : 'mjs'}`)
        writeFileSync(file, example.code)
        return { ...example, readme, file }
      })
    })
}

function typeCheck(all: Job[]): string {
  const config = join(root, 'node_modules/.cache/cria/readmes.tsconfig.json')
  mkdirSync(join(root, 'node_modules/.cache/cria'), { recursive: true })
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        isolatedDeclarations: false,
        declaration: false,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files: all.filter(({ typed }) => typed).map(({ file }) => file),
    }),
  )
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', config],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
  return status === 0 ? '' : stdout
}

const needsModels = ({ number, readme }: Job): boolean => number > 1 || readme === 'README.md'

function run(job: Job): string {
  const folder = mkdtempSync(join(tmpdir(), 'cria-readme-'))
  try {
    if (needsModels(job) && existsSync(models))
      for (const name of readdirSync(models)) symlinkSync(join(models, name), join(folder, name))
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), ...vitestIn(dirname(job.file), ['cria-source'])]
    const args = job.test ? [...vitest, job.file] : ['--conditions=cria-source', '--import', tsx, job.file]
    const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
      cwd: job.test ? dirname(job.file) : folder,
      encoding: 'utf8',
      timeout: 300_000,
    })
    return status === 0 ? '' : `${stdout}${stderr}${error?.message ?? ''}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const all = jobs()
let failed = 0
const fail = (text: string): void => {
  failed += 1
  console.error(text)
}
const types = all.some(({ typed }) => typed) ? typeCheck(all) : ''
if (types) fail(`the examples do not type-check:\n${types}`)
for (const job of all) {
  const where = `${job.readme}:${job.line}`
  if (job.notRun) {
    console.log(`${where} type-checked only: ${job.notRun}`)
    continue
  }
  const trouble = run(job)
  if (trouble) fail(`${where} does not run (${relative(root, job.file)}):\n${trouble}`)
  else console.log(`${where} runs`)
}
console.log(`${all.length} README examples, ${failed} failures`)
if (failed > 0) process.exitCode = 1
