/** Makes events out of what the loop knows: rates, share of the peak, time left. */
import { type Device, f32, matmul, type Products, parameters, plan, sizeOf, type Tensor } from '@cria/tensor'
import { isEmbedding, isOutputLayer } from '../names.js'
import type { StepResult, TrainStep } from '../step.js'
import type { Sink, StepEvent, TrainEvent } from './events.js'

export interface MeterOptions {
  /** Steps of the whole run. */
  readonly steps: number
  /**
   * Operations of a training step for each token. Default: an estimate from the weights, without attention; of a LLaMA,
   * `estimate(config, { context }).trainFlopsPerToken` of `@cria/llama` counts that too.
   */
  readonly flopsPerToken?: number
  /** The model that an adapter, or a part that is trained, belongs to: its frozen weights take time too. */
  readonly model?: object
  /** FLOP/s of the device at best: `await peakFlops(device)`. Absent: no `share`. */
  readonly peak?: number
  readonly notes?: unknown
  /** Milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

const window = 20

/**
 * Tells the sinks about a run.
 *
 * @example
 * const log = meter(step, { steps: 1000 }, [jsonl('run/metrics.jsonl'), terminal()])
 * log.step(await step.run(batch, { lr }))
 * log.sample('Once', story)
 * await log.end()
 */
export const meter = (step: TrainStep<never> | Metered, options: MeterOptions, sinks: readonly Sink[]): Meter =>
  new Meter(step as Metered, options, sinks)

/** What the meter asks of a step. */
type Metered = Pick<TrainStep, 'device' | 'weights' | 'step'>

export class Meter {
  private readonly flopsPerToken: number
  private readonly now: () => number
  /** Time and tokens of the last steps; first the moment before them. */
  private readonly recent: { time: number; tokens: number }[]

  constructor(
    private readonly trained: Metered,
    private readonly options: MeterOptions,
    private readonly sinks: readonly Sink[],
  ) {
    this.now = options.now ?? Date.now
    this.flopsPerToken = options.flopsPerToken ?? estimatedFlops(trained.weights, options.model)
    this.recent = [{ time: this.now(), tokens: 0 }]
    const { steps, peak, notes } = options
    this.emit({
      type: 'start',
      time: this.now(),
      step: trained.step,
      steps,
      parameters: Object.values(trained.weights).reduce((a, t) => a + sizeOf(t.shape), 0),
      device: trained.device.description,
      ...(peak !== undefined && { peak }),
      ...(notes !== undefined && { notes }),
    })
  }

  /** Hands an event to every sink. */
  emit(event: TrainEvent): void {
    for (const sink of this.sinks) sink.write(event)
  }

  /** A step that has run; one that was skipped gives a second event that says why. */
  step({ step, loss, norm, lr, count, skipped }: StepResult): StepEvent {
    const time = this.now()
    this.recent.push({ time, tokens: count })
    if (this.recent.length > window + 1) this.recent.shift()
    const seconds = Math.max(1e-9, (time - this.recent[0]!.time) / 1000)
    const tokensPerSecond = this.recent.slice(1).reduce((a, r) => a + r.tokens, 0) / seconds
    const { peak, steps } = this.options
    const event: StepEvent = {
      type: 'step',
      time,
      step,
      loss,
      norm,
      lr,
      tokens: count,
      tokensPerSecond,
      ...(peak !== undefined && { share: (tokensPerSecond * this.flopsPerToken) / peak }),
      memory: this.trained.device.liveBytes,
      remaining: Math.max(0, steps - step) * (seconds / (this.recent.length - 1)),
    }
    this.emit(event)
    if (skipped !== undefined) this.emit({ type: 'skip', time, step, reason: skipped })
    return event
  }

  /** A loss on data that is not trained on. */
  evaluation(loss: number, name = 'held out'): void {
    this.emit({ type: 'evaluation', time: this.now(), step: this.trained.step, name, loss })
  }

  sample(prompt: string, text: string): void {
    this.emit({ type: 'sample', time: this.now(), step: this.trained.step, prompt, text })
  }

  checkpoint(path: string): void {
    this.emit({ type: 'checkpoint', time: this.now(), step: this.trained.step, path })
  }

  /** The last event; closes the sinks. */
  async end(reason = 'done'): Promise<void> {
    this.emit({ type: 'end', time: this.now(), step: this.trained.step, reason })
    for (const sink of this.sinks) await sink.close?.()
  }
}

/**
 * Operations for each token, 2 for a multiply-add: a matrix is multiplied with forward, once more for the gradient by
 * its input and, where it is trained, once more for its own. Of a model that is trained whole that is 6N (Kaplan et al.
 * 2020, §2.1). Embeddings are looked up, so N leaves them out; the output layer, which Kaplan's leaves out too, is a
 * product here, also where it is the embedding.
 */
function estimatedFlops(trained: Readonly<Record<string, Tensor>>, model: object = {}): number {
  const own = new Set(Object.values(trained))
  const frozen = Object.entries(parameters(model)).filter(([, t]) => !own.has(t))
  const all = [...Object.entries(trained), ...frozen]
  const separate = all.some(([name]) => isOutputLayer(name))
  return all
    .filter(([name, t]) => t.rank >= 2 && !(separate && isEmbedding(name)))
    .reduce((a, [, t]) => a + (own.has(t) ? 6 : 4) * sizeOf(t.shape), 0)
}

/**
 * FLOP/s of a square f32 matrix product on the device, the best of half a second and of five at least, as other programs
 * may take the processor meanwhile: what can be reached in practice, and what `share` is then a share of. `size` of the square, default 1024; `products` as the model multiplies, default f32.
 */
export async function peakFlops(
  device: Device,
  { size = 1024, products = 'f32' }: { readonly size?: number; readonly products?: Products } = {},
): Promise<number> {
  const square = f32([size, size])
  const [a, b] = [device.empty(square), device.empty(square)]
  const product = plan(device, {}, () => matmul(a, b, { products }), { name: 'peak' })
  let best = Number.POSITIVE_INFINITY
  const began = performance.now()
  for (let i = 0; i < 6 || performance.now() - began < 500; i++) {
    const started = performance.now()
    const result = await product.run({})
    // A backend may queue: reading one number waits for all of it.
    await device.backend.read(result.storage('peak').buf, 0, 4)
    if (i > 0) best = Math.min(best, (performance.now() - started) / 1000)
  }
  for (const owned of [product, a, b]) owned.dispose()
  return (2 * size ** 3) / best
}
