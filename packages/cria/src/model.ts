/** From a model's path to weights, tokenizer and a model on a device. */
import { type Llama, loadLlama } from '@cria/llama'
import type { Device } from '@cria/tensor'
import type { Tokenizer } from '@cria/tokenizer'
import type { Model } from '@cria/weights'
import { openModelAt } from '@cria/weights/node'
import { type BackendName, openDevice } from './backend.js'
import { InputError } from './errors.js'
import { byteBar, note } from './output.js'
import { resolveModel } from './resolve.js'
import { tokenizerOf } from './tokenizer.js'

/** A model whose weights are still in their files, and the device that they are for. */
export interface Opened {
  readonly path: string
  readonly opened: Model
  readonly device: Device
  /** Opened when first asked for; undefined when the model comes without one. */
  tokenizer(): Promise<Tokenizer | undefined>
  load(): Promise<Loaded>
  dispose(): Promise<void>
}

export interface Loaded extends Omit<Opened, 'load'> {
  readonly model: Llama
  readonly loadSeconds: number
}

export interface DeviceOptions {
  readonly backend?: BackendName
  readonly threads?: number
}

/** What can be found wrong before its weights are read, which may take a while, is asked of this. */
export async function open(name: string, { backend, threads }: DeviceOptions): Promise<Opened> {
  // A wrong name is told before a device is started.
  const path = await resolveModel(name)
  const device = await openDevice(backend, threads)
  try {
    return await openOn(device, path, () => device.dispose())
  } catch (error) {
    device.dispose()
    throw error
  }
}

export async function load(name: string, options: DeviceOptions): Promise<Loaded> {
  const file = await open(name, options)
  return file.load().catch(async error => {
    await file.dispose()
    throw error
  })
}

/** A second model on a device that is there; disposing of it leaves the device. */
export const loadOn = async (device: Device, name: string): Promise<Loaded> =>
  (await openOn(device, await resolveModel(name), () => {})).load()

async function openOn(device: Device, path: string, release: () => void): Promise<Opened> {
  const begin = performance.now()
  const opened = await openModelAt(path)
  const openSeconds = (performance.now() - begin) / 1000
  for (const text of opened.config.notes) note(text)
  let tokenizer: Promise<Tokenizer | undefined> | undefined
  let model: Llama | undefined
  const file = {
    path,
    opened,
    device,
    tokenizer: () => (tokenizer ??= tokenizerOf(opened)),
    async dispose() {
      model?.dispose()
      await opened.close()
      release()
    },
  }
  return {
    ...file,
    async load() {
      const bar = byteBar('loading')
      const start = performance.now()
      const loaded = await loadLlama(device, opened, { onProgress: p => bar(p.loadedBytes, p.totalBytes) })
      model = loaded
      return { ...file, model: loaded, loadSeconds: openSeconds + (performance.now() - start) / 1000 }
    },
  }
}

/** The tokenizer, or an error that says which files would bring one. */
export async function needTokenizer(file: Omit<Opened, 'load'>): Promise<Tokenizer> {
  const tokenizer = await file.tokenizer()
  if (tokenizer) {
    noteVocabulary(tokenizer, file)
    return tokenizer
  }
  const { path } = file
  throw new InputError(
    `tokenizer: got none beside ${path}, expected tokenizer.json, tokenizer.model or tokenizer.bin. Give ids with --tokens where the command takes them`,
  )
}

/** A padded vocabulary, or a tokenizer of something else. */
export const vocabularyProblem = ({ vocabSize }: Tokenizer, vocab: number): string | undefined =>
  vocabSize === vocab
    ? undefined
    : `the tokenizer has ${vocabSize} tokens and the model ${vocab}: ${vocabSize < vocab ? `ids from ${vocabSize} on have no text` : `ids from ${vocab} on cannot be evaluated`}`

export function noteVocabulary(tokenizer: Tokenizer, { opened }: Pick<Opened, 'opened'>): void {
  const problem = vocabularyProblem(tokenizer, opened.config.vocab)
  if (problem) note(problem)
}

export function noteLength(tokens: number, { opened: { config } }: Pick<Opened, 'opened'>): void {
  if (tokens > config.context)
    note(`${tokens} tokens are more than the ${config.context} this model was made for: quality may fall`)
}

export const describe = ({ opened, device, loadSeconds, path }: Loaded): void =>
  note(
    `${path} · ${opened.config.architecture}, ${opened.config.layers} layers · ${device.name} (${device.description}) · loaded in ${loadSeconds.toFixed(2)} s`,
  )
