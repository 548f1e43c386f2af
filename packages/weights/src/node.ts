/** `@cria/weights/node`: files and folders on disk. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { WeightsError } from './errors.js'
import { fileSource } from './node-file.js'
import { type Folder, type Model, openModel, openWeightsIn } from './open.js'
import type { WeightFile } from './types.js'

export { fileSink, fileSource } from './node-file.js'

/** A directory as a folder. */
export async function directoryFolder(path: string): Promise<Folder> {
  let files: string[]
  try {
    files = (await readdir(path)).sort()
  } catch (cause) {
    throw new WeightsError('missing', `${path}: cannot be read: ${(cause as Error).message}`, { file: path, cause })
  }
  return { name: path, files, open: file => fileSource(join(path, file)) }
}

/** The folder and file that a path means: a directory, or a file in its directory. */
export async function locate(path: string): Promise<{ folder: Folder; file: string | undefined }> {
  let isDirectory: boolean
  try {
    isDirectory = (await stat(path)).isDirectory()
  } catch (cause) {
    throw new WeightsError('missing', `${path}: got no such file or folder`, { file: path, cause })
  }
  if (isDirectory) return { folder: await directoryFolder(path), file: undefined }
  return { folder: { ...(await directoryFolder(dirname(path))), name: path }, file: basename(path) }
}

/**
 * Opens the weights at a path (a file, an index, or a folder) under the names they have there.
 *
 * @example
 * const file = await openWeights('model.gguf')
 * for (const { name, shape, dtype } of file.tensors.values()) console.log(name, shape, dtype)
 */
export async function openWeights(path: string): Promise<WeightFile> {
  const { folder, file } = await locate(path)
  return openWeightsIn(folder, file)
}

/**
 * Opens a model at a path: weights under Hugging Face's names and the configuration, checked against each other.
 *
 * @example
 * const model = await openModelAt('models/SmolLM2-135M-Instruct')
 * model.weights.location('model.norm.weight') // { path, offset, bytes }: to be mapped
 */
export async function openModelAt(path: string): Promise<Model> {
  const { folder, file } = await locate(path)
  return openModel(folder, file)
}
