// The packages of this repository as data, for the tools beside this file.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Manifest {
  name: string
  version: string
  description?: string
  private?: boolean
  keywords?: string[]
  files?: string[]
  /** Of a package for one platform: what it runs on, and its addon. */
  os?: string[]
  cpu?: string[]
  main?: string
  scripts?: Record<string, string>
  bin?: Record<string, string>
  exports?: Record<string, string | Record<string, string>>
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
  optionalDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  [field: string]: unknown
}

export interface Package {
  /** `packages/llama`: the folder from the root, with forward slashes. */
  folder: string
  manifest: Manifest
}

/** The repository's root folder. */
export const root: string = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

export function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

/** Every folder with a package.json directly under the given folders. */
export function packages(parents: string[] = ['packages', 'apps']): Package[] {
  return parents.flatMap(parent => {
    const at = join(root, parent)
    if (!existsSync(at)) return []
    return readdirSync(at)
      .filter(name => existsSync(join(at, name, 'package.json')))
      .sort()
      .map(name => ({ folder: `${parent}/${name}`, manifest: readManifest(join(at, name, 'package.json')) }))
  })
}

/** The packages that are published: everything in packages/ that is not private, and the addons for one platform below. */
export function publicPackages(): Package[] {
  const own = packages(['packages'])
  const addons = packages(own.map(({ folder }) => `${folder}/npm`))
  return [...own, ...addons].filter(({ manifest }) => !manifest.private)
}
