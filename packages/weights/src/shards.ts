/** Checkpoints in several files under an index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`). */
import { corrupt, WeightsError } from './errors.js'
import { shown, tensorOf } from './layout.js'
import type { TensorInfo, WeightFile } from './types.js'

/**
 * Opens the shards that an index names, as one file.
 *
 * @param index the parsed index: `{ weight_map: { tensor: file } }`
 * @param open  opens a shard by its file name; names with path separators are refused before it is called
 * @throws WeightsError `missing` when a shard lacks a tensor the index promises
 * @example
 * await openShards(JSON.parse(text), async file => openSafetensors(await fileSource(join(folder, file))))
 */
export async function openShards(
  index: unknown,
  open: (file: string) => Promise<WeightFile>,
  name = 'model.safetensors.index.json',
): Promise<WeightFile> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw corrupt(name, 'got no "weight_map" object')
  const fileOf = new Map<string, string>()
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[^/\\\0]+$/.test(file) || file === '..' || file === '.') {
      throw corrupt(name, `tensor ${shown(tensor)}: got file ${shown(String(file))}, expected a plain file name`)
    }
    fileOf.set(tensor, file)
  }
  const shards = new Map<string, WeightFile>()
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close()
  }
  try {
    for (const file of new Set(fileOf.values())) shards.set(file, await open(file))
    const [first] = shards.values()
    if (!first) throw corrupt(name, 'got an empty "weight_map"')
    const tensors = new Map<string, TensorInfo>()
    for (const [tensor, file] of fileOf) {
      const info = shards.get(file)!.tensors.get(tensor)
      if (!info) throw new WeightsError('missing', `${name}: tensor ${shown(tensor)} is not in ${file}`, { file: name })
      tensors.set(tensor, { ...info, file })
    }
    const shardOf = (tensor: string): WeightFile => shards.get(tensorOf(merged, tensor).file!)!
    const merged: WeightFile = {
      format: first.format,
      naming: first.naming,
      metadata: first.metadata,
      tensors,
      read: async tensor => shardOf(tensor).read(tensor),
      location: tensor => shardOf(tensor).location(tensor),
      close,
    }
    return merged
  } catch (error) {
    await close()
    throw error
  }
}
