/** Lion (Chen et al. 2023, Algorithm 2): the sign of an interpolated momentum. Half of AdamW's state. */
import { add, mul, sign, sub } from '@cria/tensor'
import { checkSettings, type Decays, like, matrices, type Optimiser, write } from './optimiser.js'

export interface LionSettings {
  /** Default 0.9 (paper §4.1). */
  readonly beta1?: number
  /** Default 0.99 (paper §4.1). */
  readonly beta2?: number
  /** Decoupled. Default 1: with a learning rate ten times smaller than AdamW's, the strength of 0.1 there (paper §5). */
  readonly weightDecay?: number
  readonly decays?: Decays
}

/**
 * Lion. State: `m`. Its learning rate is 3 to 10 times smaller than AdamW's (paper §5).
 *
 * @throws TrainError for settings that cannot be.
 */
export function lion({ beta1 = 0.9, beta2 = 0.99, weightDecay = 1, decays = matrices }: LionSettings = {}): Optimiser {
  checkSettings('lion', 'beta', { beta1, beta2 })
  checkSettings('lion', 'decay', { weightDecay })
  return {
    name: 'lion',
    state: parameter => ({ m: like(parameter) }),
    update({ name, parameter: p, gradient, state: { m }, lr, scale }) {
      const g = mul(gradient, scale)
      const c = add(mul(m!, beta1), mul(g, 1 - beta1))
      const kept = decays(name, p) ? mul(p, sub(1, mul(lr, weightDecay))) : p
      write(p, sub(kept, mul(sign(c), lr)), scale)
      write(m!, add(mul(m!, beta2), mul(g, 1 - beta2)), scale)
    },
  }
}
