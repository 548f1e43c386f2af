/** Ten steps of the golden model, held against the losses and gradient norms that PyTorch wrote. */
import { readFileSync } from 'node:fs'
import { type Device, i32, iota, linearCrossEntropy } from '@cria/tensor'
import { expect } from 'vitest'
import { adamW, trainStep } from '../src/index.js'
import { goldenBatch, goldenModel } from './golden.js'

interface Variant {
  readonly name: string
  readonly kvHeads: number
  readonly losses: readonly number[]
  readonly gradNorms: readonly number[]
}

const { adamw, variants } = JSON.parse(
  readFileSync(new URL('../../../tools/golden/train.json', import.meta.url), 'utf8'),
) as {
  readonly adamw: { readonly lr: number; readonly weight_decay: number; readonly clip: number }
  readonly variants: readonly Variant[]
}

/** With grouped-query attention and without. */
export const goldenVariants: readonly Variant[] = variants.filter(
  v => v.name === 'half-split' || v.name === 'multi-head',
)

export async function expectStepsAsPyTorch(device: Device, { kvHeads, losses, gradNorms }: Variant): Promise<void> {
  using model = goldenModel(device, { kvHeads })
  using step = trainStep(model, {
    batch: { tokens: i32([2, 16]), targets: i32([2, 16]) },
    loss: ({ tokens, targets }) =>
      linearCrossEntropy(model.model.forward(tokens, { positions: iota(device, 16) }), model.lmHead.weight, targets, {
        reduction: 'sum',
        chunk: 10,
      }),
    optimiser: adamW({ weightDecay: adamw.weight_decay }),
    clip: adamw.clip,
  })
  for (const [i, want] of losses.entries()) {
    const { loss, norm } = await step.run({ inputs: goldenBatch(i), count: 32 }, { lr: adamw.lr })
    expect(Math.abs(loss - want) / want, `loss ${i}`).toBeLessThan(1e-4)
    expect(Math.abs(norm - gradNorms[i]!) / gradNorms[i]!, `norm ${i}`).toBeLessThan(5e-4)
  }
}
