/** Directories as folders. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WeightsError } from './errors.js'
import { fileSource } from './node-file.js'
import type { Folder } from './open.js'

export interface DirectoryFolder extends Folder {
  /** The directory. */
  readonly path: string
}

/** A directory as a folder. */
export async function directoryFolder(path: string): Promise<DirectoryFolder> {
  let files: string[]
  try {
    files = (await readdir(path)).sort()
  } catch (cause) {
    throw new WeightsError('missing', `${path}: cannot be read: ${(cause as Error).message}`, { file: path, cause })
  }
  return { name: path, path, files, open: file => fileSource(join(path, file)) }
}

/** The folder and file that a path or `file:` URL means: a directory, or a file in its directory. */
export async function locate(at: string | URL): Promise<{ folder: DirectoryFolder; file: string | undefined }> {
  const path = at instanceof URL ? fileURLToPath(at) : at
  let isDirectory: boolean
  try {
    isDirectory = (await stat(path)).isDirectory()
  } catch (cause) {
    throw new WeightsError('missing', `${path}: got no such file or folder`, { file: path, cause })
  }
  if (isDirectory) return { folder: await directoryFolder(path), file: undefined }
  return { folder: { ...(await directoryFolder(dirname(path))), name: path }, file: basename(path) }
}
