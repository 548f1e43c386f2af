/** From a weight file to a model on a device: by checkpoint names, tensor by tensor, in the dtypes the device can use. */
import {
  ArgumentError,
  CriaError,
  type Device,
  type DType,
  isBlock,
  type RopeScaling,
  type Spec,
  spec,
  type Tensor,
} from '@cria/tensor'
import {
  decodeTensor,
  encodeFloats,
  type FileDType,
  type Model,
  type ModelConfig,
  type TensorInfo,
  type WeightFile,
} from '@cria/weights'
import { type LlamaConfig, llamaConfig } from './config.js'
import { Llama } from './llama.js'
import { checkpointSource } from './source.js'

/** A checkpoint that this architecture cannot run without changing what it computes. */
export class LoadError extends CriaError {
  constructor(message: string, got?: unknown, expected?: unknown) {
    super('load', message, { op: 'load', got, expected })
  }
}

export interface LoadProgress {
  readonly tensor: string
  readonly loadedBytes: number
  readonly totalBytes: number
}

export interface LoadOptions {
  readonly onProgress?: (progress: LoadProgress) => void
  readonly signal?: AbortSignal
}

/**
 * Loads a model that @cria/weights has opened: `openModelAt(path)` in Node, `openModel(folder)` in browsers.
 *
 * @example
 * const model = await loadLlama(await cpu(), await openModelAt('model.gguf'))
 * @throws LoadError naming what is missing, left over or not supported; the signal's reason when aborted.
 */
export async function loadLlama(
  device: Device,
  { weights, config }: Pick<Model, 'weights' | 'config'>,
  { onProgress, signal }: LoadOptions = {},
): Promise<Llama> {
  const extra = new Set(['rope_freqs.weight', 'rope_factors_long.weight', 'rope_factors_short.weight'])
  const wanted = [...weights.tensors.values()].filter(
    ({ name }) => !extra.has(name) && !(config.tied && name === 'lm_head.weight'),
  )
  const totalBytes = wanted.reduce((a, t) => a + t.bytes, 0)
  const tensors = new Map<string, Tensor>()
  let loadedBytes = 0
  try {
    for (const info of wanted) {
      signal?.throwIfAborted()
      tensors.set(info.name, await upload(device, weights, info))
      loadedBytes += info.bytes
      onProgress?.({ tensor: info.name, loadedBytes, totalBytes })
    }
    const source = checkpointSource(tensors)
    const model = new Llama(await configOf(config, weights), source)
    const unused = source.unused()
    if (unused.length > 0) {
      model.dispose()
      throw new LoadError(
        `load: got ${unused.length} tensors that a ${config.architecture} of this configuration has no use for (${unused.slice(0, 4).join(', ')}), expected none. Dropping them would change the model`,
        unused,
      )
    }
    return model
  } catch (error) {
    for (const t of tensors.values()) t.dispose()
    throw error
  }
}

async function upload(device: Device, file: WeightFile, info: TensorInfo): Promise<Tensor> {
  const target = usableDType(device, info)
  const s: Spec = spec(target, info.shape)
  if (target === info.dtype) {
    const location = file.location(info.name)
    const loaded = location && device.load(s, location)
    return loaded ?? device.upload(s, await file.read(info.name))
  }
  const values = new Float32Array(info.shape.reduce((a, n) => a * n, 1))
  decodeTensor(info.dtype, await file.read(info.name), values)
  return device.upload(s, encodeFloats(target as 'f32', values))
}

const native = new Set<FileDType>(['f32', 'f16', 'bf16'])

/** Vectors become f32. Matrices keep their dtype unless the device would have to dequantise them at every use. */
function usableDType(device: Device, { shape, dtype }: TensorInfo): DType {
  if (shape.length < 2) return 'f32'
  if (!native.has(dtype) && !isBlock(dtype as DType)) return 'f32'
  if (dtype === 'f32') return 'f32'
  const has = (as: DType): boolean => {
    const [outputs, inputs] = shape as [number, number]
    const x = spec('f32', [1, inputs])
    const call = {
      op: 'linear',
      inputs: [x, spec(as, [outputs, inputs])],
      outputs: [spec('f32', [1, outputs])],
      attrs: {},
      mutates: [],
    }
    return device.backend.kernel(call) !== undefined
  }
  if (has(dtype as DType)) return dtype as DType
  // No backend kernel for f16 either (the reference): the definition serves every dtype alike.
  return isBlock(dtype as DType) && has('f16') ? 'f16' : has('f32') ? 'f32' : (dtype as DType)
}

/** The configuration of @cria/weights as this architecture's. */
export async function configOf(c: ModelConfig, weights: WeightFile): Promise<LlamaConfig> {
  const { q, k, v, o, mlp } = c.biases
  if (q !== k || k !== v)
    throw new LoadError(
      `load: got biases on q ${q}, k ${k}, v ${v}, expected all three or none. This architecture has one switch for them`,
      c.biases,
    )
  const gguf = weights.format === 'gguf'
  const dtypeOf = (name: string): FileDType | undefined => weights.tensors.get(name)?.dtype
  return llamaConfig({
    vocabSize: c.vocab,
    hiddenSize: c.dim,
    intermediateSize: c.ffnDim,
    numHiddenLayers: c.layers,
    numAttentionHeads: c.heads,
    numKeyValueHeads: c.kvHeads,
    headDim: c.headDim,
    rmsNormEps: c.normEps,
    ropeTheta: c.ropeTheta,
    ropeScaling: await scalingOf(c, weights),
    ropeInterleaved: c.rotation === 'interleaved',
    maxPositionEmbeddings: c.context,
    tieWordEmbeddings: c.tied,
    attentionBias: q,
    outputBias: o,
    mlpBias: mlp,
    qkNorm: c.qkNorm,
    roundActivations: gguf && dtypeOf('model.layers.0.self_attn.q_proj.weight') === 'bf16',
    cacheDType: gguf && dtypeOf('model.embed_tokens.weight') !== 'f32' ? 'f16' : 'f32',
    slidingWindow: c.slidingWindow === undefined ? 0 : c.slidingLayers.map(slides => (slides ? c.slidingWindow! : 0)),
  })
}

async function scalingOf({ ropeScaling: s }: ModelConfig, weights: WeightFile): Promise<RopeScaling> {
  if (s === undefined) return { type: 'default' }
  if (s.type === 'longrope') return { ...s, shortFactor: s.shortFactors, longFactor: s.longFactors }
  if (s.type !== 'tensor') return s
  const info = weights.tensors.get(s.tensor)
  if (info === undefined)
    throw new ArgumentError(
      `load: got no tensor ${s.tensor}, expected the frequency divisors that the configuration names`,
      { op: 'load' },
    )
  const divisors = new Float32Array(info.shape.reduce((a, n) => a * n, 1))
  decodeTensor(info.dtype, await weights.read(s.tensor), divisors)
  return { type: 'divisors', divisors: divisors.map(d => d * s.factor) }
}
