/** Adapters in folders, as PEFT's `save_pretrained` and `from_pretrained` have them. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WeightFile } from '@cria/weights'
import { TrainError } from '../errors.js'
import type { LoraAdapter } from '../lora/adapter.js'
import { peftConfig, readPeft, writePeft } from '../lora/peft.js'
import { openWeights } from './checkpoint-tensors.js'
import { hashedFile, writeDurably } from './files.js'

/**
 * Writes `adapter_model.safetensors` and `adapter_config.json`; PEFT loads the folder.
 *
 * @example
 * await saveAdapter(adapter, 'out', { baseModel: 'meta-llama/Llama-2-7b-hf' })
 */
export async function saveAdapter(
  adapter: LoraAdapter,
  folder: string,
  { baseModel }: { readonly baseModel?: string } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const sink = await hashedFile(join(folder, 'adapter_model.safetensors'))
  try {
    await writePeft(sink, adapter)
    await sink.close()
  } catch (error) {
    await sink.abort?.()
    throw error
  }
  const config = JSON.stringify(peftConfig(adapter, baseModel ?? null), null, 2)
  await writeDurably(join(folder, 'adapter_config.json'), `${config}\n`)
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
  const config: unknown = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'))
  return [config, await openWeights(join(folder, 'adapter_model.safetensors'))]
}
