/**
 * A training step as one plan of the device: forward, backward, clip and the optimiser in place. With accumulation it
 * is two: one that adds up gradients, replayed for each micro-batch, and one that applies them.
 */
import {
  abs,
  add,
  assign,
  cast,
  clipFactor,
  type Device,
  equal,
  globalNorm,
  greater,
  isFloat,
  lessEqual,
  mul,
  type Plan,
  type Program,
  parameters,
  plan,
  type Spec,
  scalar,
  select,
  spec,
  sub,
  type Tensor,
  type Values,
  valueAndGrad,
} from '@cria/tensor'
import { TrainError } from './errors.js'
import { Guard, type GuardOptions, type GuardState, noLimit } from './guard.js'
import { adamW } from './optim/adamw.js'
import type { Optimiser } from './optim/optimiser.js'

/** The shape of a batch: a spec for each of its tensors. */
export type BatchSpecs = Readonly<Record<string, Spec>>
/** A batch as the traced loss sees it. */
export type BatchTensors<S extends BatchSpecs> = { readonly [K in keyof S]: Tensor }
/** A batch as data gives it: numbers for each tensor, and how many tokens (or examples) its loss counts. */
export interface Batch<S extends BatchSpecs = BatchSpecs> {
  readonly inputs: { readonly [K in keyof S]: Values }
  readonly count: number
}

export interface TrainStepOptions<S extends BatchSpecs> {
  /** Shapes of one (micro-)batch; `data.specs`. Any names but the step's own: lr, step, limit, share and first. */
  readonly batch: S
  /**
   * The loss of a batch, SUMMED over what it counts: the step divides by the count of the whole batch, so that unequal
   * micro-batches add up to the big one.
   */
  readonly loss: (batch: BatchTensors<S>) => Tensor
  /** Default `adamW()`. */
  readonly optimiser?: Optimiser
  /** Global gradient norm to clip to; Infinity: never. Default 1 (LLaMA §2.3). */
  readonly clip?: number
  /** Micro-batches in a step. Default 1. */
  readonly accumulate?: number
  /** Decay of an exponential moving average of the weights, kept beside them. Default: none. */
  readonly ema?: number
  readonly guard?: GuardOptions
}

export interface StepResult {
  /** The step's number, from 1. Skipped steps count. */
  readonly step: number
  /** Mean over everything counted; NaN where nothing counts. */
  readonly loss: number
  /** Global gradient norm before the clip. */
  readonly norm: number
  readonly lr: number
  /** Tokens (or examples) counted. */
  readonly count: number
  /** Wall time of the step. */
  readonly seconds: number
  /** Why the step changed nothing; absent when it did. */
  readonly skipped?: string
}

/** What a checkpoint keeps of a step besides its tensors. */
export interface StepState {
  readonly step: number
  /** Steps that changed the weights. Absent where older versions saved: as many as steps. */
  readonly updates?: number
  readonly guard: GuardState
}

/**
 * Makes the step that trains a module: every tensor of `parameters(module)` gets a gradient, nothing else changes.
 *
 * @example
 * const step = trainStep(model, { batch: data.specs, loss: ({ tokens, targets, ...where }) =>
 *   linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, { reduction: 'sum' }) })
 * const { loss } = await step.run(await data.next(), { lr: 3e-4 })
 * @throws TrainError for a module without float parameters, an adapter that is not attached, or options that cannot be.
 */
export const trainStep = <S extends BatchSpecs>(module: object, options: TrainStepOptions<S>): TrainStep<S> =>
  new TrainStep(module, options)

type Scalars = { lr: Spec; step: Spec; limit: Spec; share: Spec }
const scalars: Scalars = { lr: scalar('f32'), step: scalar('f32'), limit: scalar('f32'), share: scalar('f32') }
/** Inputs of the plans beside the batch's. */
const own: readonly string[] = [...Object.keys(scalars), 'first']
interface Outcome {
  readonly loss: Tensor
  readonly norm: Tensor
}

/** Far above what any training survives, far below what f32 holds. */
const highestRate = 1e6

export class TrainStep<S extends BatchSpecs = BatchSpecs> {
  readonly device: Device
  /** What is trained, by checkpoint name. */
  readonly weights: Readonly<Record<string, Tensor>>
  /** Moments and masters, as `PARAMETER.m`. */
  readonly optimiserState: Readonly<Record<string, Tensor>>
  /** The averaged weights by checkpoint name; empty without `ema`. */
  readonly averages: Readonly<Record<string, Tensor>>
  private readonly optimiser: Optimiser
  private readonly states: Readonly<Record<string, Record<string, Tensor>>>
  private readonly guard: Guard
  private readonly accumulate: number
  private readonly whole: Plan<S & Scalars, Outcome> | undefined
  private readonly micro: Plan<S & { first: Spec; share: Spec }, { loss: Tensor }> | undefined
  private readonly apply: Plan<Omit<Scalars, 'share'>, Outcome> | undefined
  private readonly sums: readonly Tensor[]
  private done = 0
  private updates = 0
  private under: 'a step' | 'withAverages()' | undefined
  private begun = 0

  constructor(
    module: object,
    private readonly options: TrainStepOptions<S>,
  ) {
    const { optimiser = adamW(), accumulate = 1, clip = 1, ema } = options
    this.weights = trainable(module)
    this.device = Object.values(this.weights)[0]!.device
    this.optimiser = optimiser
    this.accumulate = accumulate
    this.guard = new Guard(options.guard ?? {})
    if (!Number.isInteger(accumulate) || accumulate < 1) refuse('accumulate', accumulate, 'a whole number ≥ 1')
    if (!(clip > 0)) refuse('clip', clip, 'a norm above 0')
    if (ema !== undefined && !(ema > 0 && ema < 1)) refuse('ema', ema, 'a decay between 0 and 1')
    const taken = Object.keys(options.batch).find(name => own.includes(name))
    if (taken !== undefined)
      refuse('a batch input called', taken, `another name than the step's own ${own.join(', ')}. Rename it`)
    const { device, weights } = this
    this.states = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, this.stateOf(name, w)]))
    this.optimiserState = Object.fromEntries(
      Object.entries(this.states).flatMap(([name, state]) =>
        Object.entries(state).map(([key, t]) => [`${name}.${key}`, t]),
      ),
    )
    this.averages =
      ema === undefined
        ? {}
        : Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, copy(spec('f32', w.shape), w)]))
    if (accumulate === 1) {
      this.sums = []
      this.whole = plan(
        device,
        { ...options.batch, ...scalars } as S & Scalars,
        inputs => {
          const { value, grads } = valueAndGrad(() => mul(options.loss(inputs), inputs.share!), weights)
          return this.finish(value, grads, inputs as unknown as ScalarTensors)
        },
        { name: 'train_step' },
      )
    } else {
      const loss = device.empty(spec('f32', []))
      const sums = Object.fromEntries(Object.entries(weights).map(([n, w]) => [n, device.empty(spec('f32', w.shape))]))
      this.sums = [loss, ...Object.values(sums)]
      this.micro = plan(
        device,
        { ...options.batch, first: scalar('f32'), share: scalar('f32') } as S & { first: Spec; share: Spec },
        inputs => {
          const { value, grads } = valueAndGrad(() => mul(options.loss(inputs), inputs.share!), weights)
          // Selected, not multiplied by zero: a NaN of the step before must not survive.
          const gather = (sum: Tensor, x: Tensor): void =>
            assign(sum, add(select(equal(inputs.first!, 1), 0, sum), cast(x, 'f32')))
          gather(loss, value)
          for (const name in grads) gather(sums[name]!, grads[name]!)
          return { loss: value }
        },
        { name: 'train_micro_step' },
      )
      const { share: _, ...rest } = scalars
      this.apply = plan(device, rest, inputs => this.finish(loss, sums, inputs), { name: 'train_apply' })
    }
  }

  /** What is replayed for a (micro-)batch: plain data, for listings and planning. */
  get program(): Program {
    return (this.whole ?? this.micro!).program
  }

  /** Steps run so far. */
  get step(): number {
    return this.done
  }

  /** What is under way, while the weights are not those that the moments and `state` are of. */
  get busy(): 'a step' | 'withAverages()' | undefined {
    return this.under
  }

  /** How often the weights began to change: by a step, or by averages in their place. */
  get changes(): number {
    return this.begun
  }

  /** What to keep beside the tensors. */
  get state(): StepState {
    return { step: this.done, updates: this.updates, guard: this.guard.state }
  }

  /** Goes on after the step that this state was taken at; the tensors are the caller's to restore. */
  restore({ step, updates = step, guard }: StepState): void {
    this.done = step
    this.updates = updates
    this.guard.restore(guard)
  }

  /**
   * Runs one step on a batch, or on `accumulate` of them.
   *
   * @throws TrainError when the guard stops the run, for another number of batches, or a learning rate that cannot be.
   */
  async run(batches: Batch<S> | readonly Batch<S>[], { lr }: { readonly lr: number }): Promise<StepResult> {
    const list: readonly Batch<S>[] = Array.isArray(batches) ? batches : [batches as Batch<S>]
    if (list.length !== this.accumulate)
      throw new TrainError(
        `train_step: got ${list.length} batches, expected ${this.accumulate}, as accumulate says. Take as many from the data`,
        { got: list.length, expected: this.accumulate },
      )
    // Finite gradients times such a rate would pass every check, and weights in f32 become infinite.
    if (!(lr >= 0 && lr <= highestRate))
      refuse('lr', lr, `a number from 0 to ${highestRate}. Schedules count steps from 1`)
    // A negative count would climb the loss.
    for (const { count } of list)
      if (!(count >= 0 && Number.isFinite(count))) refuse('count', count, 'the number of tokens that the loss counts')
    return this.alone('run()', 'a step', () => this.one(list, lr))
  }

  /** Steps and averages change the weights: one at a time. */
  private async alone<T>(call: string, what: 'a step' | 'withAverages()', fn: () => Promise<T>): Promise<T> {
    if (this.under)
      throw new TrainError(
        `train_step: got ${call} while ${this.under} is under way, expected one at a time. Await each step, and train outside withAverages()`,
        { got: this.under },
      )
    this.under = what
    this.begun++
    try {
      return await fn()
    } finally {
      this.under = undefined
    }
  }

  private async one(list: readonly Batch<S>[], lr: number): Promise<StepResult> {
    const started = performance.now()
    const step = this.done + 1
    const count = list.reduce((a, b) => a + b.count, 0)
    const limit = this.guard.limit()
    // What the optimiser counts is updates: moments that a skipped step left alone are not corrected for it.
    const numbers = { lr, step: this.updates + 1, limit }
    // Nothing to learn: momentum and decay alone would move the weights.
    const { loss, norm } = count === 0 ? { loss: Number.NaN, norm: 0 } : await this.replay(list, 1 / count, numbers)
    this.done = step
    const skipped = this.guard.judge(step, { loss, norm, count }, limit)
    if (skipped === undefined) this.updates++
    const seconds = (performance.now() - started) / 1000
    return { step, loss, norm, lr, count, seconds, ...(skipped !== undefined && { skipped }) }
  }

  private async replay(
    list: readonly Batch<S>[],
    share: number,
    numbers: { lr: number; step: number; limit: number },
  ): Promise<{ loss: number; norm: number }> {
    let outcome: Outcome
    if (this.whole) {
      outcome = await this.whole.run({ ...list[0]!.inputs, ...numbers, share } as never)
    } else {
      for (const [i, { inputs }] of list.entries())
        await this.micro!.run({ ...inputs, first: i === 0 ? 1 : 0, share } as never)
      outcome = await this.apply!.run(numbers)
    }
    return { loss: await outcome.loss.item(), norm: await outcome.norm.item() }
  }

  /** Clip, optimiser, averages: what follows the gradients. */
  private finish(loss: Tensor, raw: Readonly<Record<string, Tensor>>, inputs: Omit<ScalarTensors, 'share'>): Outcome {
    const { clip = 1, ema } = this.options
    const grads = Object.fromEntries(Object.entries(raw).map(([name, g]) => [name, cast(g, 'f32')]))
    const norm = globalNorm(Object.values(grads))
    const sound = mul(cast(lessEqual(norm, inputs.limit), 'f32'), cast(lessEqual(abs(loss), noLimit), 'f32'))
    const factor = Number.isFinite(clip) ? clipFactor(norm, clip) : loss.device.constant(1, 'f32')
    const scale = select(greater(sound, 0), factor, 0)
    for (const [name, weight] of Object.entries(this.weights)) {
      const { master, ...state } = this.states[name]!
      const parameter = master ?? weight
      const gradient = grads[name]!
      this.optimiser.update({ name, parameter, gradient, state, lr: inputs.lr, step: inputs.step, scale })
      // The one place where mixed precision ends: f32 masters, rounded to what the forward pass multiplies with.
      if (master !== undefined) assign(weight, cast(master, weight.dtype as 'bf16'))
      const average = this.averages[name]
      if (average !== undefined && ema !== undefined)
        assign(average, add(average, mul(sub(parameter, average), select(greater(scale, 0), 1 - ema, 0))))
    }
    return { loss, norm }
  }

  private stateOf(name: string, weight: Tensor): Record<string, Tensor> {
    const { device } = this
    const state = Object.fromEntries(
      Object.entries(this.optimiser.state(spec('f32', weight.shape), name)).map(([key, s]) => [key, device.empty(s)]),
    )
    return weight.dtype === 'f32' ? state : { master: copy(spec('f32', weight.shape), weight), ...state }
  }

  /**
   * Runs something with the averaged weights in the module's place: an evaluation, samples, a model that is exported.
   * The trained weights are back afterwards, bit for bit. A checkpoint is none of these: it holds the trained weights,
   * with the averages beside them, and is saved outside.
   *
   * @example
   * const averaged = await step.withAverages(() => heldOut.run(batches))
   * @throws TrainError without `ema`, and while a step or another `withAverages` is under way.
   */
  async withAverages<T>(fn: () => T | Promise<T>): Promise<T> {
    const list = Object.entries(this.averages).map(([name, average]) => ({ weight: this.weights[name]!, average }))
    if (list.length === 0)
      throw new TrainError('with_averages: got a step without averages, expected one made with ema: 0.999, say')
    return this.alone('withAverages()', 'withAverages()', async () => {
      const kept = list.map(({ weight }) => copy(weight, weight))
      this.device.scope(() => {
        for (const { weight, average } of list) assign(weight, cast(average, weight.dtype as 'f32'))
      })
      try {
        return await fn()
      } finally {
        list.forEach(({ weight }, i) => {
          assign(weight, kept[i]!)
          kept[i]!.dispose()
        })
      }
    })
  }

  /** Frees the plans, the optimiser's state and the averages; the module is its owner's. */
  dispose(): void {
    for (const p of [this.whole, this.micro, this.apply]) p?.dispose()
    for (const t of [...Object.values(this.optimiserState), ...Object.values(this.averages), ...this.sums]) t.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

type ScalarTensors = { readonly [K in keyof Scalars]: Tensor }

/** The float tensors of a module. Block formats are frozen: train an adapter over them. */
function trainable(module: object): Record<string, Tensor> {
  // A merged or detached adapter: no gradient would reach it.
  if ((module as { readonly attached?: boolean }).attached === false)
    throw new TrainError(
      'train_step: got an adapter that is not attached to its model, expected one that is, or nothing is trained. Call attach(), or unmerge() after merge()',
    )
  const all = Object.entries(parameters(module))
  const frozen = all.find(([, t]) => !isFloat(t.dtype))
  if (all.length === 0) throw new TrainError('train_step: got a module without tensors, expected parameters to train')
  if (frozen)
    throw new TrainError(
      `train_step: got ${frozen[0]} in ${frozen[1].dtype}, expected float parameters. Quantised weights are frozen: train an adapter with lora()`,
      { got: frozen[1].dtype },
    )
  return Object.fromEntries(all)
}

function copy(s: Spec, from: Tensor): Tensor {
  const { device } = from
  const t = device.empty(s)
  device.scope(() => assign(t, cast(from, s.dtype as 'f32')))
  return t
}

function refuse(option: string, got: unknown, expected: string): never {
  throw new TrainError(`train_step: got ${option} ${String(got)}, expected ${expected}`, { got, expected })
}
