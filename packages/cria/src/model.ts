/** From MODEL on the command line to weights, tokenizer and a model on a device. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Llama, loadLlama } from '@cria/llama'
import { storyteller } from '@cria/storyteller'
import type { Device } from '@cria/tensor'
import type { Tokenizer } from '@cria/tokenizer'
import type { Model } from '@cria/weights'
import { downloadModel, openModelAt } from '@cria/weights/node'
import { type BackendName, openDevice } from './backend.js'
import { InputError } from './errors.js'
import { byteBar, note } from './output.js'
import { tokenizerOf } from './tokenizer.js'

/** Where models lie that are called by name: CRIA_MODELS, then `models` here, then the cache. */
export const modelFolders = (): string[] =>
  [
    process.env.CRIA_MODELS,
    'models',
    join('..', 'shared', 'models'),
    join(homedir(), '.cache', 'cria', 'models'),
  ].filter((p): p is string => p !== undefined && existsSync(p))

/** The model that comes with the package: what is run where none is named. */
export const bundledModel = 'storyteller'

/** The path that MODEL means, downloaded if it is on the hub. A file of the same name goes before the bundled model. */
export async function resolveModel(model: string): Promise<string> {
  if (model.startsWith('hf:')) return download(model)
  if (existsSync(model)) return model
  if (model === bundledModel) return fileURLToPath(storyteller)
  for (const folder of modelFolders()) {
    for (const name of [model, `${model}.gguf`]) if (existsSync(join(folder, name))) return join(folder, name)
  }
  throw new InputError(
    `model: got ${model}, expected a file, a folder, ${bundledModel}, a name in ${modelFolders().join(', ') || 'the folder CRIA_MODELS'}, or hf:owner/repo[:file]`,
  )
}

async function download(uri: string): Promise<string> {
  const bars = new Map<string, (done: number, total: number) => void>()
  return downloadModel(uri, {
    onProgress({ file, loaded, total }) {
      let bar = bars.get(file)
      if (bar === undefined) bars.set(file, (bar = byteBar(file)))
      bar(loaded, total)
    },
  })
}

export interface Loaded {
  readonly path: string
  readonly opened: Model
  readonly device: Device
  readonly model: Llama
  /** Opened when first asked for; undefined when the model comes without one. */
  tokenizer(): Promise<Tokenizer | undefined>
  readonly loadSeconds: number
  dispose(): Promise<void>
}

export interface DeviceOptions {
  readonly backend?: BackendName
  readonly threads?: number
}

export async function load(name: string, { backend, threads }: DeviceOptions): Promise<Loaded> {
  // A wrong name is told before a device is started.
  const path = await resolveModel(name)
  const device = await openDevice(backend, threads)
  const loaded = await loadOn(device, path).catch(error => {
    device.dispose()
    throw error
  })
  return {
    ...loaded,
    async dispose() {
      await loaded.dispose()
      device.dispose()
    },
  }
}

/** A second model on a device that is there; disposing of it leaves the device. */
export async function loadOn(device: Device, name: string): Promise<Loaded> {
  const path = await resolveModel(name)
  const begin = performance.now()
  const opened = await openModelAt(path)
  for (const text of opened.config.notes) note(text)
  const bar = byteBar('loading')
  const model = await loadLlama(device, opened, { onProgress: p => bar(p.loadedBytes, p.totalBytes) })
  let tokenizer: Promise<Tokenizer | undefined> | undefined
  const loadSeconds = (performance.now() - begin) / 1000
  return {
    path,
    opened,
    device,
    model,
    tokenizer: () => (tokenizer ??= tokenizerOf(opened)),
    loadSeconds,
    async dispose() {
      model.dispose()
      await opened.close()
    },
  }
}

/** The tokenizer, or an error that says which files would bring one. */
export async function needTokenizer(loaded: Loaded): Promise<Tokenizer> {
  const tokenizer = await loaded.tokenizer()
  if (tokenizer) {
    noteVocabulary(tokenizer, loaded)
    return tokenizer
  }
  const { path } = loaded
  throw new InputError(
    `tokenizer: got none beside ${path}, expected tokenizer.json, tokenizer.model or tokenizer.bin. Give ids with --tokens where the command takes them`,
  )
}

/** A padded vocabulary, or a tokenizer of something else. */
export const vocabularyProblem = ({ vocabSize }: Tokenizer, vocab: number): string | undefined =>
  vocabSize === vocab
    ? undefined
    : `the tokenizer has ${vocabSize} tokens and the model ${vocab}: ${vocabSize < vocab ? `ids from ${vocabSize} on have no text` : `ids from ${vocab} on cannot be evaluated`}`

export function noteVocabulary(tokenizer: Tokenizer, { opened }: Loaded): void {
  const problem = vocabularyProblem(tokenizer, opened.config.vocab)
  if (problem) note(problem)
}

export function noteLength(tokens: number, { opened: { config } }: Loaded): void {
  if (tokens > config.context)
    note(`${tokens} tokens are more than the ${config.context} this model was made for: quality may fall`)
}

export const describe = ({ opened, device, loadSeconds, path }: Loaded): void =>
  note(
    `${path} · ${opened.config.architecture}, ${opened.config.layers} layers · ${device.name} (${device.description}) · loaded in ${loadSeconds.toFixed(2)} s`,
  )
