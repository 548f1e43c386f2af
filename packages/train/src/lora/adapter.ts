/**
 * Low-rank adapters over the linear layers of a model that knows nothing of them: an adapter puts itself before a
 * layer's `forward`, and is itself the module that is trained. LoRA (Hu et al. 2021), rank-stabilised LoRA (Kalajdzievski
 * 2023), DoRA (Liu et al. 2024); over quantised weights it is QLoRA. Formulas and names are PEFT's.
 */
import {
  add,
  assign,
  cast,
  type Device,
  dequantize,
  disposeModule,
  div,
  equal,
  full,
  isBlock,
  linear,
  matmul,
  mul,
  randomKey,
  reshape,
  select,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  uniform,
} from '@cria/tensor'
import { checkSeed } from '../data/shuffle.js'
import { TrainError } from '../errors.js'
import { type Adaptable, findLinears } from './find.js'

export interface LoraOptions {
  /** Default 8 (PEFT). */
  readonly rank?: number
  /** The update is scaled by alpha / rank. Default 8 (PEFT). */
  readonly alpha?: number
  /** Scale by alpha / √rank. Default false. */
  readonly rankStabilised?: boolean
  /** Train a magnitude for each output beside the direction. Default false. */
  readonly dora?: boolean
  /** Last parts of layer names, or `all-linear`. Default q_proj and v_proj (LoRA §4.2; PEFT's choice for LLaMA). */
  readonly targets?: readonly string[] | 'all-linear'
  /** Seed of A; B is zero, so a fresh adapter changes nothing. Default 0. */
  readonly seed?: number
}

/** What an adapter was made with. */
export type LoraSettings = Required<Omit<LoraOptions, 'seed'>>

/** One adapted layer: y = W x + s · B A x, and with DoRA m / ‖W + s·B A‖ times that. */
export class LoraLayer {
  readonly loraA: Tensor // [rank, in]
  readonly loraB: Tensor // [out, rank]
  readonly loraMagnitudeVector: Tensor | undefined // [out]

  constructor(
    readonly _base: Adaptable,
    readonly _scale: number,
    tensors: { readonly a: Tensor; readonly b: Tensor; readonly magnitude?: Tensor | undefined },
  ) {
    this.loraA = tensors.a
    this.loraB = tensors.b
    this.loraMagnitudeVector = tensors.magnitude
  }

  /** From x and what the layer itself made of it. */
  forward(x: Tensor, plain: Tensor): Tensor {
    const update = mul(linear(linear(x, this.loraA), this.loraB), this._scale)
    const ratio = this.ratio()
    if (ratio === undefined) return add(plain, update)
    const { bias } = this._base
    const product = bias === undefined ? plain : sub(plain, bias)
    return add(plain, add(mul(sub(ratio, 1), product), mul(ratio, update)))
  }

  /** The dense weight with the adapter in it, f32 [out, in]. */
  merged(): Tensor {
    const whole = this.sum()
    const ratio = this.ratio()
    return ratio === undefined ? whole : mul(whole, reshape(ratio, [-1, 1]))
  }

  private sum(): Tensor {
    return add(dequantize(this._base.weight), mul(matmul(this.loraB, this.loraA), this._scale))
  }

  /**
   * m / ‖W + s·B A‖ by row; the norm counts as constant in the backward pass (DoRA §4.3). A row of zeros has no
   * direction: PEFT divides 0 by 0 and gives NaN; here the norm is 1, so that it stays the row of zeros that it was.
   */
  private ratio(): Tensor | undefined {
    if (this.loraMagnitudeVector === undefined) return undefined
    const norms = stopGradient(rowNorms(this.sum()))
    return div(this.loraMagnitudeVector, select(equal(norms, 0), 1, norms))
  }
}

const rowNorms = (w: Tensor): Tensor => sqrt(sum(square(w), -1))

/**
 * A fresh adapter, attached to the model. Train it like any module; the model's own weights stay as they are.
 *
 * @example
 * const adapter = lora(model, { rank: 16, targets: ['q_proj', 'v_proj'] })
 * const step = trainStep(adapter, { batch: data.specs, loss })
 * @throws TrainError when no layer matches, or one that cannot be adapted does.
 */
export function lora(model: object, options: LoraOptions = {}): LoraAdapter {
  const {
    rank = 8,
    alpha = 8,
    rankStabilised = false,
    dora = false,
    targets = ['q_proj', 'v_proj'],
    seed = 0,
  } = options
  if (!Number.isInteger(rank) || rank < 1)
    throw new TrainError(`lora: got rank ${rank}, expected a whole number ≥ 1`, { got: rank })
  if (!Number.isFinite(alpha)) throw new TrainError(`lora: got alpha ${alpha}, expected a number`, { got: alpha })
  checkSeed('lora', seed, TrainError)
  const settings = { rank, alpha, rankStabilised, dora, targets }
  const layers: [string, LoraLayer][] = []
  for (const [i, [path, base]] of [...findLinears(model, targets)].entries()) {
    const { device } = base.weight
    const [outputs, inputs] = base.weight.shape as [number, number]
    const tensors = device.scope(() => ({
      // Kaiming-uniform with a = √5, which is uniform in ±1/√in (PEFT `reset_lora_parameters`).
      a: mul(sub(uniform(randomKey(device, seed, i), [rank, inputs]), 0.5), 2 / Math.sqrt(inputs)),
      b: full(device, [outputs, rank], 0),
      magnitude: dora ? rowNorms(dequantize(base.weight)) : undefined,
    }))
    layers.push([path, new LoraLayer(base, scaleOf(settings), tensors)])
  }
  return new LoraAdapter(layers, settings).attach()
}

/** What the update is multiplied with. */
export const scaleOf = ({ rank, alpha, rankStabilised }: LoraSettings): number =>
  alpha / (rankStabilised ? Math.sqrt(rank) : rank)

/**
 * The adapted layers of a model. `parameters(adapter)` are A and B (and the magnitudes) under the layers' names, so an
 * adapter is trained, saved in checkpoints and disposed like any module. Plans made earlier do not see a change: attach
 * or detach first, then make sessions and steps.
 */
export class LoraAdapter {
  readonly _layers: ReadonlyMap<string, LoraLayer>
  private readonly _forwards = new Map<LoraLayer, Adaptable['forward']>()
  private readonly _plain = new Map<LoraLayer, Tensor>()
  private _merged = false

  constructor(
    layers: Iterable<readonly [string, LoraLayer]>,
    readonly _settings: LoraSettings,
  ) {
    this._layers = new Map(layers)
    // Fields named like the layers: that is how parameters() finds its names.
    for (const [path, layer] of this._layers) Object.assign(this, { [path]: layer })
  }

  get settings(): LoraSettings {
    return this._settings
  }

  /** Layers by their name in the model. */
  get layers(): ReadonlyMap<string, LoraLayer> {
    return this._layers
  }

  get device(): Device {
    return [...this._layers.values()][0]!.loraA.device
  }

  get attached(): boolean {
    return this._forwards.size > 0
  }

  /** Puts the adapter into the model's forward pass; after `merge()` it is in it already. Several may be attached; their updates add up. */
  attach(): this {
    if (this.attached || this._merged) return this
    for (const layer of this._layers.values()) {
      const base = layer._base
      const before = base.forward
      const forward = (x: Tensor): Tensor => layer.forward(x, before.call(base, x))
      base.forward = forward
      this._forwards.set(layer, before)
      attachments.set(base, [...(attachments.get(base) ?? []), layer])
    }
    return this
  }

  /**
   * Takes it out again; the model is what it was.
   *
   * @throws TrainError when another adapter was attached to the same layers later: detach that one first.
   */
  detach(): this {
    if (!this.attached) return this
    for (const [path, layer] of this._layers)
      if (attachments.get(layer._base)?.at(-1) !== layer)
        throw new TrainError(
          `lora: got detach() under a later adapter on ${path}, expected the last one attached. Detach that one first`,
        )
    for (const [layer, before] of this._forwards) {
      layer._base.forward = before
      attachments.get(layer._base)!.pop()
    }
    this._forwards.clear()
    return this
  }

  /**
   * Writes the adapter into the model's dense weights and detaches it: the model then costs what it did without. The
   * plain weights are kept for `unmerge()` unless `keep` is false.
   *
   * @throws TrainError over quantised weights: merge into the dense model and quantise that.
   */
  merge({ keep = true }: { readonly keep?: boolean } = {}): this {
    for (const [path, { _base }] of this._layers)
      if (isBlock(_base.weight.dtype))
        throw new TrainError(
          `lora: got merge() into ${path} of ${_base.weight.dtype}, expected dense weights. Merge into the model that was quantised, or leave the adapter attached`,
          { got: _base.weight.dtype },
        )
    this.detach()
    if (this._merged) return this
    this._merged = true
    for (const layer of this._layers.values()) {
      const { weight } = layer._base
      if (keep) this._plain.set(layer, copyOf(weight))
      merges.set(layer._base, [...(merges.get(layer._base) ?? []), layer])
      weight.device.scope(() => assign(weight, cast(layer.merged(), weight.dtype as 'f32')))
    }
    return this
  }

  /**
   * Puts back the weights that `merge()` kept, bit for bit, and attaches the adapter again.
   *
   * @throws TrainError when another adapter was merged into the same layers later: what was kept is without it.
   */
  unmerge(): this {
    if (this._plain.size === 0)
      throw new TrainError('lora: got unmerge() without kept weights, expected a merge() with keep before it')
    for (const [path, layer] of this._layers)
      if (merges.get(layer._base)?.at(-1) !== layer)
        throw new TrainError(
          `lora: got unmerge() under a later adapter on ${path}, expected the last one merged. Unmerge that one first; if it was merged for good, load the model again`,
        )
    for (const [layer, plain] of this._plain) {
      merges.get(layer._base)!.pop()
      assign(layer._base.weight, plain)
      plain.dispose()
    }
    this._plain.clear()
    this._merged = false
    return this.attach()
  }

  /** Detaches and frees the adapter's tensors; what was merged stays merged. */
  dispose(): void {
    this.detach()
    for (const plain of this._plain.values()) plain.dispose()
    this._plain.clear()
    disposeModule(this)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Adapters on a layer in the order in which they were attached. */
const attachments = new WeakMap<Adaptable, LoraLayer[]>()

/** Adapters in the weights of a layer, in the order in which they were merged. */
const merges = new WeakMap<Adaptable, LoraLayer[]>()

function copyOf(t: Tensor): Tensor {
  const copy = t.device.empty(t)
  assign(copy, t)
  return copy
}
