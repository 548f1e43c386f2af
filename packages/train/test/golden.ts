/** The small model of tools/golden/train_golden.py, rebuilt from its hash. */
import { Llama, llamaConfig } from '@cria/llama'
import type { Device, ParameterSource, Tensor } from '@cria/tensor'

/** Exact multiples of 2⁻²³ in [−1, 1): the golden scripts' hash of (stream, i). */
export const unit = (stream: number, i: number): number => (mix(stream, i) >>> 8) / 2 ** 23 - 1

function mix(stream: number, i: number): number {
  let x = (i + Math.imul(stream + 1, 0x9e3779b9)) >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0
  return (x ^ (x >>> 16)) >>> 0
}

const parts = [
  'input_layernorm',
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'post_attention_layernorm',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
]
const streams = [
  'model.embed_tokens.weight',
  ...[0, 1].flatMap(i => parts.map(part => `model.layers.${i}.${part}.weight`)),
  'model.norm.weight',
  'lm_head.weight',
]

interface GoldenOptions {
  /** Default 2. */
  readonly kvHeads?: number
  /** Rotates as GGUF of arch llama does; `make` brings the rows in that order. Default false. */
  readonly ropeInterleaved?: boolean
  /** May turn the numbers of a tensor into another one. */
  readonly make?: (values: Float32Array, shape: readonly number[], name: string) => Tensor
}

/** The untied variant, with half-split rotation unless asked otherwise. */
export function goldenModel(
  device: Device,
  { kvHeads = 2, ropeInterleaved = false, make = (values, shape) => device.tensor(values, shape) }: GoldenOptions = {},
): Llama {
  const config = llamaConfig({
    vocabSize: 97,
    hiddenSize: 48,
    intermediateSize: 96,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: kvHeads,
    ropeInterleaved,
  })
  const under = (prefix: string): ParameterSource => {
    const get = (name: string, shape: readonly number[]): Tensor => {
      const stream = streams.indexOf(prefix + name)
      const values = Float32Array.from({ length: shape.reduce((a, n) => a * n, 1) }, (_, i) =>
        shape.length === 2 ? 0.3 * unit(stream, i) : 1 + 0.1 * unit(stream, i),
      )
      return make(values, shape, prefix + name)
    }
    return { get, find: get, at: part => under(`${prefix}${part}.`) }
  }
  return new Llama(config, under(''))
}

/** A batch of the golden script: 2 rows of 16 tokens and their targets. */
export function goldenBatch(step = 0): { tokens: Int32Array; targets: Int32Array } {
  const at = (row: number, i: number): number => mix(1000 + (step % 2), row * 17 + i) % 97
  const rows = (shift: number): Int32Array =>
    Int32Array.from({ length: 32 }, (_, i) => at(Math.floor(i / 16), (i % 16) + shift))
  return { tokens: rows(0), targets: rows(1) }
}
