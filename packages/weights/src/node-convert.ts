/** Conversion from path to path: what `cria convert` does. */
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type ConvertOptions, type ConvertReport, convert } from './convert/convert.js'
import { WeightsError } from './errors.js'
import { fileSink } from './node-file.js'
import { locate } from './node-folder.js'
import { type Model, openModel } from './open.js'

/** Files that a Hugging Face folder carries beside its weights. */
const companions = [
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'generation_config.json',
  'chat_template.jinja',
  'vocab.json',
  'merges.txt',
]

/**
 * Converts a model to a file or folder. An `output` that ends with `.gguf` becomes a GGUF file; any other name becomes
 * a folder in Hugging Face's layout: `model.safetensors`, `config.json` and the tokenizer files of the source.
 *
 * @example
 * await convertPath('models/TinyLlama', 'tinyllama-q4_k.gguf', { type: 'q4_k' })
 * await convertPath('model.gguf', 'model-hf', { type: 'bf16' })
 */
export async function convertPath(
  input: string,
  output: string,
  options: Omit<ConvertOptions, 'to' | 'name'> & { readonly name?: string },
): Promise<ConvertReport> {
  if (await same(input, output))
    throw new WeightsError('argument', `convert: got "${output}" to read and to write, expected another output`)
  const { folder, file } = await locate(input)
  const model = await openModel(folder, file)
  try {
    const name =
      options.name ?? (model.weights.format === 'gguf' ? undefined : basename(input).replace(/\.[a-z0-9]+$/i, ''))
    if (/\.gguf$/i.test(output)) {
      return await convert(model, await fileSink(output), {
        ...options,
        ...(name === undefined ? {} : { name }),
        to: 'gguf',
      })
    }
    if (/\.(safetensors|bin|pth|pt)$/i.test(output)) {
      throw new WeightsError(
        'argument',
        `convert: got output "${output}", expected a name that ends with .gguf, or a folder for safetensors`,
      )
    }
    return await convertFolder(model, output, { ...options, to: 'safetensors' })
  } finally {
    await model.close()
  }
}

/** Whether two paths lead to one file or folder. */
async function same(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map(path => stat(path, { bigint: true }).catch(() => undefined)))
  return x !== undefined && y !== undefined && x.dev === y.dev && x.ino === y.ino
}

async function convertFolder(model: Model, output: string, options: ConvertOptions): Promise<ConvertReport> {
  await mkdir(output, { recursive: true })
  const report = await convert(model, await fileSink(join(output, 'model.safetensors')), options)
  await writeFile(join(output, 'config.json'), `${JSON.stringify(report.config, null, 2)}\n`)
  const notes = [...report.notes]
  const { path } = model.folder as { path?: string }
  if (path !== undefined && model.weights.format !== 'gguf') {
    for (const file of companions) {
      if (model.folder.files.includes(file)) await copyFile(join(path, file), join(output, file))
    }
  } else if (model.weights.format === 'gguf') {
    notes.push('the tokenizer stays in the GGUF file: safetensors folders need tokenizer.json beside them')
  }
  return { ...report, notes }
}
