/**
 * The LLaMA architecture (Touvron et al. 2023): pre-normalisation with RMSNorm, rotary embeddings, grouped-query
 * attention, SwiGLU. Fields are named as in a Hugging Face checkpoint, which is what loading goes by. One `forward`
 * serves training, prefill and decode; the cache is an argument. A variant is another file like this one.
 *
 * Shapes: B batch (absent when serving), T tokens, C hiddenSize, H heads, Hkv key heads, D headDim.
 */
import {
  add,
  attention,
  attentionWeights,
  cast,
  disposeModule,
  embedding,
  linear,
  type ParameterSource,
  reshape,
  rmsNorm,
  rope,
  ropeFrequencies,
  swiglu,
  type Tensor,
} from '@cria/tensor'
import type { KVCache } from './cache.js'
import { type LlamaConfig, windowOf } from './config.js'

/** What a forward pass knows besides the tokens. */
export interface Step {
  /** i32 [T], or [B, T] where packed documents restart: positions for the rotation; without `rows`, also indices among the keys. */
  readonly positions: Tensor
  /** Keys and values of earlier tokens; this step's are written at `positions`. Absent: the tokens see one another alone. */
  readonly cache?: Pick<KVCache, 'write'>
  /** i32 like positions: the index of each token among the keys, where it is not its position (packed documents). */
  readonly rows?: Tensor
  /** i32 like positions: the first key each token sees; where packed documents begin. */
  readonly start?: Tensor
  /** f32 [R/2]: rotary frequencies other than the model's own; `Rotary.frequencies(length)` where they go by length. */
  readonly frequencies?: Tensor
  /** Called with every named activation as it is made; read its data in eager mode. */
  readonly observe?: (name: string, activation: Tensor) => void
}

export class Linear {
  readonly weight: Tensor // [out, in]
  readonly bias: Tensor | undefined // [out]
  /** Width of the heads whose rows are in interleaved order here, where Hugging Face has them half-split; adapters ask. */
  readonly _interleaved: number | undefined
  private readonly _rounding: Rounding

  constructor(
    w: ParameterSource,
    inputs: number,
    outputs: number,
    { bias = false, interleaved, ...rounding }: { bias?: boolean; interleaved?: number | undefined } & Rounding = {},
  ) {
    this.weight = w.get('weight', [outputs, inputs])
    this.bias = bias ? w.get('bias', [outputs]) : undefined
    this._interleaved = interleaved
    this._rounding = rounding
  }

  forward(x: Tensor): Tensor {
    return project(x, this.weight, this.bias, this._rounding)
  }
}

type Rounding = Partial<Pick<LlamaConfig, 'roundActivations' | 'products'>>

/** `linear`, with x rounded to bf16 where the weight is bf16 and the configuration asks for it. */
function project(x: Tensor, weight: Tensor, bias: Tensor | undefined, rounding: Rounding): Tensor {
  const { roundActivations = false, products = 'f32' } = rounding
  const given = roundActivations && weight.dtype === 'bf16' ? cast(cast(x, 'bf16'), 'f32') : x
  return linear(given, weight, bias, { products })
}

export class RMSNorm {
  readonly weight: Tensor // [width]

  constructor(
    w: ParameterSource,
    width: number,
    private readonly _eps: number,
  ) {
    this.weight = w.get('weight', [width])
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, { eps: this._eps })
  }
}

export class Attention {
  readonly qProj: Linear
  readonly kProj: Linear
  readonly vProj: Linear
  readonly oProj: Linear
  readonly qNorm: RMSNorm | undefined
  readonly kNorm: RMSNorm | undefined

  constructor(
    w: ParameterSource,
    private readonly _config: LlamaConfig,
    private readonly _layer: number,
    private readonly _rotary: Rotary,
  ) {
    const {
      hiddenSize,
      numAttentionHeads,
      numKeyValueHeads,
      headDim,
      attentionBias,
      outputBias,
      qkNorm,
      rmsNormEps,
      ropeInterleaved,
      roundActivations,
      products,
    } = _config
    const rounding = { roundActivations, products }
    const rotated = { bias: attentionBias, interleaved: ropeInterleaved ? headDim : undefined, ...rounding }
    this.qProj = new Linear(w.at('q_proj'), hiddenSize, numAttentionHeads * headDim, rotated)
    this.kProj = new Linear(w.at('k_proj'), hiddenSize, numKeyValueHeads * headDim, rotated)
    this.vProj = new Linear(w.at('v_proj'), hiddenSize, numKeyValueHeads * headDim, {
      bias: attentionBias,
      ...rounding,
    })
    this.oProj = new Linear(w.at('o_proj'), numAttentionHeads * headDim, hiddenSize, { bias: outputBias, ...rounding })
    this.qNorm = qkNorm ? new RMSNorm(w.at('q_norm'), headDim, rmsNormEps) : undefined
    this.kNorm = qkNorm ? new RMSNorm(w.at('k_norm'), headDim, rmsNormEps) : undefined
  }

  forward(x: Tensor, step: Step): Tensor {
    const { numAttentionHeads, numKeyValueHeads, headDim } = this._config
    const heads = (t: Tensor, n: number): Tensor => reshape(t, [...x.shape.slice(0, -1), n, headDim])
    let q = heads(this.qProj.forward(x), numAttentionHeads) // [B, T, H, D]
    let k = heads(this.kProj.forward(x), numKeyValueHeads) // [B, T, Hkv, D]
    const v = heads(this.vProj.forward(x), numKeyValueHeads)
    if (this.qNorm && this.kNorm) {
      q = this.qNorm.forward(q)
      k = this.kNorm.forward(k)
    }
    q = this._rotary.turn(q, step)
    k = this._rotary.turn(k, step)
    const [keys, values] = step.cache ? step.cache.write(this._layer, k, v, step.positions) : [k, v]
    const seen = {
      positions: step.rows ?? step.positions,
      window: windowOf(this._config, this._layer),
      halves: this._config.roundActivations && keys.dtype === 'f16',
      ...(step.start && { start: step.start }),
    }
    step.observe?.(`layers.${this._layer}.attention`, attentionWeights(q, keys, seen)) // [B, H, T, S]
    const mixed = attention(q, keys, values, seen)
    return this.oProj.forward(reshape(mixed, [...x.shape.slice(0, -1), numAttentionHeads * headDim]))
  }
}

export class MLP {
  readonly gateProj: Linear
  readonly upProj: Linear
  readonly downProj: Linear

  constructor(w: ParameterSource, { hiddenSize, intermediateSize, mlpBias, roundActivations, products }: LlamaConfig) {
    const options = { bias: mlpBias, roundActivations, products }
    this.gateProj = new Linear(w.at('gate_proj'), hiddenSize, intermediateSize, options)
    this.upProj = new Linear(w.at('up_proj'), hiddenSize, intermediateSize, options)
    this.downProj = new Linear(w.at('down_proj'), intermediateSize, hiddenSize, options)
  }

  forward(x: Tensor): Tensor {
    return this.downProj.forward(swiglu(this.gateProj.forward(x), this.upProj.forward(x)))
  }
}

export class Block {
  readonly selfAttn: Attention
  readonly mlp: MLP
  readonly inputLayernorm: RMSNorm
  readonly postAttentionLayernorm: RMSNorm

  constructor(w: ParameterSource, config: LlamaConfig, layer: number, rotary: Rotary) {
    this.inputLayernorm = new RMSNorm(w.at('input_layernorm'), config.hiddenSize, config.rmsNormEps)
    this.selfAttn = new Attention(w.at('self_attn'), config, layer, rotary)
    this.postAttentionLayernorm = new RMSNorm(w.at('post_attention_layernorm'), config.hiddenSize, config.rmsNormEps)
    this.mlp = new MLP(w.at('mlp'), config)
  }

  forward(x: Tensor, step: Step): Tensor {
    const h = add(x, this.selfAttn.forward(this.inputLayernorm.forward(x), step))
    return add(h, this.mlp.forward(this.postAttentionLayernorm.forward(h)))
  }
}

/** The rotary embedding of a model, with the frequencies of a sequence no longer than it was trained on. */
export class Rotary {
  readonly _frequencies: Tensor // [R/2]
  readonly _attentionFactor: number

  constructor(
    private readonly _config: LlamaConfig,
    device: Tensor['device'],
  ) {
    const table = this.table(0)
    this._frequencies = device.tensor(table.frequencies)
    this._attentionFactor = table.attentionFactor
  }

  turn(x: Tensor, { positions, frequencies = this._frequencies }: Pick<Step, 'positions' | 'frequencies'>): Tensor {
    return rope(x, positions, frequencies, { interleaved: this._config.ropeInterleaved, scale: this._attentionFactor })
  }

  /** `dynamic` and `longrope` rotate by the length of the whole sequence, so each step needs `frequencies` of its own. */
  get byLength(): boolean {
    const { type } = this._config.ropeScaling
    return type === 'dynamic' || type === 'longrope'
  }

  /** For a step of a sequence of this length. */
  frequencies(length: number): Float32Array {
    return this.table(length).frequencies
  }

  private table(length: number): ReturnType<typeof ropeFrequencies> {
    const { ropeWidth: width, ropeTheta: theta, ropeScaling: scaling } = this._config
    return ropeFrequencies({ width, theta, scaling, length })
  }

  dispose(): void {
    this._frequencies.dispose()
  }
}

/** The stack of blocks between the token embedding and the last norm: `model.*` in a checkpoint. */
export class LlamaModel {
  readonly embedTokens: { readonly weight: Tensor } // [vocab, C]
  readonly layers: readonly Block[]
  readonly norm: RMSNorm
  readonly _rotary: Rotary

  constructor(w: ParameterSource, config: LlamaConfig) {
    this.embedTokens = new Embedding(w.at('embed_tokens'), config)
    this._rotary = new Rotary(config, this.embedTokens.weight.device)
    this.layers = Array.from(
      { length: config.numHiddenLayers },
      (_, i) => new Block(w.at('layers').at(i), config, i, this._rotary),
    )
    this.norm = new RMSNorm(w.at('norm'), config.hiddenSize, config.rmsNormEps)
  }

  /** Tokens i32 [B, T] or [T] → hidden states f32 [..., T, C] after the last norm. */
  forward(tokens: Tensor, step: Step): Tensor {
    let x = embedding(tokens, this.embedTokens.weight)
    step.observe?.('embeddings', x)
    this.layers.forEach((block, i) => {
      x = block.forward(x, step)
      step.observe?.(`layers.${i}.hidden`, x)
    })
    return this.norm.forward(x)
  }
}

class Embedding {
  readonly weight: Tensor

  constructor(w: ParameterSource, { vocabSize, hiddenSize }: LlamaConfig) {
    this.weight = w.get('weight', [vocabSize, hiddenSize])
  }
}

/**
 * A LLaMA with its output layer.
 *
 * @example
 * const model = new Llama(config, source)
 * const logits = model.forward(device.tensor([1, 2, 3], [3], 'i32'), { positions: iota(device, 3) }) // [3, vocab]
 */
export class Llama {
  readonly model: LlamaModel
  readonly lmHead: { readonly weight: Tensor } // [vocab, C]
  readonly _config: LlamaConfig

  constructor(config: LlamaConfig, w: ParameterSource) {
    this._config = config
    this.model = new LlamaModel(w.at('model'), config)
    const { hiddenSize, vocabSize, tieWordEmbeddings } = config
    this.lmHead = tieWordEmbeddings ? this.model.embedTokens : new Linear(w.at('lm_head'), hiddenSize, vocabSize)
  }

  get config(): LlamaConfig {
    return this._config
  }

  get device(): Tensor['device'] {
    return this.model.embedTokens.weight.device
  }

  /** Hidden states f32 [..., C] → logits f32 [..., vocab]. */
  logits(hidden: Tensor): Tensor {
    return project(hidden, this.lmHead.weight, undefined, this._config)
  }

  /** Tokens → logits of every position: f32 [..., T, vocab]. */
  forward(tokens: Tensor, step: Step): Tensor {
    return this.logits(this.model.forward(tokens, step))
  }

  dispose(): void {
    disposeModule(this)
    this.model._rotary.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
