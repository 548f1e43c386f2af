/** AdamW (Loshchilov & Hutter 2019) with LLaMA's settings. */
import { adamw } from '@cria/tensor'
import { checkSettings, type Decays, like, matrices, type Optimiser } from './optimiser.js'

export interface AdamWSettings {
  /** Default 0.9 (LLaMA §2.3). */
  readonly beta1?: number
  /** Default 0.95 (LLaMA §2.3). */
  readonly beta2?: number
  /** Default 1e-5 (Llama 2 §2.2). */
  readonly eps?: number
  /** Decoupled, times the learning rate. Default 0.1 (LLaMA §2.3). */
  readonly weightDecay?: number
  /** Default: matrices alone. */
  readonly decays?: Decays
}

/**
 * AdamW. State: `m` and `v`.
 *
 * @example
 * trainStep(model, { optimiser: adamW({ weightDecay: 0.05 }), … })
 * @throws TrainError for settings that cannot be.
 */
export function adamW({ beta1, beta2, eps, weightDecay = 0.1, decays = matrices }: AdamWSettings = {}): Optimiser {
  checkSettings('adamw', 'beta', { beta1, beta2 })
  checkSettings('adamw', 'eps', { eps })
  checkSettings('adamw', 'decay', { weightDecay })
  const fixed = {
    ...(beta1 !== undefined && { beta1 }),
    ...(beta2 !== undefined && { beta2 }),
    ...(eps !== undefined && { eps }),
  }
  return {
    name: 'adamw',
    state: parameter => ({ m: like(parameter), v: like(parameter) }),
    update({ name, parameter, gradient, state, lr, step, scale }) {
      adamw(parameter, gradient, state.m!, state.v!, {
        ...fixed,
        lr,
        step,
        scale,
        weightDecay: decays(name, parameter) ? weightDecay : 0,
      })
    },
  }
}
