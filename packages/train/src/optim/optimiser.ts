/**
 * What an optimiser is: a value that says which state a parameter needs and writes one update in place. It owns no
 * tensors, so a step can be a plan and its state a file.
 */
import { assign, greater, type Spec, select, spec, type Tensor } from '@cria/tensor'

/** One parameter in one step. All tensors are f32; lr, step and scale are scalars that change between replays. */
export interface Update {
  /** Checkpoint name, `model.layers.0.mlp.up_proj.weight`. */
  readonly name: string
  readonly parameter: Tensor
  readonly gradient: Tensor
  /** The tensors that `state` asked for, zero at first. */
  readonly state: Readonly<Record<string, Tensor>>
  readonly lr: Tensor
  /** The update's number, from 1; skipped steps are none. */
  readonly step: Tensor
  /** Factor on the gradient: the clip. 0 means that this step must change nothing at all. */
  readonly scale: Tensor
}

export interface Optimiser {
  readonly name: string
  /** State of one parameter, by name: `{ m: f32(shape), v: f32(shape) }`. */
  state(parameter: Spec, name: string): Readonly<Record<string, Spec>>
  /** Effect: changes the parameter and its state. */
  update(update: Update): void
}

/** Which parameters decay. */
export type Decays = (name: string, parameter: Spec) => boolean

/** Matrices decay; norms and biases do not (nanoGPT `model.py`: tensors with two axes or more). */
export const matrices: Decays = (_, { shape }) => shape.length >= 2

/**
 * Another optimiser for each group of parameters, chosen by name and shape.
 *
 * @example
 * perParameter(name => (name.startsWith('lm_head') ? adamW({ weightDecay: 0 }) : adamW()))
 */
export function perParameter(choose: (name: string, parameter: Spec) => Optimiser, name = 'groups'): Optimiser {
  return {
    name,
    state: (parameter, of) => choose(of, parameter).state(parameter, of),
    update: update => choose(update.name, update.parameter).update(update),
  }
}

/** f32 state of the parameter's shape. */
export const like = ({ shape }: Spec): Spec => spec('f32', shape)

/** `assign` that does nothing when the step is to be skipped (scale 0), so that a bad gradient leaves no trace. */
export const write = (target: Tensor, next: Tensor, scale: Tensor): void =>
  assign(target, select(greater(scale, 0), next, target))
