/** Meta's `params.json`, with what it leaves out taken from the tensors. */
import { corrupt, WeightsError } from '../errors.js'
import type { TensorInfo } from '../types.js'
import { checkConfig } from './check.js'
import { Fields } from './fields.js'
import type { ModelConfig, RopeScaling } from './types.js'

const known = new Set([
  'dim',
  'n_layers',
  'n_heads',
  'n_kv_heads',
  'vocab_size',
  'multiple_of',
  'ffn_dim_multiplier',
  'norm_eps',
  'rope_theta',
  'use_scaled_rope',
  'rope_scaling_factor',
  'rope_high_freq_factor',
  'max_batch_size',
  'max_seq_len',
  'model_parallel_size',
  'head_dim',
])

/** The FFN width of meta-llama/llama: two thirds of 4·dim, times the multiplier, rounded up. */
export function metaFfnDim(dim: number, multipleOf: number, multiplier: number | undefined): number {
  let hidden = Math.trunc((2 * (4 * dim)) / 3)
  if (multiplier !== undefined) hidden = Math.trunc(multiplier * hidden)
  return multipleOf * Math.ceil(hidden / multipleOf)
}

/**
 * Reads a parsed `params.json`.
 *
 * @param tensors the (merged) tensors under Meta's names: params.json does not state the vocabulary (often −1), the
 *   FFN width or tying, and copies of it with another model's numbers are about (Llama 2 with 8 key-value heads, in
 *   llama-models' own list), so everything that shapes show is compared with them
 */
export function readMetaParams(
  json: unknown,
  tensors: ReadonlyMap<string, TensorInfo>,
  file = 'params.json',
): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw corrupt(file, 'got no JSON object')
  const p = new Fields(file, json as Record<string, unknown>)
  p.refuse(
    Object.fromEntries(
      p
        .keys()
        .filter(key => !known.has(key))
        .map(key => [key, [false, 0]]),
    ),
  )
  const dim = p.size('dim')
  const layers = p.size('n_layers')
  const heads = p.size('n_heads')
  const kvHeads = p.size('n_kv_heads', heads)
  const headDim = p.size('head_dim', dim / heads)
  const notes: string[] = []

  const shape = (name: string, rank: number): readonly number[] => {
    const found = tensors.get(name)
    if (!found) throw new WeightsError('missing', `${file}: tensor "${name}" is not in the checkpoint`, { file })
    if (found.shape.length !== rank) throw corrupt(file, `tensor "${name}": got shape [${found.shape}]`)
    return found.shape
  }
  const expectRows = (name: string, rows: number, why: string): void => {
    const got = shape(name, 2)[0]
    if (got !== rows) {
      throw corrupt(
        file,
        `${why} asks for ${rows} rows of ${name}, but the checkpoint has ${got}. Is this params.json of another model?`,
      )
    }
  }
  const [queries, keys] = ['wq', 'wk'].map(name => shape(`layers.0.attention.${name}.weight`, 2)) as [
    number[],
    number[],
  ]
  const share = queries[0]! / (heads * headDim)
  // Every rank holds the same share of the rows, and all columns of these two.
  if (queries[1] === dim && share < 1 && share === keys[0]! / (kvHeads * headDim)) {
    throw new WeightsError(
      'missing',
      `${file}: got ${queries[0]} of ${heads * headDim} rows of layers.0.attention.wq.weight, expected all. Files of the checkpoint (consolidated.NN.pth) are missing`,
      { file },
    )
  }
  const vocab = shape('tok_embeddings.weight', 2)[0]!
  const stated = p.raw('vocab_size')
  if (typeof stated === 'number' && stated > 0 && stated !== vocab) {
    throw corrupt(file, `got vocab_size ${stated}, but the checkpoint has ${vocab} embeddings`)
  }
  expectRows('layers.0.attention.wq.weight', heads * headDim, `n_heads ${heads}`)
  expectRows('layers.0.attention.wk.weight', kvHeads * headDim, `n_kv_heads ${kvHeads}`)
  const ffnDim = shape('layers.0.feed_forward.w1.weight', 2)[0]!
  if (p.has('multiple_of')) {
    const multiplier = p.has('ffn_dim_multiplier') ? p.positive('ffn_dim_multiplier') : undefined
    const computed = metaFfnDim(dim, p.size('multiple_of'), multiplier)
    if (computed !== ffnDim)
      throw corrupt(file, `multiple_of asks for a feed-forward width of ${computed}, but the checkpoint has ${ffnDim}`)
  }
  const normEps = p.positive('norm_eps')
  const ropeScaling = readScaling(p, dim, notes)
  return checkConfig(file, {
    architecture: 'llama',
    dim,
    layers,
    heads,
    kvHeads,
    headDim,
    ffnDim,
    vocab,
    normEps,
    ropeTheta: p.positive('rope_theta', 10000),
    ropeScaling,
    rotation: 'interleaved',
    context: readContext(p, { vocab, normEps, layers, scaled: ropeScaling !== undefined }, notes),
    tied: !tensors.has('output.weight'),
    biases: { q: false, k: false, v: false, o: false, mlp: false },
    qkNorm: false,
    slidingWindow: undefined,
    slidingLayers: [],
    bosTokenId: vocab === 128256 ? 128000 : vocab === 32000 ? 1 : undefined,
    eosTokenIds: vocab === 128256 ? [128001, 128008, 128009] : vocab === 32000 ? [2] : [],
    padTokenId: undefined,
    notes,
  })
}

/**
 * `use_scaled_rope` says that frequencies are scaled, not by how much. Meta's own code hard-codes 8, which is right for
 * Llama 3.1 and 3.3; the 3.2 text models (dim 2048 and 3072) were trained with 32, as their `config.json` says.
 */
function readScaling(p: Fields, dim: number, notes: string[]): RopeScaling | undefined {
  if (!p.flag('use_scaled_rope', false)) return undefined
  const assumed = dim === 2048 || dim === 3072 ? 32 : 8
  if (!p.has('rope_scaling_factor'))
    notes.push(`params.json states no RoPE scaling factor; ${assumed} is assumed from the model's width`)
  return {
    type: 'llama3',
    factor: p.positive('rope_scaling_factor', assumed),
    lowFreqFactor: 1,
    highFreqFactor: p.positive('rope_high_freq_factor', 4),
    originalContext: 8192,
  }
}

/** params.json states no context length: it follows from the family, which other fields betray. */
function readContext(
  p: Fields,
  { vocab, normEps, layers, scaled }: { vocab: number; normEps: number; layers: number; scaled: boolean },
  notes: string[],
): number {
  if (p.has('max_seq_len')) return p.size('max_seq_len')
  let context: number
  if (scaled) context = 131072
  else if (vocab === 128256) context = 8192
  else if (normEps === 1e-6)
    context = 2048 // LLaMA 1, all but 65B
  else if (layers === 80 && !p.has('n_kv_heads'))
    context = 2048 // LLaMA 1 65B
  else context = 4096
  notes.push(`params.json states no context length; ${context} is assumed`)
  return context
}
