/** The loss of data that is not trained on: the forward pass as a plan, no gradients. */
import { type Device, type Plan, plan, type Tensor } from '@cria/tensor'
import { TrainError } from './errors.js'
import type { Batch, BatchSpecs, BatchTensors } from './step.js'

export interface EvaluatorOptions<S extends BatchSpecs> {
  readonly batch: S
  /** Summed over what it counts, as for `trainStep`. */
  readonly loss: (batch: BatchTensors<S>) => Tensor
}

/**
 * Makes an evaluator of the weights as they are at each call.
 *
 * @example
 * const heldOut = evaluator(device, { batch: valid.specs, loss })
 * log.evaluation(await heldOut.run(await valid.take(8)))
 */
export const evaluator = <S extends BatchSpecs>(device: Device, options: EvaluatorOptions<S>): Evaluator<S> =>
  new Evaluator(device, options)

export class Evaluator<S extends BatchSpecs> {
  private readonly plan: Plan<S, Tensor>

  constructor(device: Device, { batch, loss }: EvaluatorOptions<S>) {
    this.plan = plan(device, batch, inputs => loss(inputs), { name: 'evaluate' })
  }

  /**
   * Mean loss over everything that counts in the batches.
   *
   * @throws TrainError for a loss that is no number, and where nothing counts.
   */
  async run(batches: Iterable<Batch<S>> | AsyncIterable<Batch<S>>): Promise<number> {
    let [total, count, number] = [0, 0, 0]
    for await (const batch of batches) {
      const loss = await (await this.plan.run(batch.inputs)).item()
      number++
      if (!Number.isFinite(loss))
        throw new TrainError(
          `evaluator: got loss ${loss} in batch ${number}, expected a finite number. Look at the weights and at this batch`,
          { got: loss },
        )
      total += loss
      count += batch.count
    }
    if (!(count > 0))
      throw new TrainError('evaluator: got batches without a token that counts, expected at least one. Check the masks')
    return total / count
  }

  dispose(): void {
    this.plan.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
