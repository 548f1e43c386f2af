/**
 * Conversion of a whole model, one tensor at a time: at no moment is more than one tensor in memory.
 */
import { blockFormats } from '@cria/tensor'
import type { ModelConfig } from '../config/types.js'
import { expectedTensors } from '../config/verify.js'
import { decodeTensor, elementCount, encodeFloats, type FileDType, isBlockDType } from '../dtype.js'
import { WeightsError } from '../errors.js'
import type { GgufValue } from '../gguf/format.js'
import type { GgufFile } from '../gguf/read.js'
import { writeGguf } from '../gguf/write.js'
import { ggufNameOfHf } from '../names.js'
import type { Model } from '../open.js'
import { encodeBlocks } from '../quantize/index.js'
import { writeSafetensors } from '../safetensors/write.js'
import type { ByteSink, TensorInput } from '../sink.js'
import type { TensorInfo } from '../types.js'
import { ggufMetadata, ggufRotation, llama3Divisors } from './gguf-metadata.js'
import { hfConfig } from './hf-config.js'
import { reorderRows } from './rotation.js'
import { readTokenizerMetadata } from './tokenizer.js'
import {
  dtypeFor,
  isFloatTarget,
  type TargetDType,
  type TensorPlace,
  targetDTypes,
  type WrittenDType,
  wantedDType,
} from './types.js'

export interface ConvertProgress {
  readonly tensor: string
  /** Tensors done, of how many. */
  readonly done: number
  readonly total: number
}

export interface ConvertOptions {
  readonly to: 'gguf' | 'safetensors'
  readonly type: TargetDType
  /** `general.name` of a GGUF file; default: the source's, else "model". */
  readonly name?: string
  /** `general.license` of a GGUF file, an SPDX id in lower case; default: the source's, else none. */
  readonly license?: string
  readonly onProgress?: (progress: ConvertProgress) => void
  readonly signal?: AbortSignal
}

export interface ConvertReport {
  /** Tensors that did not get the type meant for them, because their rows do not fit its blocks. */
  readonly otherTypes: readonly {
    readonly name: string
    readonly dtype: WrittenDType
    readonly wanted: WrittenDType
  }[]
  /** Anything a user should know about the result. */
  readonly notes: readonly string[]
  /** The `config.json` that belongs beside a safetensors file. */
  readonly config?: Record<string, unknown>
}

/**
 * Writes a model in another format or element type.
 *
 * @throws WeightsError `unsupported` when the target cannot express the model; `argument` for damaged weights
 * @example
 * const model = await openModelAt('SmolLM2-135M')
 * const report = await convert(model, await fileSink('smollm2-q8_0.gguf'), { to: 'gguf', type: 'q8_0' })
 */
export async function convert(model: Model, sink: ByteSink, options: ConvertOptions): Promise<ConvertReport> {
  try {
    const report =
      options.to === 'gguf' ? await toGguf(model, sink, options) : await toSafetensors(model, sink, options)
    await sink.close()
    return report
  } catch (error) {
    await sink.abort?.()
    throw error
  }
}

interface Plan {
  readonly info: TensorInfo
  readonly dtype: WrittenDType
}

function planTensors(model: Model, { type, to }: ConvertOptions, notes: string[]): Plan[] {
  if (!targetDTypes.includes(type)) {
    throw new WeightsError('argument', `convert: got type "${type}", expected one of ${targetDTypes.join(', ')}`, {
      got: type,
    })
  }
  if (to === 'safetensors' && !isFloatTarget(type)) {
    throw new WeightsError(
      'argument',
      `convert: got type ${type} for safetensors, expected f32, f16 or bf16. Write GGUF instead`,
    )
  }
  notes.push(...model.config.notes)
  const plans: Plan[] = []
  // In the order of the forward pass; the classifier that a tied model stores once more is dropped.
  for (const name of expectedTensors(model.config).keys()) {
    const info = model.weights.tensors.get(name)!
    plans.push({ info, dtype: dtypeFor(type, placeOf(model, info)) })
  }
  if (model.weights.tensors.size > plans.length) notes.push('lm_head.weight is left out: it is the embedding')
  return plans
}

const placeOf = ({ config }: Model, { name, shape }: TensorInfo): TensorPlace => ({
  name,
  shape,
  layers: config.layers,
  tied: config.tied,
})

const otherTypes = (model: Model, plans: readonly Plan[], type: TargetDType): ConvertReport['otherTypes'] =>
  plans
    .map(({ info, dtype }) => ({ name: info.name, dtype, wanted: wantedDType(type, placeOf(model, info)) }))
    .filter(({ dtype, wanted }) => dtype !== wanted)

async function toGguf(model: Model, sink: ByteSink, options: ConvertOptions): Promise<ConvertReport> {
  const notes: string[] = []
  const { config } = model
  const plans = planTensors(model, options, notes)
  const known = model.weights.metadata['general.name']
  const name = options.name ?? (typeof known === 'string' ? known : 'model')
  const metadata = ggufMetadata(config, name, options.type, notes)
  if (options.license !== undefined) metadata.set('general.license', { type: 'string', value: options.license })
  for (const [key, value] of await carriedMetadata(model, notes)) if (!metadata.has(key)) metadata.set(key, value)
  const rotation = ggufRotation(config)
  const tensors = plans.map(
    (plan, i): TensorInput => ({
      name: ggufNameOfHf(plan.info.name)!,
      shape: plan.info.shape,
      dtype: plan.dtype,
      data: () => converted(model, plan, rotation, options, i, plans.length),
    }),
  )
  const divisors = llama3Divisors(config)
  if (divisors) {
    tensors.push({
      name: 'rope_freqs.weight',
      shape: [divisors.length],
      dtype: 'f32',
      data: () => encodeFloats('f32', divisors),
    })
  }
  await writeGguf(sink, { metadata, tensors })
  return { otherTypes: otherTypes(model, plans, options.type), notes }
}

async function toSafetensors(model: Model, sink: ByteSink, options: ConvertOptions): Promise<ConvertReport> {
  const notes: string[] = []
  const plans = planTensors(model, options, notes).filter(({ info }) => info.name !== 'rope_freqs.weight')
  // Unlike GGUF, checkpoints keep their vectors in the type of the rest.
  const dtype = options.type as 'f32' | 'f16' | 'bf16'
  const config = hfConfig(model.config, dtype, await ropeDivisors(model))
  const tensors = plans.map(
    ({ info }, i): TensorInput => ({
      name: info.name,
      shape: info.shape,
      dtype,
      data: () => converted(model, { info, dtype }, 'half', options, i, plans.length),
    }),
  )
  await writeSafetensors(sink, { tensors })
  return { otherTypes: [], notes, config }
}

async function ropeDivisors(model: Model): Promise<Float32Array | undefined> {
  const info = model.weights.tensors.get('rope_freqs.weight')
  if (!info) return undefined
  return decoded(info, await model.weights.read(info.name))
}

/** Keys about what the file is now, not about the model. */
const ownKeys = /^general\.(alignment|quantization_version|file_type|size_label)$|^split\./

/** Licence, authors and tokenizer of a GGUF source as they are; else the tokenizer made from the files of the folder. */
async function carriedMetadata(model: Model, notes: string[]): Promise<Map<string, GgufValue>> {
  if (model.weights.format !== 'gguf') return readTokenizerMetadata(model, notes)
  const { values } = model.source as GgufFile
  return new Map([...values].filter(([key]) => /^(tokenizer|general)\./.test(key) && !ownKeys.test(key)))
}

function decoded(info: TensorInfo, bytes: Uint8Array): Float32Array {
  const values = new Float32Array(elementCount(info.shape))
  decodeTensor(info.dtype, bytes, values)
  return values
}

/** Reads a tensor, puts its rows in the target's order and its elements in the target's type. */
async function converted(
  { config, weights }: Model,
  { info, dtype }: Plan,
  rotation: ModelConfig['rotation'],
  { onProgress, signal }: ConvertOptions,
  index: number,
  total: number,
): Promise<Uint8Array> {
  if (signal?.aborted) throw new WeightsError('aborted', 'convert: aborted', { cause: signal.reason })
  onProgress?.({ tensor: info.name, done: index, total })
  const read = await weights.read(info.name)
  const rotated = /\.self_attn\.[qk]_proj\.(weight|bias)$/.test(info.name)
  const bytes = rotated ? reorderRows(read, info.shape[0]!, config.headDim, config.rotation, rotation) : read
  const result = recode(info, bytes, dtype)
  if (index === total - 1) onProgress?.({ tensor: info.name, done: total, total })
  return result
}

function recode(info: TensorInfo, bytes: Uint8Array, dtype: WrittenDType): Uint8Array {
  if ((info.dtype satisfies FileDType) === dtype) return bytes
  const values = decoded(info, bytes)
  if (!isBlockDType(dtype)) {
    refuseOverflow(info, values, dtype)
    return encodeFloats(dtype, values)
  }
  const { block, bytes: size } = blockFormats[dtype]
  const out = new Uint8Array((values.length / block) * size)
  encodeBlocks(dtype, values, out)
  return out
}

/** Values that turn into infinity would make NaN of every answer; better said now. */
function refuseOverflow(info: TensorInfo, values: Float32Array, dtype: 'f32' | 'f16' | 'bf16'): void {
  const limit = dtype === 'f16' ? 65520 : Number.POSITIVE_INFINITY
  for (const value of values) {
    if (!(Math.abs(value) < limit)) {
      throw new WeightsError(
        'argument',
        `convert: tensor "${info.name}": got ${value}, expected finite values that ${dtype} can hold`,
      )
    }
  }
}
