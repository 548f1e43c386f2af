/**
 * A model that nobody ships, in one file: attention and MLP in parallel (GPT-J), LayerNorm, GELU, and ALiBi in place
 * of rotary embeddings (Press et al. 2021), made of the same ops as LLaMA. It runs on every backend and trains.
 *
 * Shapes: B batch, T tokens, C width, H heads, D = C / H.
 */
import {
  add,
  cast,
  crossEntropy,
  embedding,
  gelu,
  iota,
  layerNorm,
  lessEqual,
  linear,
  matmul,
  mul,
  type ParameterSource,
  reshape,
  select,
  slice,
  softmax,
  sub,
  type Tensor,
  transpose,
} from '@cria/tensor'

export interface VariantConfig {
  readonly vocab: number
  readonly width: number
  readonly layers: number
  readonly heads: number
}

class Norm {
  readonly weight: Tensor // [C]
  readonly bias: Tensor // [C]

  constructor(w: ParameterSource, width: number) {
    this.weight = w.get('weight', [width])
    this.bias = w.get('bias', [width])
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias)
  }
}

class AlibiAttention {
  readonly qkv: Tensor // [3C, C]
  readonly output: Tensor // [C, C]

  constructor(
    w: ParameterSource,
    private readonly _config: VariantConfig,
  ) {
    this.qkv = w.get('qkv.weight', [3 * _config.width, _config.width])
    this.output = w.get('output.weight', [_config.width, _config.width])
  }

  forward(x: Tensor): Tensor {
    const [b, t, c] = x.shape as [number, number, number]
    const { heads: h } = this._config
    const d = c / h
    // [B, T, 3C] → three of [B, H, T, D]
    const parts = transpose(reshape(linear(x, this.qkv), [b, t, 3, h, d]), [2, 0, 3, 1, 4])
    const [q, k, v] = [0, 1, 2].map(i => reshape(slice(parts, 0, i, i + 1), [b, h, t, d])) as [Tensor, Tensor, Tensor]
    const scores = mul(matmul(q, k, { transposeB: true }), 1 / Math.sqrt(d)) // [B, H, T, T]
    const mixed = matmul(softmax(this.bias(scores, t)), v) // [B, H, T, D]
    return linear(reshape(transpose(mixed, [0, 2, 1, 3]), [b, t, c]), this.output)
  }

  /** Each head subtracts its slope times the distance; what lies ahead is hidden. */
  private bias(scores: Tensor, t: number): Tensor {
    const { device } = scores
    const { heads: h } = this._config
    const slopes = device.tensor(
      Array.from({ length: h }, (_, i) => 2 ** ((-8 * (i + 1)) / h)),
      [h, 1, 1],
    )
    const query = reshape(iota(device, t), [t, 1])
    const distance = cast(sub(query, iota(device, t)), 'f32') // [T, T]
    return select(lessEqual(iota(device, t), query), sub(scores, mul(slopes, distance)), -1e30)
  }
}

class ParallelBlock {
  readonly norm: Norm
  readonly attention: AlibiAttention
  readonly up: Tensor // [4C, C]
  readonly down: Tensor // [C, 4C]

  constructor(w: ParameterSource, config: VariantConfig) {
    this.norm = new Norm(w.at('norm'), config.width)
    this.attention = new AlibiAttention(w.at('attention'), config)
    this.up = w.get('up.weight', [4 * config.width, config.width])
    this.down = w.get('down.weight', [config.width, 4 * config.width])
  }

  forward(x: Tensor): Tensor {
    const h = this.norm.forward(x)
    return add(x, add(this.attention.forward(h), linear(gelu(linear(h, this.up)), this.down)))
  }
}

export class Variant {
  readonly embed: Tensor // [vocab, C]
  readonly blocks: readonly ParallelBlock[]
  readonly norm: Norm

  constructor(config: VariantConfig, w: ParameterSource) {
    this.embed = w.get('embed.weight', [config.vocab, config.width])
    this.blocks = Array.from({ length: config.layers }, (_, i) => new ParallelBlock(w.at('blocks').at(i), config))
    this.norm = new Norm(w.at('norm'), config.width)
  }

  /** Tokens i32 [B, T] → logits f32 [B, T, vocab]. */
  forward(tokens: Tensor): Tensor {
    const h = this.blocks.reduce((x, block) => block.forward(x), embedding(tokens, this.embed))
    return linear(this.norm.forward(h), this.embed)
  }

  loss(tokens: Tensor, targets: Tensor): Tensor {
    return crossEntropy(this.forward(tokens), targets)
  }
}
