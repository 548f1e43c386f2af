/** Stochastic gradient descent with momentum, in PyTorch's order (`torch.optim.SGD`). */
import { add, mul, sub } from '@cria/tensor'
import { TrainError } from '../errors.js'
import { checkSettings, type Decays, like, matrices, type Optimiser, write } from './optimiser.js'

export interface SgdSettings {
  /** Default 0.9; 0 keeps no state. */
  readonly momentum?: number
  /** Needs a momentum. Default false. */
  readonly nesterov?: boolean
  /** L2 on the gradient, as PyTorch: not decoupled. Default 0. */
  readonly weightDecay?: number
  readonly decays?: Decays
}

/**
 * SGD. State: `velocity`, unless momentum is 0.
 *
 * @throws TrainError for settings that cannot be.
 */
export function sgd({
  momentum = 0.9,
  nesterov = false,
  weightDecay = 0,
  decays = matrices,
}: SgdSettings = {}): Optimiser {
  checkSettings('sgd', 'beta', { momentum })
  checkSettings('sgd', 'decay', { weightDecay })
  if (nesterov && momentum === 0)
    throw new TrainError('sgd: got nesterov with momentum 0, expected a momentum above 0. It would be plain SGD', {
      got: momentum,
    })
  return {
    name: 'sgd',
    state: parameter => (momentum === 0 ? {} : { velocity: like(parameter) }),
    update({ name, parameter: p, gradient, state: { velocity }, lr, scale }) {
      const scaled = mul(gradient, scale)
      const g = weightDecay > 0 && decays(name, p) ? add(scaled, mul(p, weightDecay)) : scaled
      if (velocity === undefined) return write(p, sub(p, mul(g, lr)), scale)
      const v = add(mul(velocity, momentum), g)
      write(p, sub(p, mul(nesterov ? add(g, mul(v, momentum)) : v, lr)), scale)
      write(velocity, v, scale)
    },
  }
}
