/**
 * What an optimiser is: a value that says which state a parameter needs and writes one update in place. It owns no
 * tensors, so a step can be a plan and its state a file.
 */
import { assign, greater, type Spec, select, spec, type Tensor } from '@cria/tensor'
import { TrainError } from '../errors.js'

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

/** What a setting may be. Plans compute in f32, where a beta just below 1 is 1 and a tiny eps is 0. */
const kinds: Readonly<
  Record<'beta' | 'eps' | 'decay' | 'iterations', readonly [expected: string, holds: (x: number) => boolean]>
> = {
  beta: ['a number from 0 to below 1', x => x >= 0 && Math.fround(x) < 1],
  eps: ['a finite number above 0', x => Math.fround(x) > 0 && Number.isFinite(Math.fround(x))],
  decay: ['a finite number ≥ 0', x => x >= 0 && Number.isFinite(Math.fround(x))],
  iterations: ['a whole number ≥ 1', x => Number.isInteger(x) && x >= 1],
}

/**
 * Refuses settings that would write NaN or mean another optimiser; undefined stands for a default.
 *
 * @throws TrainError
 */
export function checkSettings(
  optimiser: string,
  kind: keyof typeof kinds,
  settings: Readonly<Record<string, number | undefined>>,
): void {
  const [expected, holds] = kinds[kind]
  for (const [name, got] of Object.entries(settings))
    if (got !== undefined && !(typeof got === 'number' && holds(got)))
      throw new TrainError(`${optimiser}: got ${name} ${String(got)}, expected ${expected}`, { got, expected })
}
