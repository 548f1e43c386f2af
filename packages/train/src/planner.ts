/**
 * What a training step will need, before it runs: the step is built on a device that holds nothing, so the figures are
 * those of the real plan and not of a rule of thumb. The same builder makes the real step.
 */
import {
  byteLength,
  createDevice,
  type Device,
  type Program,
  packArena,
  record,
  type Spec,
  sizeOf,
  type Tensor,
} from '@cria/tensor'
import { TrainError } from './errors.js'
import { bytes, short } from './metrics/format.js'
import type { TrainStep } from './step.js'

/** What the planner may change. */
export interface StepChoice {
  /** Rows of a micro-batch. */
  readonly rows: number
  readonly accumulate: number
  readonly recompute: boolean
}

/** Builds the step on the device it is given, as the choice says. */
export type StepBuilder = (device: Device, choice: StepChoice) => TrainStep<never> | Planned

type Planned = Pick<TrainStep, 'device' | 'weights' | 'optimiserState' | 'averages' | 'program' | 'dispose'>

export interface PlanMemoryOptions {
  readonly rows: number
  /** Default 1. */
  readonly accumulate?: number
  /** Default false. */
  readonly recompute?: boolean
  /** Bytes that may be used. Default: no limit, and no suggestions. */
  readonly budget?: number
}

export interface MemoryPlan {
  readonly choice: StepChoice
  /** Trained numbers. */
  readonly parameters: number
  /** Bytes of the weights that are trained. */
  readonly weights: number
  /** Bytes of moments, masters, averages and sums of accumulation. */
  readonly optimiser: number
  /** Bytes of gradients, f32. */
  readonly gradients: number
  /** Bytes of everything else in the plan's arena: activations, logits, inputs. */
  readonly activations: number
  /** Bytes of what is not trained: frozen weights under an adapter, tables. */
  readonly frozen: number
  /** Bytes of the largest tensor of logits in it. */
  readonly logits: number
  readonly total: number
  /** What else could be chosen, each measured the same way; best first. Empty when the budget holds. */
  readonly suggestions: readonly string[]
  /** All of it in a few lines. */
  readonly text: string
}

/**
 * Plans memory and, over the budget, says what would help.
 *
 * @example
 * const make = (device, { rows, accumulate, recompute }) => { … return trainStep(model, { … }) }
 * console.log(planMemory(make, { rows: 16, budget: 4e9 }).text)
 * const step = make(await cpu(), { rows: 16, accumulate: 1, recompute: false })
 * @throws TrainError for options that cannot be.
 */
export function planMemory(build: StepBuilder, options: PlanMemoryOptions): MemoryPlan {
  const { rows, accumulate = 1, recompute = false, budget } = options
  if (budget !== undefined && !(typeof budget === 'number' && budget > 0)) refuse('budget', budget, 'bytes above 0')
  for (const [name, got] of Object.entries({ rows, accumulate }))
    if (!Number.isInteger(got) || got < 1) refuse(name, got, 'a whole number ≥ 1')
  const choice = { rows, accumulate, recompute }
  const now = measure(build, choice)
  const over = budget !== undefined && now.total > budget
  const suggestions = over ? suggest(build, choice, now, budget) : []
  const text = [
    `${short(now.parameters)} parameters, ${rows} rows${accumulate > 1 ? ` × ${accumulate}` : ''}${recompute ? ', recomputed' : ''}: ${bytes(now.total)}`,
    `  weights ${bytes(now.weights)}, optimiser ${bytes(now.optimiser)}, gradients ${bytes(now.gradients)}, activations ${bytes(now.activations)} (logits ${bytes(now.logits)})${now.frozen > 1e6 ? `, frozen ${bytes(now.frozen)}` : ''}`,
    ...(over ? [`  more than the ${bytes(budget)} there are:`, ...suggestions.map(s => `  - ${s}`)] : []),
  ].join('\n')
  return { choice, ...now, suggestions, text }
}

function refuse(option: string, got: unknown, expected: string): never {
  throw new TrainError(`plan_memory: got ${option} ${String(got)}, expected ${expected}`, { got, expected })
}

type Measured = Omit<MemoryPlan, 'choice' | 'suggestions' | 'text'>

function measure(build: StepBuilder, choice: StepChoice): Measured {
  const device = createDevice(record())
  const step = build(device, choice) as Planned
  const all = (tensors: Readonly<Record<string, Tensor>>): number =>
    Object.values(tensors).reduce((a, t) => a + byteLength(t), 0)
  const parameters = Object.values(step.weights).reduce((a, t) => a + sizeOf(t.shape), 0)
  const weights = all(step.weights)
  const sums = choice.accumulate > 1 ? parameters * 4 : 0
  const optimiser = all(step.optimiserState) + all(step.averages) + sums
  const total = device.liveBytes
  const arena = packArena(step.program).bytes
  const gradients = parameters * 4
  const frozen = Math.max(0, total - weights - optimiser - arena)
  const logits = logitsOf(step.program)
  step.dispose()
  device.dispose()
  return {
    parameters,
    weights,
    optimiser,
    gradients,
    activations: Math.max(0, arena - gradients),
    frozen,
    logits,
    total,
  }
}

/** Bytes of the largest logits: what a loss reads, of which nothing but the loss says how wide they are. */
function logitsOf({ calls }: Program): number {
  const wide = (op: RegExp): Spec[] => calls.filter(c => op.test(c.op)).map(c => c.inputs[0]!.spec)
  const losses = wide(/^cross_entropy/)
  // A chunk of logits inside the fused loss is memory of its kernel, not of the plan.
  const fused = calls
    .filter(c => c.op === 'linear_cross_entropy')
    .map(c => Math.min(Number(c.attrs.chunk), c.inputs[0]!.spec.shape[0]!) * c.inputs[1]!.spec.shape[0]! * 4)
  // Losses of one's own are made of these.
  const own = losses.length + fused.length > 0 ? [] : wide(/^(log_)?softmax$|^logsumexp$/)
  return Math.max(0, ...fused, ...[...losses, ...own].map(byteLength))
}

function suggest(build: StepBuilder, choice: StepChoice, now: Measured, budget: number): string[] {
  const tried: { what: string; total: number }[] = []
  const attempt = (what: string, change: Partial<StepChoice>): void => {
    tried.push({ what, total: measure(build, { ...choice, ...change }).total })
  }
  if (!choice.recompute) attempt('recompute the blocks in the backward pass', { recompute: true })
  for (let rows = choice.rows; rows > 1; ) {
    rows /= smallestFactor(rows)
    const accumulate = (choice.accumulate * choice.rows) / rows
    attempt(`${rows} rows at a time, accumulated ${accumulate} times`, { rows, accumulate })
    if (!choice.recompute) attempt(`${rows} rows × ${accumulate} and recompute`, { rows, accumulate, recompute: true })
  }
  const out = tried
    .filter(t => t.total < now.total)
    .sort((a, b) => Number(a.total > budget) - Number(b.total > budget) || b.total - a.total)
    .slice(0, 4)
    .map(({ what, total }) => `${what}: ${bytes(total)}${total > budget ? ', still too much' : ''}`)
  if (now.logits > 0.2 * now.activations)
    out.push(`linearCrossEntropy() with a smaller chunk: logits of ${bytes(now.logits)} exist at one time`)
  // Where more is frozen than trained, an adapter is what is trained.
  if (now.weights > now.frozen && now.weights + now.optimiser + now.gradients > 0.5 * budget)
    out.push(
      `lora(): gradients and optimiser for less than a hundredth of the weights, about ${bytes(now.gradients + now.optimiser)} less`,
    )
  return out
}

function smallestFactor(n: number): number {
  for (let factor = 2; factor * factor <= n; factor++) if (n % factor === 0) return factor
  return n
}
