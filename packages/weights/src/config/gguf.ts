/** The configuration in GGUF metadata, for the architectures whose block is LLaMA's. */
import { corrupt, unsupported, WeightsError } from '../errors.js'
import type { WeightFile } from '../types.js'
import { checkConfig } from './check.js'
import { Fields } from './fields.js'
import type { Architecture, ModelConfig, RopeScaling } from './types.js'

/**
 * llama.cpp's architecture name to ours and to the order of rotated pairs. Its converter permutes q and k of llama
 * models for interleaved pairs, and leaves Qwen's as they are.
 */
const architectures: Readonly<Record<string, readonly [Architecture, ModelConfig['rotation']]>> = {
  llama: ['llama', 'interleaved'],
  qwen2: ['qwen2', 'half'],
  qwen3: ['qwen3', 'half'],
}

/** Keys (after the architecture's prefix) that change the maths, with the values that do not. */
const refused: Readonly<Record<string, readonly unknown[]>> = {
  expert_count: [0],
  logit_scale: [0, 1],
  residual_scale: [0, 1],
  embedding_scale: [0, 1],
  final_logit_softcapping: [0],
  attn_logit_softcapping: [0],
  'attention.scale': [0],
  'attention.clamp_kqv': [0],
  'attention.max_alibi_bias': [0],
  'attention.causal': [true],
  use_parallel_residual: [false],
  'rope.scaling.alpha': [0],
  'rope.dimension_sections': [],
}

/**
 * Reads the configuration of a GGUF file.
 *
 * @throws WeightsError `unsupported` naming an architecture or key whose maths is not LLaMA's
 * @example readGgufConfig(await openGguf(source)).rotation // 'interleaved' for llama
 */
export function readGgufConfig(gguf: WeightFile, file = 'GGUF'): ModelConfig {
  const g = new Fields(file, gguf.metadata)
  const name = g.text('general.architecture')
  const found = Object.hasOwn(architectures, name) ? architectures[name] : undefined
  if (!found) {
    throw unsupported(
      file,
      `got architecture ${JSON.stringify(name)}, expected one of ${Object.keys(architectures).join(', ')}`,
    )
  }
  const [architecture, rotation] = found
  const prefix = `${name}.`
  const own = Object.entries(gguf.metadata).filter(([key]) => key.startsWith(prefix))
  const a = new Fields(
    `${file}: ${name}`,
    Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])),
  )
  a.refuse(refused)

  const embedding = gguf.tensors.get('token_embd.weight')
  if (!embedding) throw new WeightsError('missing', `${file}: tensor "token_embd.weight" is not in the file`, { file })
  const vocab = embedding.shape[0]!
  if (a.has('vocab_size') && a.size('vocab_size') !== vocab) {
    throw corrupt(file, `got vocab_size ${a.size('vocab_size')}, but ${vocab} embeddings`)
  }
  const dim = a.size('embedding_length')
  const layers = a.size('block_count')
  const heads = uniform(a, 'attention.head_count')
  const kvHeads = uniform(a, 'attention.head_count_kv', heads)
  const headDim = a.size('attention.key_length', dim / heads)
  if (a.has('attention.value_length') && a.size('attention.value_length') !== headDim) {
    throw unsupported(file, 'keys and values have different head sizes')
  }
  if (a.has('rope.dimension_count') && a.size('rope.dimension_count') !== headDim) {
    throw unsupported(
      file,
      `got rope.dimension_count ${a.size('rope.dimension_count')} for heads of ${headDim}: partial rotation`,
    )
  }
  const bias = (suffix: string): boolean => gguf.tensors.has(`blk.0.${suffix}.bias`)
  const context = a.size('context_length')
  const window = a.raw('attention.sliding_window')
  if (window !== undefined && window !== 0) {
    throw unsupported(file, `got attention.sliding_window ${String(window)}: which layers it holds for is not stated`)
  }
  const tokens = (key: string): number[] => g.tokens(`tokenizer.ggml.${key}`).filter(id => id < vocab)
  return checkConfig(file, {
    architecture,
    dim,
    layers,
    heads,
    kvHeads,
    headDim,
    ffnDim: uniform(a, 'feed_forward_length'),
    vocab,
    normEps: shortest(a.positive('attention.layer_norm_rms_epsilon')),
    ropeTheta: shortest(a.positive('rope.freq_base', 10000)),
    ropeScaling: readScaling(a, gguf, context, headDim),
    rotation,
    context,
    tied: !gguf.tensors.has('output.weight'),
    biases: {
      q: bias('attn_q'),
      k: bias('attn_k'),
      v: bias('attn_v'),
      o: bias('attn_output'),
      mlp: bias('ffn_gate') || bias('ffn_up') || bias('ffn_down'),
    },
    qkNorm: gguf.tensors.has('blk.0.attn_q_norm.weight'),
    slidingWindow: undefined,
    slidingLayers: [],
    bosTokenId: tokens('bos_token_id')[0],
    eosTokenIds: [...new Set([...tokens('eos_token_id'), ...tokens('eot_token_id'), ...tokens('eom_token_id')])],
    padTokenId: tokens('padding_token_id')[0],
    notes: [],
  })
}

/** The shortest decimal with the same float32 value: 1e-5 rather than 0.000009999999747378752. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return value
}

/** A number, or a list that says the same for every layer. */
function uniform(a: Fields, key: string, fallback?: number): number {
  const value = a.raw(key)
  if (typeof value !== 'object' || value === null) return a.size(key, fallback)
  const list = Array.from(value as ArrayLike<number>)
  if (list.length === 0 || list.some(n => n !== list[0])) throw unsupported(a.file, `${key} differs between layers`)
  return new Fields(a.file, { [key]: list[0] }).size(key)
}

function readScaling(a: Fields, gguf: WeightFile, context: number, headDim: number): RopeScaling | undefined {
  // llama.cpp's default is "linear" with factor 1: nothing.
  const type = a.text('rope.scaling.type', 'linear')
  const stated = a.raw('rope.scaling.factor') ?? a.raw('rope.scale_linear')
  const factor =
    stated === undefined || stated === 0
      ? 1
      : a.positive(a.has('rope.scaling.factor') ? 'rope.scaling.factor' : 'rope.scale_linear')
  const table = gguf.tensors.get('rope_freqs.weight')
  const attention = a.positive('rope.scaling.attn_factor', 1)
  if (attention !== 1 && type !== 'yarn')
    throw unsupported(a.file, `got rope.scaling.attn_factor ${attention} with ${type} scaling`)
  if (table) {
    if (table.shape.length !== 1 || table.shape[0] !== headDim / 2) {
      throw corrupt(a.file, `rope_freqs.weight: got shape [${table.shape}], expected [${headDim / 2}]`)
    }
    if (type === 'yarn' || type === 'longrope')
      throw unsupported(a.file, `got rope_freqs.weight together with ${type} scaling`)
    return { type: 'tensor', tensor: 'rope_freqs.weight', factor: type === 'none' ? 1 : factor }
  }
  switch (type) {
    case 'none':
      return undefined
    case 'linear':
      return factor === 1 ? undefined : { type, factor }
    case 'yarn': {
      a.refuse({ 'rope.scaling.yarn_log_multiplier': [0], 'rope.scaling.yarn_ext_factor': [1, -1] })
      const computed = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1
      return {
        type,
        factor,
        originalContext: a.size('rope.scaling.original_context_length', context),
        betaFast: a.positive('rope.scaling.yarn_beta_fast', 32),
        betaSlow: a.positive('rope.scaling.yarn_beta_slow', 1),
        // llama.cpp's converter stores the whole factor of config.json here where one was given, else nothing (or 1).
        attentionFactor:
          attention *
          (a.raw('rope.scaling.yarn_attn_factor') === 1
            ? computed
            : a.positive('rope.scaling.yarn_attn_factor', computed)),
        truncate: true,
        // llama.cpp's ramp is at least 0.001 wide.
        crossedRamp: 'step',
      }
    }
    default:
      throw unsupported(a.file, `got rope.scaling.type ${JSON.stringify(type)}, expected none, linear or yarn`)
  }
}
