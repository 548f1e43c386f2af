/** The tensors of a checkpoint: written as safetensors, and read back only when every file fits the run. */
import { basename, join } from 'node:path'
import { byteLength, type Tensor } from '@cria/tensor'
import { openSafetensors, type WeightFile, writeSafetensors } from '@cria/weights'
import { fileSource } from '@cria/weights/node'
import { CheckpointError } from '../errors.js'
import { type FileRecord, hashedFile } from './files.js'
import { averagesName, type CheckpointManifest, damagedFile, optimiserName, weightsName } from './manifest.js'

type Tensors = Readonly<Record<string, Tensor>>

export async function writeTensors(path: string, tensors: Tensors): Promise<FileRecord> {
  const sink = await hashedFile(path)
  try {
    await writeSafetensors(sink, {
      tensors: Object.entries(tensors).map(([name, t]) => ({
        name,
        shape: t.shape,
        dtype: t.dtype,
        data: () => t.bytes(),
      })),
    })
    await sink.close()
  } catch (error) {
    await sink.abort?.()
    throw error
  }
  return sink.record()
}

type Parts = readonly (readonly [file: string, tensors: Tensors])[]

/** What is saved of a step, by file. */
export const partsOf = (step: { weights: Tensors; optimiserState: Tensors; averages: Tensors }): Parts =>
  Object.entries({
    [weightsName]: step.weights,
    [optimiserName]: step.optimiserState,
    [averagesName]: step.averages,
  }).filter(([name, tensors]) => name === weightsName || Object.keys(tensors).length > 0)

/**
 * Opens the files of a checkpoint and checks them against the tensors of the run. The run is changed by `load()` alone,
 * so that a checkpoint that does not fit leaves it as it was.
 */
export async function openTensors(
  path: string,
  manifest: CheckpointManifest,
  parts: Parts,
): Promise<{ load(): Promise<void>; close(): Promise<void> }> {
  const opened: { file: WeightFile; into: Tensors }[] = []
  const close = async (): Promise<void> => {
    for (const { file } of opened) await file.close()
  }
  try {
    const unwanted: Parts = [optimiserName, averagesName]
      .filter(name => name in manifest.files && !parts.some(([part]) => part === name))
      .map(name => [name, {}])
    for (const [name, into] of [...parts, ...unwanted]) {
      if (!(name in manifest.files))
        throw new CheckpointError(
          `${basename(path)}: got no ${name}, expected it. It was saved without ${name === averagesName ? 'ema' : 'this optimiser'}: use the configuration it was saved with`,
          { got: Object.keys(manifest.files) },
        )
      const file = await openFile(path, name)
      opened.push({ file, into })
      checkFit(`${basename(path)}/${name}`, file, into)
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    async load() {
      for (const { file, into } of opened)
        for (const [key, t] of Object.entries(into))
          t.device.backend.write(t.storage('resume').buf, await file.read(key))
    },
    close,
  }
}

/** A safetensors file that is closed again when it is none. */
export async function openWeights(path: string): Promise<WeightFile> {
  const source = await fileSource(path)
  try {
    return await openSafetensors(source)
  } catch (error) {
    await source.close?.()
    throw error
  }
}

async function openFile(path: string, name: string): Promise<WeightFile> {
  try {
    return await openWeights(join(path, name))
  } catch (cause) {
    throw damagedFile(path, name, `cannot be opened (${(cause as Error).message})`)
  }
}

/** The two must have the same names, shapes and dtypes. */
function checkFit(where: string, file: WeightFile, into: Tensors): void {
  const mismatch = (what: string): CheckpointError =>
    new CheckpointError(
      `${where}: ${what}. The checkpoint is of another model or optimiser: use the configuration it was saved with`,
    )
  for (const key of file.tensors.keys()) if (!(key in into)) throw mismatch(`got ${key}, expected no such tensor`)
  for (const [key, t] of Object.entries(into)) {
    const info = file.tensors.get(key)
    if (info?.dtype !== t.dtype || info.bytes !== byteLength(t) || String(info.shape) !== String(t.shape))
      throw mismatch(
        `got ${info ? `[${info.shape}] ${info.dtype}` : 'no tensor'} for ${key}, expected [${t.shape}] ${t.dtype}`,
      )
  }
}
