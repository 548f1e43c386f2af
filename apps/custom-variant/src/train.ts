/** A few training steps of the variant on one device, as one plan; the losses, first to last. */
import { randomSource } from '@cria/llama'
import { adamw, type Device, disposeModule, i32, parameters, plan, scalar, valueAndGrad } from '@cria/tensor'
import { Variant } from './variant.js'

const config = { vocab: 29, width: 32, layers: 2, heads: 4 }
const shape = [2, 12]

export async function trainVariant(device: Device, steps: number): Promise<number[]> {
  const model = new Variant(config, randomSource(device, { seed: 1, std: 0.1 }))
  const weights = parameters(model)
  const moments = Object.fromEntries(
    Object.entries(weights).map(([name, w]) => [name, { m: device.empty(w), v: device.empty(w) }]),
  )
  const train = plan(
    device,
    { tokens: i32(shape), targets: i32(shape), lr: scalar('f32'), step: scalar('f32') },
    ({ tokens, targets, lr, step }) => {
      const { value, grads } = valueAndGrad(() => model.loss(tokens, targets), weights)
      for (const [name, w] of Object.entries(weights))
        adamw(w, grads[name]!, moments[name]!.m, moments[name]!.v, { lr, step })
      return value
    },
  )
  // A sequence with a rule to learn: each token is three more than the last.
  const tokens = Array.from({ length: 24 }, (_, i) => (i * 3) % config.vocab)
  const targets = tokens.map(t => (t + 3) % config.vocab)
  const losses: number[] = []
  for (let step = 1; step <= steps; step++)
    losses.push(await (await train.run({ tokens, targets, lr: 0.01, step })).item())
  train.dispose()
  disposeModule(model)
  for (const { m, v } of Object.values(moments)) {
    m.dispose()
    v.dispose()
  }
  return losses
}
