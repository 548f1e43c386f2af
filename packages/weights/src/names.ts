/**
 * Tensor names. Hugging Face's are the canonical ones; these pure functions translate llama.cpp's and Meta's.
 * llama2.c files have no names: their reader gives HF ones.
 */
import type { Naming } from './types.js'

/** HF name (without `model.layers.N.` and the ending) to the names of GGUF and Meta. */
const layerNames: readonly (readonly [hf: string, gguf: string, meta: string | undefined])[] = [
  ['input_layernorm', 'attn_norm', 'attention_norm'],
  ['self_attn.q_proj', 'attn_q', 'attention.wq'],
  ['self_attn.k_proj', 'attn_k', 'attention.wk'],
  ['self_attn.v_proj', 'attn_v', 'attention.wv'],
  ['self_attn.o_proj', 'attn_output', 'attention.wo'],
  ['self_attn.q_norm', 'attn_q_norm', undefined],
  ['self_attn.k_norm', 'attn_k_norm', undefined],
  ['post_attention_layernorm', 'ffn_norm', 'ffn_norm'],
  ['mlp.gate_proj', 'ffn_gate', 'feed_forward.w1'],
  ['mlp.up_proj', 'ffn_up', 'feed_forward.w3'],
  ['mlp.down_proj', 'ffn_down', 'feed_forward.w2'],
]

const globalNames: readonly (readonly [hf: string, gguf: string, meta: string | undefined])[] = [
  ['model.embed_tokens.weight', 'token_embd.weight', 'tok_embeddings.weight'],
  ['model.norm.weight', 'output_norm.weight', 'norm.weight'],
  ['lm_head.weight', 'output.weight', 'output.weight'],
  // Not weights of a checkpoint: GGUF's tables of frequency divisors, kept under their own names.
  ['rope_freqs.weight', 'rope_freqs.weight', undefined],
  ['rope_factors_long.weight', 'rope_factors_long.weight', undefined],
  ['rope_factors_short.weight', 'rope_factors_short.weight', undefined],
]

const column = { hf: 0, gguf: 1, meta: 2 } as const

function table(naming: Naming): { layers: Map<string, string>; globals: Map<string, string> } {
  const from = (rows: typeof layerNames): Map<string, string> =>
    new Map(rows.flatMap(row => (row[column[naming]] === undefined ? [] : [[row[column[naming]]!, row[0]]])))
  return { layers: from(layerNames), globals: from(globalNames) }
}

const toHf = { gguf: table('gguf'), meta: table('meta') }

/**
 * The HF name of a GGUF tensor, `undefined` for a name that no LLaMA-like model has.
 *
 * @example hfNameOfGguf('blk.3.attn_q.weight') // 'model.layers.3.self_attn.q_proj.weight'
 */
export const hfNameOfGguf = (name: string): string | undefined =>
  translate(toHf.gguf, /^blk\.(\d+)\.(.+)\.(weight|bias)$/, name)

/**
 * The HF name of a tensor of Meta's checkpoints, `undefined` for a name that no LLaMA-like model has.
 *
 * @example hfNameOfMeta('layers.3.attention.wq.weight') // 'model.layers.3.self_attn.q_proj.weight'
 */
export const hfNameOfMeta = (name: string): string | undefined =>
  translate(toHf.meta, /^layers\.(\d+)\.(.+)\.(weight|bias)$/, name)

function translate(
  { layers, globals }: { layers: Map<string, string>; globals: Map<string, string> },
  pattern: RegExp,
  name: string,
): string | undefined {
  const parts = pattern.exec(name)
  if (!parts) return globals.get(name)
  const [, layer, middle, ending] = parts as unknown as [string, string, string, string]
  const hf = layers.get(middle)
  return hf === undefined ? undefined : `model.layers.${layer}.${hf}.${ending}`
}

/**
 * The GGUF name of an HF tensor, `undefined` for a name that no LLaMA-like model has.
 *
 * @example ggufNameOfHf('model.embed_tokens.weight') // 'token_embd.weight'
 */
export function ggufNameOfHf(name: string): string | undefined {
  const parts = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name)
  if (!parts) return globalNames.find(([hf]) => hf === name)?.[1]
  const [, layer, middle, ending] = parts as unknown as [string, string, string, string]
  const gguf = layerNames.find(([hf]) => hf === middle)?.[1]
  return gguf === undefined ? undefined : `blk.${layer}.${gguf}.${ending}`
}

/** Buffers that old checkpoints carry and no model needs: they are recomputed. */
const ignored = /(^|\.)(rotary_emb\.inv_freq|rope\.freqs|attention\.(masked_)?bias|inner_attention\.rope\.freqs)$/

export const isIgnorable = (name: string): boolean => ignored.test(name)

/** The canonical name of a tensor; `undefined` when it has none. */
export function canonicalName(naming: Naming, name: string): string | undefined {
  if (naming === 'gguf') return hfNameOfGguf(name)
  if (naming === 'meta') return hfNameOfMeta(name)
  // Checkpoints of the bare model (LlamaModel) lack the prefix.
  return /^(layers\.|embed_tokens\.|norm\.)/.test(name) ? `model.${name}` : name
}
