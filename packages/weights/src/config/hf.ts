/** Hugging Face's `config.json` of llama, mistral, qwen2 and qwen3 models. Defaults are those of transformers 5.23. */
import { WeightsError } from '../errors.js'
import { checkConfig } from './check.js'
import { Fields } from './fields.js'
import { fieldValues, unknownFields } from './hf-fields.js'
import { readRope } from './rope.js'
import type { Architecture, ModelConfig } from './types.js'

const architectures: Readonly<Record<string, Architecture>> = {
  llama: 'llama',
  mistral: 'mistral',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
}

/** What each class assumes for a field that `config.json` leaves out. */
const defaults: Readonly<
  Record<Architecture, { context: number; kvHeads?: number; headDim?: number; window?: number }>
> = {
  llama: { context: 2048 },
  mistral: { context: 131072, kvHeads: 8, window: 4096 },
  qwen2: { context: 32768, kvHeads: 32, window: 4096 },
  qwen3: { context: 32768, kvHeads: 32, headDim: 128, window: 4096 },
}

/**
 * Reads a parsed `config.json`.
 *
 * @throws WeightsError `unsupported` naming a model type or field whose maths is not LLaMA's; `missing` or `format`
 *   naming a field that is absent or of the wrong kind
 * @example readHfConfig(JSON.parse(text)).kvHeads
 */
export function readHfConfig(json: unknown, file = 'config.json'): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new WeightsError('format', `${file}: got no JSON object`, { file })
  }
  const c = new Fields(file, json as Record<string, unknown>)
  const type = c.text('model_type')
  const architecture = Object.hasOwn(architectures, type) ? architectures[type]! : undefined
  if (!architecture) {
    throw new WeightsError(
      'unsupported',
      `${file}: got model_type ${JSON.stringify(type)}, expected one of ${Object.keys(architectures).join(', ')}`,
      { file, got: type },
    )
  }
  c.refuse(fieldValues)
  if ((json as { is_causal?: unknown }).is_causal === null) {
    throw new WeightsError(
      'unsupported',
      `${file}: is_causal: got null, expected true or no such field. transformers takes null for causal with its sdpa attention and for bidirectional with eager`,
      { file, got: null },
    )
  }
  c.refuse(
    unknownFields(c.keys()),
    'an unknown field, which may change the model. Remove it if the model is a plain one',
  )
  const qwen = architecture === 'qwen2' || architecture === 'qwen3'
  const preset = defaults[architecture]
  const dim = c.size('hidden_size')
  const layers = c.size('num_hidden_layers')
  const heads = c.size('num_attention_heads')
  const headDim = c.size('head_dim', preset.headDim ?? dim / heads)
  const context = c.size('max_position_embeddings', preset.context)
  const attentionBias = architecture === 'qwen2' || (architecture !== 'mistral' && c.flag('attention_bias', false))
  const sliding = readWindow(c, architecture, layers, qwen)
  return checkConfig(file, {
    architecture,
    dim,
    layers,
    heads,
    // An explicit null means "as many as heads"; an absent field means the class's default.
    kvHeads: c.size('num_key_value_heads', c.states('num_key_value_heads') ? heads : (preset.kvHeads ?? heads)),
    headDim,
    ffnDim: c.size('intermediate_size'),
    vocab: c.size('vocab_size'),
    normEps: c.positive('rms_norm_eps', 1e-6),
    ...readRope(c, context, headDim),
    rotation: 'half',
    context,
    tied: c.flag('tie_word_embeddings', false),
    biases: {
      q: attentionBias,
      k: attentionBias,
      v: attentionBias,
      o: attentionBias && architecture !== 'qwen2',
      mlp: architecture === 'llama' && c.flag('mlp_bias', false),
    },
    qkNorm: architecture === 'qwen3',
    ...sliding,
    bosTokenId: c.tokens('bos_token_id')[0],
    eosTokenIds: c.tokens('eos_token_id'),
    padTokenId: c.tokens('pad_token_id')[0],
    notes: [],
  })
}

function readWindow(
  c: Fields,
  architecture: Architecture,
  layers: number,
  qwen: boolean,
): { slidingWindow: number | undefined; slidingLayers: readonly boolean[] } {
  const none = { slidingWindow: undefined, slidingLayers: [] }
  // LLaMA has no window; Qwen's counts only when it is switched on.
  if (architecture === 'llama') {
    c.refuse({ sliding_window: [] })
    return none
  }
  // An explicit null means "no window"; an absent field means the class's default.
  const window =
    c.has('sliding_window') || !c.states('sliding_window')
      ? c.size('sliding_window', defaults[architecture].window)
      : undefined
  const on = window !== undefined && (!qwen || c.flag('use_sliding_window', false))
  const types = c.raw('layer_types')
  if (types !== undefined && architecture !== 'mistral') {
    if (
      !Array.isArray(types) ||
      types.length !== layers ||
      types.some(t => t !== 'full_attention' && t !== 'sliding_attention')
    ) {
      throw new WeightsError(
        'format',
        `${c.file}: layer_types: expected ${layers} of "full_attention" or "sliding_attention"`,
      )
    }
    const slidingLayers = types.map(t => t === 'sliding_attention')
    if (!slidingLayers.includes(true)) return none
    if (!on) throw new WeightsError('format', `${c.file}: layer_types asks for sliding attention, but no window is set`)
    return { slidingWindow: window, slidingLayers }
  }
  if (!on) return none
  const from = qwen ? c.count('max_window_layers', 28) : 0
  return {
    slidingWindow: window,
    slidingLayers: Array.from({ length: Math.min(layers, 65537) }, (_, i) => i >= from),
  }
}
