/** Opens a model from a folder of byte sources, finding out its format from its contents. Works in browsers. */
import { canonical } from './canonical.js'
import { readGgufConfig } from './config/gguf.js'
import { readHfConfig } from './config/hf.js'
import { readLlama2cConfig } from './config/llama2c.js'
import { readMetaParams } from './config/meta.js'
import type { ModelConfig } from './config/types.js'
import { verifyTensors } from './config/verify.js'
import { corrupt, WeightsError } from './errors.js'
import { openGguf } from './gguf/read.js'
import { isLaterPart, splitNames } from './gguf/split.js'
import { parseJson } from './json.js'
import { type Llama2cHeader, openLlama2c } from './llama2c/read.js'
import { mergeMeta } from './pytorch/meta.js'
import { openPytorch } from './pytorch/read.js'
import { openSafetensors } from './safetensors/read.js'
import { openShards } from './shards.js'
import { type ByteSource, blobSource } from './source.js'
import type { TensorInfo, WeightFile } from './types.js'

/** A flat set of named files: a directory, a list of dropped `File`s, a repository of the hub. */
export interface Folder {
  /** For messages. */
  readonly name: string
  readonly files: readonly string[]
  open(file: string): Promise<ByteSource>
}

export interface Model {
  readonly config: ModelConfig
  /** All weights under Hugging Face's names, checked against the configuration. */
  readonly weights: WeightFile
  /** The weights as they lie in their file, under its own names; for GGUF a `GgufFile`. */
  readonly source: WeightFile
  /** The folder it came from: tokenizer and chat template lie there unless `weights` is a GGUF file. */
  readonly folder: Folder
  close(): Promise<void>
}

/** A folder over `File`s, as a browser's file picker or drag and drop gives them. */
export function blobFolder(files: readonly File[], name = 'files'): Folder {
  const byName = new Map(files.map(file => [file.name, file]))
  return {
    name,
    files: [...byName.keys()],
    async open(file) {
      const blob = byName.get(file)
      if (!blob) throw new WeightsError('missing', `${name}: got no file "${file}"`)
      return blobSource(blob, file)
    },
  }
}

/** A folder over sources that are open already. */
export const sourceFolder = (sources: Readonly<Record<string, ByteSource>>, name = 'sources'): Folder => ({
  name,
  files: Object.keys(sources),
  async open(file) {
    const source = Object.hasOwn(sources, file) ? sources[file] : undefined
    if (!source) throw new WeightsError('missing', `${name}: got no file "${file}"`)
    return source
  },
})

const maxJson = 64 * 2 ** 20

/** Reads a JSON file of a folder. */
export async function readJson(folder: Folder, file: string): Promise<unknown> {
  const source = await folder.open(file)
  try {
    if (source.size > maxJson) throw corrupt(file, `got ${source.size} bytes of JSON`)
    return parseJson(file, await source.read(0, source.size))
  } finally {
    await source.close?.()
  }
}

/** Names of the weight files that loaders look for, in order of preference. */
export function findWeights(folder: Folder): string {
  const has = (file: string): boolean => folder.files.includes(file)
  for (const file of [
    'model.safetensors.index.json',
    'model.safetensors',
    'consolidated.00.pth',
    'pytorch_model.bin.index.json',
    'pytorch_model.bin',
  ]) {
    if (has(file)) return file
  }
  for (const pattern of [/\.gguf$/i, /\.safetensors$/, /\.(pth|pt)$/, /\.bin$/]) {
    // A split GGUF counts once, by its first part; tokenizers of llama2.c are .bin files too.
    const found = folder.files.filter(
      file => pattern.test(file) && !isLaterPart(file) && !/^(tok.*|training_args)\.bin$/.test(file),
    )
    if (found.length === 1) return found[0]!
    if (found.length > 1) {
      throw new WeightsError(
        'argument',
        `${folder.name}: got ${found.length} weight files (${found.slice(0, 8).join(', ')}), expected one. Name the file`,
        { got: found },
      )
    }
  }
  throw new WeightsError(
    'missing',
    `${folder.name}: got no weights, expected .safetensors, .gguf, .pth, .pt or .bin among ${folder.files.length} files`,
  )
}

/**
 * Opens the weights in a folder under the names they have there.
 *
 * @param file which file, when there are several; `findWeights` picks otherwise
 */
export async function openWeightsIn(folder: Folder, file: string = findWeights(folder)): Promise<WeightFile> {
  if (!folder.files.includes(file)) throw new WeightsError('missing', `${folder.name}: got no file "${file}"`)
  if (file.endsWith('.index.json')) {
    return openShards(await readJson(folder, file), async shard => openSingle(await folder.open(shard)), file)
  }
  const ranks = /^consolidated\.\d\d\.pth$/
  if (ranks.test(file) && folder.files.includes('params.json')) {
    const names = folder.files.filter(name => ranks.test(name)).sort()
    names.forEach((name, i) => {
      if (Number(name.slice(13, 15)) !== i)
        throw new WeightsError('missing', `${folder.name}: consolidated.${String(i).padStart(2, '0')}.pth is missing`)
    })
    const params = (await readJson(folder, 'params.json')) as { dim?: unknown } | null
    const opened: WeightFile[] = []
    try {
      for (const name of names) opened.push(await openPytorch(await folder.open(name)))
      return mergeMeta(opened, Number(params?.dim))
    } catch (error) {
      for (const rank of opened) await rank.close()
      throw error
    }
  }
  const parts = splitNames(file)
  if (parts) {
    const sources: ByteSource[] = []
    try {
      for (const part of parts) {
        if (!folder.files.includes(part)) throw new WeightsError('missing', `${folder.name}: ${part} is missing`)
        sources.push(await folder.open(part))
      }
      return await openGguf(sources)
    } catch (error) {
      for (const source of sources) await source.close?.()
      throw error
    }
  }
  return openSingle(await folder.open(file))
}

/** Opens one file by its first bytes; closes it when that fails. */
export async function openSingle(source: ByteSource): Promise<WeightFile> {
  try {
    const head = await source.read(0, Math.min(16, source.size))
    const text = String.fromCharCode(...head)
    if (text.startsWith('GGUF')) return await openGguf(source)
    if (/^(ggml|lmgg|fmgg|tjgg|algg)/.test(text)) {
      throw new WeightsError(
        'unsupported',
        `${source.name}: got a GGML file from before GGUF. Convert the model again`,
        { file: source.name },
      )
    }
    // The length before a safetensors header may look like any other magic, so its brace is looked at first.
    if (text[8] === '{' && text.slice(4, 8) === '\0\0\0\0') return await openSafetensors(source)
    if (text.startsWith('PK') || head[0] === 0x80) return await openPytorch(source)
    if (text[0] === '{') throw corrupt(source.name, 'got JSON, expected weights. Open the folder it lies in')
    // llama2.c's files have no magic: what is named as another format is a damaged file of that format.
    if (/\.safetensors$/i.test(source.name)) return await openSafetensors(source)
    refuseOtherName(source, head)
    return await openLlama2c(source)
  } catch (error) {
    await source.close?.()
    throw error
  }
}

function refuseOtherName({ name, size }: ByteSource, head: Uint8Array): void {
  if (!/\.(gguf|pth|pt)$/i.test(name)) return
  const hex = Array.from(head.subarray(0, 8), byte => byte.toString(16).padStart(2, '0')).join(' ')
  const got = size === 0 ? 'an empty file' : `a file that begins with the bytes ${hex}`
  const expected = /\.gguf$/i.test(name) ? '"GGUF"' : 'a zip archive of torch.save'
  throw corrupt(name, `got ${got}, expected ${expected}. Download it again`)
}

/** Reads the configuration that belongs to opened weights. */
export async function readConfigIn(folder: Folder, weights: WeightFile): Promise<ModelConfig> {
  if (weights.format === 'gguf') return readGgufConfig(weights, folder.name)
  if (weights.format === 'llama2c') return readLlama2cConfig(weights.metadata as unknown as Llama2cHeader, folder.name)
  if (weights.naming === 'meta') {
    if (!folder.files.includes('params.json'))
      throw new WeightsError('missing', `${folder.name}: params.json is missing`)
    return readMetaParams(await readJson(folder, 'params.json'), weights.tensors)
  }
  if (!folder.files.includes('config.json')) {
    throw new WeightsError(
      'missing',
      `${folder.name}: config.json is missing: ${weights.format} weights do not say what model they are`,
    )
  }
  const config = readHfConfig(await readJson(folder, 'config.json'))
  if (!folder.files.includes('generation_config.json')) return config
  // Generation stops at the ids of generation_config.json where there is one (Llama 3 lists three).
  const generation = (await readJson(folder, 'generation_config.json')) as { eos_token_id?: unknown } | null
  const ids = [generation?.eos_token_id]
    .flat()
    .filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0)
  return ids.length > 0 ? { ...config, eosTokenIds: ids } : config
}

/**
 * A configuration that ties the classifier beside a stored one that differs from the embedding is wrong: the stored one
 * counts, as in transformers. `.bin` checkpoints of tied models hold both names for the same values.
 */
async function untieUnequal(config: ModelConfig, weights: WeightFile): Promise<ModelConfig> {
  const [head, embedding] = ['lm_head.weight', 'model.embed_tokens.weight'].map(name => weights.tensors.get(name))
  if (!config.tied || !head || !embedding || (await sameBytes(weights, head, embedding))) return config
  return {
    ...config,
    tied: false,
    notes: [
      ...config.notes,
      'tie_word_embeddings is true, but lm_head.weight differs from the embedding: the stored classifier is used',
    ],
  }
}

async function sameBytes(weights: WeightFile, a: TensorInfo, b: TensorInfo): Promise<boolean> {
  if (a.dtype !== b.dtype || a.bytes !== b.bytes || String(a.shape) !== String(b.shape)) return false
  const [at, there] = [weights.location(a.name), weights.location(b.name)]
  if (at && there && at.path === there.path && at.offset === there.offset) return true
  const [x, y] = [await weights.read(a.name), await weights.read(b.name)]
  // No callback: this may be a gigabyte.
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false
  return true
}

/**
 * Opens a model: weights, configuration, and the proof that they belong together.
 *
 * @throws WeightsError as its parts do; `missing`, `format` or `unsupported` naming a tensor that does not fit
 * @example
 * const model = await openModel(blobFolder([...input.files]))
 * model.config.layers
 * await model.weights.read('model.norm.weight')
 */
export async function openModel(folder: Folder, file?: string): Promise<Model> {
  const raw = await openWeightsIn(folder, file)
  try {
    const weights = canonical(raw)
    const config = await untieUnequal(await readConfigIn(folder, raw), weights)
    verifyTensors(config, weights, folder.name)
    return { config, weights, source: raw, folder, close: () => raw.close() }
  } catch (error) {
    await raw.close()
    throw error
  }
}
