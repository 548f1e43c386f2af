/** `@cria/weights/node`: files and folders on disk. */
import { type DownloadOptions, downloadModel } from './hub/download.js'
import { locate } from './node-folder.js'
import { type Model, openModel, openWeightsIn } from './open.js'
import type { WeightFile } from './types.js'

export { type DownloadOptions, type DownloadProgress, downloadModel } from './hub/download.js'
export { convertPath } from './node-convert.js'
export { fileSink, fileSource } from './node-file.js'
export { type DirectoryFolder, directoryFolder, locate } from './node-folder.js'

/** The path that a MODEL argument means: `hf:…` is fetched (or found in the cache), anything else is a path already. */
export const resolveModel = (spec: string, options?: DownloadOptions): Promise<string> =>
  spec.startsWith('hf:') ? downloadModel(spec, options) : Promise.resolve(spec)

/**
 * Opens the weights at a path or `file:` URL (a file, an index, or a folder) under the names they have there.
 *
 * @example
 * const file = await openWeights('model.gguf')
 * for (const { name, shape, dtype } of file.tensors.values()) console.log(name, shape, dtype)
 */
export async function openWeights(path: string | URL): Promise<WeightFile> {
  const { folder, file } = await locate(path)
  return openWeightsIn(folder, file)
}

/**
 * Opens a model at a path or `file:` URL: weights under Hugging Face's names and the configuration, checked against each other.
 *
 * @example
 * const model = await openModelAt('models/SmolLM2-135M-Instruct')
 * model.weights.location('model.norm.weight') // { path, offset, bytes }: to be mapped
 */
export async function openModelAt(path: string | URL): Promise<Model> {
  const { folder, file } = await locate(path)
  return openModel(folder, file)
}
