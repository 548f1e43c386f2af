/** Next-token cross-entropy, summed over the targets that count: the loss of every stage so far. */
import type { Llama } from '@cria/llama'
import { linearCrossEntropy, type Tensor } from '@cria/tensor'

export interface TokenBatch {
  /** i32 [B, T]. */
  readonly tokens: Tensor
  /** i32 [B, T]; negative where nothing is learned. */
  readonly targets: Tensor
  readonly positions: Tensor
}

/** @param weights how much each target counts, f32 [B, T]; default 1 */
export const nextTokenLoss = (model: Llama, { tokens, targets, ...where }: TokenBatch, weights?: Tensor): Tensor =>
  linearCrossEntropy(model.model.forward(tokens, where), model.lmHead.weight, targets, {
    reduction: 'sum',
    products: model.config.products,
    ...(weights && { weights }),
  })
