// Keeps what every published package.json has in common equal: licence, links, build scripts, and `publishConfig.exports`,
// which is `exports` without the `cria-source` condition that only exists inside this repository (`pnpm pack` applies it).
// `pnpm manifests` writes, `--check` only compares. What differs from package to package is left alone.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Manifest, publicPackages, readManifest, root } from './workspace.js'

const repository = (readManifest(join(root, 'package.json')).repository as { url: string }).url
const page = repository.replace(/^git\+|\.git$/g, '')

function withoutSource(target: string | Record<string, unknown>): unknown {
  if (typeof target === 'string') return target
  const rest = Object.entries(target).filter(([condition]) => condition !== 'cria-source')
  return Object.fromEntries(rest.map(([key, value]) => [key, withoutSource(value as string | Record<string, unknown>)]))
}

/** The manifest as it should be, keys in one order. */
export function complete(folder: string, manifest: Manifest): Manifest {
  const { name, version, description, keywords, exports = {}, scripts, dependencies, publishConfig, ...rest } = manifest
  const entries = Object.entries(exports).map(([path, target]) => [path, withoutSource(target)])
  return {
    name,
    version,
    ...(description === undefined ? {} : { description }),
    ...(keywords ? { keywords } : {}),
    ...rest,
    license: 'MIT',
    homepage: `${page}/tree/main/${folder}#readme`,
    bugs: `${page}/issues`,
    repository: { type: 'git', url: repository, directory: folder },
    type: 'module',
    sideEffects: false,
    exports,
    engines: { node: '>=20.19' },
    publishConfig: { ...(publishConfig as object | undefined), access: 'public', exports: Object.fromEntries(entries) },
    scripts: {
      build: 'tsdown --config ../../tsdown.config.ts',
      ...scripts,
      test: `vitest run --root ../.. ${folder}`,
    },
    ...(dependencies ? { dependencies } : {}),
  }
}

/** What a person has to add, because no tool can. */
function missing({ description, keywords, files }: Manifest): string[] {
  const wanted = {
    description,
    'three or more keywords': (keywords?.length ?? 0) >= 3,
    'files with dist': files?.includes('dist'),
  }
  return Object.entries(wanted).flatMap(([what, there]) => (there ? [] : [what]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const checking = process.argv.includes('--check')
  for (const { folder, manifest } of publicPackages()) {
    // An addon for one platform has no code of its own to build or import.
    if (!manifest.exports) continue
    const path = join(root, folder, 'package.json')
    const lacks = missing(manifest)
    if (lacks.length > 0) {
      console.error(`${folder}/package.json: lacks ${lacks.join(', ')}`)
      process.exitCode = 1
    }
    const wanted = `${JSON.stringify(complete(folder, manifest), null, 2)}\n`
    // Formatting and the order of the fields are free; the order inside `exports` is not.
    const fields = (text: string): string => JSON.stringify(Object.entries(JSON.parse(text) as Manifest).sort())
    if (fields(wanted) === fields(readFileSync(path, 'utf8'))) continue
    if (checking) {
      console.error(`${folder}/package.json: differs from what tools/manifests.ts writes. Run pnpm manifests`)
      process.exitCode = 1
    } else {
      writeFileSync(path, wanted)
      console.log(`${folder}/package.json: written`)
    }
  }
}
