import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { tinyConfig } from '../../test/tiny.js'
import { hfConfig } from '../convert/hf-config.js'
import type { TensorInfo, WeightFile } from '../types.js'
import { readGgufConfig } from './gguf.js'
import { readHfConfig } from './hf.js'
import { metaFfnDim, readMetaParams } from './meta.js'
import type { ModelConfig } from './types.js'

const base = {
  model_type: 'llama',
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 96,
  vocab_size: 100,
  max_position_embeddings: 4096,
}
const written: Record<string, unknown> = JSON.parse(
  readFileSync(new URL('../../golden/hf-configs.json', import.meta.url), 'utf8'),
)
const hf = (fields: Record<string, unknown> = {}): ModelConfig => readHfConfig({ ...base, ...fields })

describe('config.json', () => {
  it('fills in the defaults of transformers', () => {
    expect(hf()).toMatchObject({
      headDim: 16,
      kvHeads: 2,
      normEps: 1e-6,
      ropeTheta: 10000,
      ropeScaling: undefined,
      tied: false,
      rotation: 'half',
      slidingWindow: undefined,
      biases: { q: false, k: false, v: false, o: false, mlp: false },
    })
    const { num_key_value_heads: _, ...bare } = base
    expect(readHfConfig(bare).kvHeads).toBe(4)
    expect(hf({ num_key_value_heads: null }).kvHeads).toBe(4)
    expect(readHfConfig({ ...bare, model_type: 'mistral', num_attention_heads: 16 }).kvHeads).toBe(8)
    expect(hf({ model_type: 'qwen3' }).headDim).toBe(128)
    expect(hf({ head_dim: 24 }).headDim).toBe(24)
    expect(hf({ eos_token_id: [5, 6], bos_token_id: 4 })).toMatchObject({ eosTokenIds: [5, 6], bosTokenId: 4 })
  })

  it.each(['rope_scaling', 'rope_parameters'])('reads %s', key => {
    const scaling = (dictionary: unknown): unknown => hf({ [key]: dictionary }).ropeScaling
    expect(hf({ [key]: { rope_theta: 5e5 } }).ropeTheta).toBe(5e5)
    expect(hf({ [key]: { rope_type: 'default' }, rope_theta: 7 }).ropeTheta).toBe(7)
    expect(scaling({ type: 'linear', factor: 4 })).toEqual({ type: 'linear', factor: 4 })
    expect(scaling({ rope_type: 'dynamic', factor: 2 })).toEqual({ type: 'dynamic', factor: 2, originalContext: 4096 })
    expect(
      scaling({
        rope_type: 'llama3',
        factor: 32,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      }),
    ).toEqual({ type: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 })
    expect(scaling({ rope_type: 'yarn', factor: 4, original_max_position_embeddings: 1024 })).toEqual({
      type: 'yarn',
      factor: 4,
      originalContext: 1024,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: 0.1 * Math.log(4) + 1,
      truncate: true,
      crossedRamp: 'falling',
    })
    expect(scaling({ rope_type: 'yarn', factor: 4, mscale: 1, mscale_all_dim: 1 })).toMatchObject({
      attentionFactor: 1,
    })
    expect(
      scaling({
        rope_type: 'longrope',
        short_factor: Array(8).fill(1),
        long_factor: Array(8).fill(2),
        original_max_position_embeddings: 1024,
      }),
    ).toMatchObject({ type: 'longrope', attentionFactor: Math.sqrt(1 + Math.log(4) / Math.log(1024)) })
  })

  it('takes theta from rope_parameters beside an empty rope_scaling', () => {
    expect(hf({ rope_scaling: {}, rope_parameters: { rope_theta: 100 } }).ropeTheta).toBe(100)
    expect(hf({ rope_scaling: {}, rope_theta: 7 }).ropeTheta).toBe(7)
  })

  // With every field that PreTrainedConfig has, not only those that differ from its defaults.
  it.each(Object.entries(written))('reads what transformers writes for %s', (architecture, json) => {
    expect(readHfConfig(json)).toMatchObject({ architecture, layers: 2, tied: false, ropeTheta: 10000 })
  })

  it('reads the extra fields of published files', () => {
    const smollm2 = {
      is_llama_config: true,
      rope_interleaved: false,
      'transformers.js_config': { kv_cache_dtype: { q4f16: 'float16' } },
      tie_word_embeddings: true,
    }
    expect(hf(smollm2).tied).toBe(true)
    const qwen25 = { use_mrope: false, use_sliding_window: false, sliding_window: 32768, max_window_layers: 21 }
    expect(hf({ ...qwen25, model_type: 'qwen2' }).slidingWindow).toBeUndefined()
    hf({ unsloth_fixed: true, _attn_implementation_autoset: true, quantization_config: null, temperature: 0.6 })
    hf({ activation: 'swiglu', max_sequence_length: 2048, use_qk_norm: false })
  })

  it('reads biases, windows and QK norm as each class has them', () => {
    expect(hf({ model_type: 'qwen2' }).biases).toEqual({ q: true, k: true, v: true, o: false, mlp: false })
    expect(hf({ attention_bias: true, mlp_bias: true }).biases).toEqual({
      q: true,
      k: true,
      v: true,
      o: true,
      mlp: true,
    })
    expect(hf({ model_type: 'qwen3' }).qkNorm).toBe(true)
    expect(hf({ model_type: 'mistral', sliding_window: 512 })).toMatchObject({
      slidingWindow: 512,
      slidingLayers: [true, true],
    })
    expect(hf({ model_type: 'mistral', sliding_window: null }).slidingWindow).toBeUndefined()
    expect(hf({ model_type: 'mistral' }).slidingWindow).toBe(4096)
    expect(hf({ model_type: 'qwen2', use_sliding_window: true, max_window_layers: 0 })).toMatchObject({
      slidingWindow: 4096,
      slidingLayers: [true, true],
    })
    expect(
      hf({ model_type: 'qwen2', use_sliding_window: true, sliding_window: null, max_window_layers: 0 }).slidingWindow,
    ).toBeUndefined()
    expect(hf({ model_type: 'qwen2', sliding_window: 512 }).slidingWindow).toBeUndefined()
    expect(
      hf({ model_type: 'qwen2', sliding_window: 512, use_sliding_window: true, max_window_layers: 1 }),
    ).toMatchObject({
      slidingWindow: 512,
      slidingLayers: [false, true],
    })
    expect(
      hf({
        model_type: 'qwen3',
        sliding_window: 8,
        use_sliding_window: true,
        layer_types: ['sliding_attention', 'full_attention'],
      }),
    ).toMatchObject({
      slidingLayers: [true, false],
    })
  })

  it.each([
    [{ model_type: 'gemma2' }, /model_type "gemma2", expected one of llama/],
    [{ model_type: '__proto__' }, /model_type/],
    [{ hidden_act: 'gelu' }, /hidden_act: got "gelu"/],
    [{ quantization_config: { quant_method: 'awq' } }, /quantization_config/],
    [{ rope_scaling: { rope_type: 'su', factor: 2 } }, /rope_type "su"/],
    [{ rope_scaling: { rope_type: 'linear', factor: 0 } }, /factor: got 0/],
    [{ rope_scaling: { rope_type: 'linear', factor: 2, mrope_section: [1] } }, /mrope_section/],
    [{ rope_scaling: { rope_type: 'llama3', factor: 8 } }, /low_freq_factor: got nothing/],
    [{ rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } }, /expected 8 numbers/],
    [{ rope_parameters: { partial_rotary_factor: 0.5 } }, /partial_rotary_factor: got 0.5/],
    [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
    [{ is_causal: false }, /is_causal: got false/],
    [{ is_causal: null }, /is_causal: got null/],
    [{ is_causal: 1 }, /is_causal: got 1/],
    [
      { model_type: 'qwen2', use_sliding_window: true, sliding_window: 4, max_window_layers: 'a' },
      /max_window_layers: got "a", expected a whole number/,
    ],
    [{ attn_logit_scale: 0.5 }, /attn_logit_scale: got 0.5/],
    [{ norm_type: 'layernorm' }, /norm_type/],
    [{ use_qk_norm: true }, /use_qk_norm/],
    [{ quantization: { bits: 4 } }, /quantization/],
    [{ per_layer_config: { 0: { head_dim: 8 } } }, /per_layer_config/],
    [{ num_hidden_layers: 2.5 }, /num_hidden_layers: got 2.5/],
    [{ hidden_size: '64' }, /hidden_size: got "64"/],
    [{ num_key_value_heads: 3 }, /4 heads and 3 key-value heads/],
    [{ rms_norm_eps: -1 }, /rms_norm_eps/],
    [{ head_dim: 15 }, /even/],
    [{ sliding_window: 5 }, /sliding_window/],
    [{ num_hidden_layers: 1e9, model_type: 'mistral', sliding_window: 4 }, /layers/],
  ])('refuses %o', (fields, message) => {
    expect(() => hf(fields)).toThrow(message)
  })

  it('is written as it is read', () => {
    const configs: ModelConfig[] = [
      tinyConfig,
      { ...tinyConfig, architecture: 'qwen3', qkNorm: true, tied: true, eosTokenIds: [2, 3] },
      { ...tinyConfig, architecture: 'qwen2', biases: { q: true, k: true, v: true, o: false, mlp: false } },
      { ...tinyConfig, architecture: 'mistral', slidingWindow: 16, slidingLayers: [true, true] },
      {
        ...tinyConfig,
        ropeScaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 64 },
      },
      {
        ...tinyConfig,
        ropeScaling: {
          type: 'yarn',
          factor: 4,
          originalContext: 32,
          betaFast: 8,
          betaSlow: 2,
          attentionFactor: 1.3,
          truncate: false,
          crossedRamp: 'falling',
        },
      },
    ]
    for (const config of configs) expect(readHfConfig(hfConfig(config, 'f32'))).toEqual(config)
  })
})

const info = (name: string, shape: number[]): [string, TensorInfo] => [
  name,
  { name, shape, dtype: 'f16', bytes: 0, offset: 0 },
]

describe('params.json', () => {
  const tensors = (dim: number, heads: number, kv: number, ffn: number, vocab: number): Map<string, TensorInfo> =>
    new Map([
      info('tok_embeddings.weight', [vocab, dim]),
      info('layers.0.attention.wq.weight', [dim, dim]),
      info('layers.0.attention.wk.weight', [(dim / heads) * kv, dim]),
      info('layers.0.feed_forward.w1.weight', [ffn, dim]),
      info('output.weight', [vocab, dim]),
    ])

  it('computes the widths of the published models', () => {
    expect(metaFfnDim(4096, 256, undefined)).toBe(11008)
    expect(metaFfnDim(5120, 256, undefined)).toBe(13824)
    expect(metaFfnDim(6656, 256, undefined)).toBe(17920)
    expect(metaFfnDim(8192, 256, undefined)).toBe(22016)
    expect(metaFfnDim(8192, 4096, 1.3)).toBe(28672)
    expect(metaFfnDim(4096, 1024, 1.3)).toBe(14336)
    expect(metaFfnDim(16384, 4096, 1.2)).toBe(53248)
    expect(metaFfnDim(2048, 256, 1.5)).toBe(8192)
    expect(metaFfnDim(3072, 256, 1)).toBe(8192)
  })

  it('takes what it does not state from the tensors', () => {
    const llama1 = { dim: 4096, multiple_of: 256, n_heads: 32, n_layers: 32, norm_eps: 1e-6, vocab_size: -1 }
    expect(readMetaParams(llama1, tensors(4096, 32, 32, 11008, 32000))).toMatchObject({
      kvHeads: 32,
      ffnDim: 11008,
      vocab: 32000,
      context: 2048,
      rotation: 'interleaved',
      ropeTheta: 10000,
      bosTokenId: 1,
    })
    const llama2 = { ...llama1, norm_eps: 1e-5 }
    expect(readMetaParams(llama2, tensors(4096, 32, 32, 11008, 32000)).context).toBe(4096)
  })

  it('knows that 3.2 scales by 32 where 3.1 scales by 8', () => {
    const params = {
      n_heads: 32,
      n_kv_heads: 8,
      n_layers: 16,
      norm_eps: 1e-5,
      rope_theta: 5e5,
      use_scaled_rope: true,
      vocab_size: 128256,
    }
    const small = { ...params, dim: 2048, multiple_of: 256, ffn_dim_multiplier: 1.5 }
    const read = readMetaParams(small, tensors(2048, 32, 8, 8192, 128256))
    expect(read).toMatchObject({
      context: 131072,
      ropeScaling: { type: 'llama3', factor: 32, originalContext: 8192 },
      bosTokenId: 128000,
    })
    expect(read.notes.join()).toMatch(/32 is assumed/)
    const large = { ...params, dim: 4096, multiple_of: 1024, ffn_dim_multiplier: 1.3 }
    expect(readMetaParams(large, tensors(4096, 32, 8, 14336, 128256)).ropeScaling).toMatchObject({ factor: 8 })
  })

  it('catches the params of another model', () => {
    // llama-models' own list gives Llama 2 7B eight key-value heads.
    const wrong = {
      dim: 4096,
      multiple_of: 256,
      n_heads: 32,
      n_kv_heads: 8,
      n_layers: 32,
      norm_eps: 1e-5,
      ffn_dim_multiplier: 1.3,
    }
    const llama2 = tensors(4096, 32, 32, 11008, 32000)
    expect(() => readMetaParams(wrong, llama2)).toThrow(/n_kv_heads 8 asks for 1024 rows .* checkpoint has 4096/)
    expect(() => readMetaParams({ ...wrong, n_kv_heads: 32 }, llama2)).toThrow(
      /feed-forward width of 14336, but the checkpoint has 11008/,
    )
    expect(() => readMetaParams({ ...wrong, moe_args: {} }, llama2)).toThrow(/moe_args/)
  })

  it('says that ranks are missing, whatever they cut the embedding by', () => {
    const params = { dim: 64, multiple_of: 32, n_heads: 4, n_kv_heads: 2, n_layers: 1, norm_eps: 1e-5, vocab_size: 100 }
    const ranks = (share: number, embedding: number[]): Map<string, TensorInfo> =>
      new Map([
        info('tok_embeddings.weight', embedding),
        info('layers.0.attention.wq.weight', [64 * share, 64]),
        info('layers.0.attention.wk.weight', [32 * share, 64]),
        info('layers.0.feed_forward.w1.weight', [192 * share, 64]),
      ])
    expect(readMetaParams(params, ranks(1, [100, 64])).ffnDim).toBe(192)
    for (const embedding of [
      [50, 64],
      [100, 32],
    ])
      expect(() => readMetaParams(params, ranks(0.5, embedding))).toThrow(
        /got 32 of 64 rows .*consolidated.NN.pth\) are missing/,
      )
    expect(() => readMetaParams(params, ranks(0.75, [75, 64]))).toThrow(/are missing/)
  })
})

describe('GGUF metadata', () => {
  const gguf = (metadata: Record<string, unknown>, more: [string, TensorInfo][] = []): WeightFile => ({
    format: 'gguf',
    naming: 'gguf',
    metadata: {
      'general.architecture': 'llama',
      'llama.embedding_length': 64,
      'llama.block_count': 2,
      'llama.attention.head_count': 4,
      'llama.attention.head_count_kv': 2,
      'llama.context_length': 512,
      'llama.feed_forward_length': 96,
      'llama.attention.layer_norm_rms_epsilon': Math.fround(1e-5),
      ...metadata,
    },
    tensors: new Map([info('token_embd.weight', [100, 64]), ...more]),
    read: async () => new Uint8Array(),
    location: () => undefined,
    close: async () => {},
  })

  it('reads llama files: interleaved, tied without output.weight', () => {
    expect(readGgufConfig(gguf({}))).toMatchObject({
      rotation: 'interleaved',
      tied: true,
      headDim: 16,
      normEps: 1e-5,
      vocab: 100,
      ropeTheta: 10000,
    })
    expect(readGgufConfig(gguf({}, [info('output.weight', [100, 64]), info('blk.0.attn_q.bias', [64])]))).toMatchObject(
      {
        tied: false,
        biases: { q: true, k: false },
      },
    )
    expect(readGgufConfig(gguf({ 'llama.attention.head_count_kv': Int32Array.of(2, 2) })).kvHeads).toBe(2)
    expect(
      readGgufConfig(gguf({ 'tokenizer.ggml.eos_token_id': 7, 'tokenizer.ggml.padding_token_id': 4294967295 })),
    ).toMatchObject({
      eosTokenIds: [7],
      padTokenId: undefined,
    })
  })

  it('reads rope scaling', () => {
    const scaling = (fields: Record<string, unknown>, more: [string, TensorInfo][] = []): unknown =>
      readGgufConfig(gguf(Object.fromEntries(Object.entries(fields).map(([k, v]) => [`llama.rope.${k}`, v])), more))
        .ropeScaling
    expect(scaling({ 'scaling.type': 'linear', 'scaling.factor': 4 })).toEqual({ type: 'linear', factor: 4 })
    expect(scaling({ scale_linear: 2 })).toEqual({ type: 'linear', factor: 2 })
    expect(scaling({ 'scaling.type': 'none', 'scaling.factor': 2 })).toBeUndefined()
    expect(scaling({}, [info('rope_freqs.weight', [8])])).toEqual({
      type: 'tensor',
      tensor: 'rope_freqs.weight',
      factor: 1,
    })
    expect(
      scaling({ 'scaling.type': 'yarn', 'scaling.factor': 4, 'scaling.original_context_length': 64 }),
    ).toMatchObject({
      type: 'yarn',
      originalContext: 64,
      attentionFactor: 0.1 * Math.log(4) + 1,
      crossedRamp: 'step',
    })
  })

  it.each([
    [{ 'general.architecture': 'gemma' }, /architecture "gemma"/],
    [{ 'llama.expert_count': 8 }, /expert_count: got 8/],
    [{ 'llama.rope.dimension_count': 8 }, /partial rotation/],
    [{ 'llama.attention.head_count_kv': Int32Array.of(2, 4) }, /differs between layers/],
    [{ 'llama.rope.scaling.type': 'longrope' }, /longrope/],
    [{ 'llama.vocab_size': 7 }, /vocab_size 7, but 100/],
    [{ 'llama.block_count': 0 }, /block_count: got 0/],
    [{ 'llama.attention.scale': 0.5 }, /attention.scale/],
  ])('refuses %o', (fields, message) => {
    expect(() => readGgufConfig(gguf(fields))).toThrow(message)
  })
})
