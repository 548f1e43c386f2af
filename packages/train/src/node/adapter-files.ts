/** Adapters in folders, as PEFT's `save_pretrained` and `from_pretrained` have them. */
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { WeightFile } from '@cria/weights'
import { TrainError } from '../errors.js'
import type { LoraAdapter } from '../lora/adapter.js'
import { peftConfig, readPeft, writePeft } from '../lora/peft.js'
import { openWeights } from './checkpoint-tensors.js'
import { hashedFile, syncFolder, writeDurably } from './files.js'
import { unwritten } from './text.js'

const [weightsName, configName] = ['adapter_model.safetensors', 'adapter_config.json']

/**
 * Writes `adapter_model.safetensors` and `adapter_config.json`; PEFT loads the folder. Both are written beside and get
 * their names when they are whole, so that a full disk leaves the adapter that was there.
 *
 * @example
 * await saveAdapter(adapter, 'out', { baseModel: 'meta-llama/Llama-2-7b-hf' })
 * @throws DataError where the folder cannot be written.
 */
export async function saveAdapter(
  adapter: LoraAdapter,
  folder: string,
  { baseModel }: { readonly baseModel?: string } = {},
): Promise<void> {
  const config = `${JSON.stringify(peftConfig(adapter, baseModel ?? null), null, 2)}\n`
  const [weightsPath, configPath] = [join(folder, weightsName), join(folder, configName)]
  const partial = (path: string): string => `${path}.partial`
  try {
    await mkdir(folder, { recursive: true })
    try {
      const sink = await hashedFile(partial(weightsPath))
      try {
        await writePeft(sink, adapter)
        await sink.close()
      } catch (error) {
        await sink.abort?.()
        throw error
      }
      await writeDurably(partial(configPath), config)
      // A crash between the two renames must not leave weights under the configuration of others: then there is none.
      if ((await readFile(configPath, 'utf8').catch(() => config)) !== config) await rm(configPath)
      for (const path of [weightsPath, configPath]) await rename(partial(path), path)
      await syncFolder(folder)
    } catch (error) {
      for (const path of [weightsPath, configPath]) await rm(partial(path), { force: true }).catch(() => {})
      throw error
    }
  } catch (cause) {
    throw unwritten(folder, cause)
  }
}

/**
 * Loads an adapter that PEFT or `saveAdapter` wrote, and attaches it.
 *
 * @example
 * const adapter = await loadAdapter(model, 'adapters/poet')
 * @throws TrainError for a folder that holds none, or one of another model, rank or kind.
 */
export async function loadAdapter(model: object, folder: string): Promise<LoraAdapter> {
  const [config, file] = await openAdapter(folder).catch((cause: Error) => {
    throw new TrainError(
      `${folder}: got no adapter that can be read (${cause.message}), expected adapter_config.json and adapter_model.safetensors, as PEFT and saveAdapter() write them`,
    )
  })
  try {
    return await readPeft(model, config, file)
  } finally {
    await file.close()
  }
}

async function openAdapter(folder: string): Promise<[config: unknown, file: WeightFile]> {
  const config: unknown = JSON.parse(await readFile(join(folder, configName), 'utf8'))
  return [config, await openWeights(join(folder, weightsName))]
}
