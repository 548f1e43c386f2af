/** What tensors a configuration asks for, and whether a file has exactly those. */
import { WeightsError } from '../errors.js'
import { shown } from '../layout.js'
import type { WeightFile } from '../types.js'
import type { ModelConfig } from './types.js'

/**
 * Names (Hugging Face's) and shapes of all weights of a model, in the order of the forward pass.
 *
 * @example expectedTensors(config).get('lm_head.weight') // undefined when the embedding is tied
 */
export function expectedTensors(config: ModelConfig): Map<string, readonly number[]> {
  const { dim, layers, heads, kvHeads, headDim, ffnDim, vocab, biases } = config
  const out = new Map<string, readonly number[]>()
  const linear = (name: string, rows: number, columns: number, bias: boolean): void => {
    out.set(`${name}.weight`, [rows, columns])
    if (bias) out.set(`${name}.bias`, [rows])
  }
  out.set('model.embed_tokens.weight', [vocab, dim])
  for (let i = 0; i < layers; i++) {
    const layer = `model.layers.${i}`
    out.set(`${layer}.input_layernorm.weight`, [dim])
    linear(`${layer}.self_attn.q_proj`, heads * headDim, dim, biases.q)
    linear(`${layer}.self_attn.k_proj`, kvHeads * headDim, dim, biases.k)
    linear(`${layer}.self_attn.v_proj`, kvHeads * headDim, dim, biases.v)
    if (config.qkNorm) {
      out.set(`${layer}.self_attn.q_norm.weight`, [headDim])
      out.set(`${layer}.self_attn.k_norm.weight`, [headDim])
    }
    linear(`${layer}.self_attn.o_proj`, dim, heads * headDim, biases.o)
    out.set(`${layer}.post_attention_layernorm.weight`, [dim])
    linear(`${layer}.mlp.gate_proj`, ffnDim, dim, biases.mlp)
    linear(`${layer}.mlp.up_proj`, ffnDim, dim, biases.mlp)
    linear(`${layer}.mlp.down_proj`, dim, ffnDim, biases.mlp)
  }
  out.set('model.norm.weight', [dim])
  if (!config.tied) out.set('lm_head.weight', [vocab, dim])
  if (config.ropeScaling?.type === 'tensor') out.set(config.ropeScaling.tensor, [headDim / 2])
  return out
}

/**
 * Checks that a file (under HF names) holds the model that the configuration describes: every tensor, with its shape,
 * and none besides, since a tensor nobody reads means that the maths is another.
 */
export function verifyTensors(config: ModelConfig, weights: WeightFile, file: string): void {
  const expected = expectedTensors(config)
  for (const [name, shape] of expected) {
    const found = weights.tensors.get(name)
    if (!found)
      throw new WeightsError('missing', `${file}: tensor ${shown(name)} of shape [${shape}] is missing`, {
        file,
        expected: name,
      })
    if (String(found.shape) !== String(shape)) {
      throw new WeightsError(
        'format',
        `${file}: tensor ${shown(name)}: got shape [${found.shape}], expected [${shape}] by the configuration`,
        {
          file,
          got: found.shape,
          expected: shape,
        },
      )
    }
  }
  for (const name of weights.tensors.keys()) {
    // A tied model may carry its classifier under both names.
    if (expected.has(name) || (config.tied && name === 'lm_head.weight')) continue
    throw new WeightsError(
      'unsupported',
      `${file}: got the tensor ${shown(name)}, which a model of this configuration does not have`,
      {
        file,
        got: name,
      },
    )
  }
}
