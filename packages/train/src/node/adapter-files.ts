/** Adapters in folders, as PEFT's `save_pretrained` and `from_pretrained` have them. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSafetensors } from '@cria/weights'
import { fileSource } from '@cria/weights/node'
import type { LoraAdapter } from '../lora/adapter.js'
import { peftConfig, readPeft, writePeft } from '../lora/peft.js'
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
 */
export async function loadAdapter(model: object, folder: string): Promise<LoraAdapter> {
  const config: unknown = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'))
  const file = await openSafetensors(await fileSource(join(folder, 'adapter_model.safetensors')))
  try {
    return await readPeft(model, config, file)
  } finally {
    await file.close()
  }
}
