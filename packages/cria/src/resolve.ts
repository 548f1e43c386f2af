/** The path that MODEL on the command line means. */
import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { storyteller } from '@cria/storyteller'
import { downloadModel, openModelAt } from '@cria/weights/node'
import { InputError } from './errors.js'
import { byteBar, note } from './output.js'
import { openTokenizer } from './tokenizer.js'

/** Where models lie that are called by name: CRIA_MODELS, then `models` here, then the cache. */
const modelFolders = (): string[] =>
  [
    process.env.CRIA_MODELS,
    'models',
    join('..', 'shared', 'models'),
    join(homedir(), '.cache', 'cria', 'models'),
  ].filter((p): p is string => p !== undefined && existsSync(p))

/** The model that comes with the package: what is run where none is named. */
export const bundledModel = 'storyteller'
const bundledPath = fileURLToPath(storyteller)

/** How it begins where nobody says. */
export const opening = 'Once upon a time'

/** Downloaded if it is on the hub. A name means what lies here if that is a model, then the bundled one or one by name. */
export async function resolveModel(model: string): Promise<string> {
  if (model.startsWith('hf:')) return download(model)
  const here = existsSync(model)
  if (here && /[\\/]|^\.\.?$/.test(model)) return model
  const named = byName(model)
  if (here && (named === undefined || (await goesBefore(model, named)))) return model
  if (named !== undefined) return named
  throw new InputError(
    `model: got ${model}, expected a file, a folder, ${bundledModel}, a name in ${modelFolders().join(', ') || 'the folder CRIA_MODELS'}, or hf:owner/repo[:file]`,
  )
}

const byName = (model: string): string | undefined =>
  model === bundledModel
    ? bundledPath
    : modelFolders()
        .flatMap(folder => [join(folder, model), join(folder, `${model}.gguf`)])
        .find(path => existsSync(path))

/** Whether what lies here is meant. A folder may have a model's name by chance, a file only the short name of the bundled one. */
async function goesBefore(path: string, named: string): Promise<boolean> {
  if (named !== bundledPath && statSync(path).isFile()) return true
  const opened = await Promise.allSettled([openModelAt(path).then(model => model.close()), openTokenizer(path)])
  if (opened.some(({ status }) => status === 'fulfilled')) return true
  note(`${path} here is no model, so the name means ${named}; ./${path} means what is here`)
  return false
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
