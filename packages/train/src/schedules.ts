/**
 * Learning-rate schedules: pure functions of the step's number, counted from 1. Nothing to save and nothing to resume.
 * Step n has the value that the schedulers of `transformers` give at `current_step = n`.
 */
import { TrainError } from './errors.js'

/** The learning rate of a step. */
export type Schedule = (step: number) => number

export interface ConstantSchedule {
  /** The highest learning rate. */
  readonly peak: number
  /** Steps of linear rise from 0. Default 0. */
  readonly warmup?: number
}

export interface DecayingSchedule extends ConstantSchedule {
  /** The last step. */
  readonly steps: number
  /** What is left at the end, as a share of the peak. */
  readonly floor?: number
}

export interface WsdSchedule extends DecayingSchedule {
  /** Steps of decay at the end. Default 10 % of all (MiniCPM §4.2). */
  readonly decay?: number
  /** Default `linear`; `sqrt` is 1 − √x (Hägele et al. 2024). */
  readonly shape?: 'linear' | 'cosine' | 'sqrt'
}

/** The peak throughout, after the warm-up. */
export function constant({ peak, warmup = 0 }: ConstantSchedule): Schedule {
  check(peak, warmup)
  return step => (step < warmup ? (peak * step) / warmup : peak)
}

/** Warm-up, then half a cosine to `floor`. Default floor 0.1 (LLaMA §2.3; Llama 2 §2.2, both with a warm-up of 2000). */
export function cosine({ peak, warmup = 0, steps, floor = 0.1 }: DecayingSchedule): Schedule {
  check(peak, warmup, steps)
  const shape = (x: number): number => 0.5 * (1 + Math.cos(Math.PI * x))
  return decaying(peak, warmup, warmup, steps, floor, shape)
}

/** Warm-up, then a straight line to `floor`. Default floor 0 (BERT, `get_linear_schedule_with_warmup`). */
export function linear({ peak, warmup = 0, steps, floor = 0 }: DecayingSchedule): Schedule {
  check(peak, warmup, steps)
  return decaying(peak, warmup, warmup, steps, floor, x => 1 - x)
}

const shapes = {
  linear: (x: number) => 1 - x,
  cosine: (x: number) => 0.5 * (1 + Math.cos(Math.PI * x)),
  sqrt: (x: number) => 1 - Math.sqrt(x),
}

/** Warm-up, stable, decay (MiniCPM, Hu et al. 2024): the middle can be prolonged without a new run. Default floor 0. */
export function wsd(options: WsdSchedule): Schedule {
  const { peak, warmup = 0, steps, decay = Math.round(steps / 10), floor = 0, shape = 'linear' } = options
  check(peak, warmup, steps)
  if (!(decay >= 0) || warmup + decay > steps)
    throw new TrainError(
      `wsd: got a warm-up of ${warmup} and a decay of ${decay}, expected no more than the ${steps} steps together. Shorten one`,
      { got: warmup + decay, expected: steps },
    )
  if (!Object.hasOwn(shapes, shape))
    throw new TrainError(`wsd: got shape ${String(shape)}, expected one of ${Object.keys(shapes).join(', ')}`, {
      got: shape,
    })
  return decaying(peak, warmup, steps - decay, steps, floor, shapes[shape])
}

function decaying(
  peak: number,
  warmup: number,
  from: number,
  to: number,
  floor: number,
  shape: (x: number) => number,
): Schedule {
  if (!(floor >= 0 && floor <= 1))
    throw new TrainError(`schedule: got a floor of ${floor}, expected a share of the peak from 0 to 1`, { got: floor })
  return step => {
    if (step < warmup) return (peak * step) / warmup
    if (step <= from) return peak
    const x = Math.min(1, (step - from) / Math.max(1, to - from))
    return peak * (floor + (1 - floor) * shape(x))
  }
}

function check(peak: number, warmup: number, steps = Number.POSITIVE_INFINITY): void {
  if (!(peak > 0 && Number.isFinite(peak)))
    throw new TrainError(`schedule: got a peak of ${peak}, expected a learning rate above 0`, { got: peak })
  if (!(steps >= 1)) throw new TrainError(`schedule: got ${steps} steps, expected at least 1`, { got: steps })
  if (!(warmup >= 0 && warmup <= steps))
    throw new TrainError(`schedule: got a warm-up of ${warmup}, expected 0 … ${steps} steps`, { got: warmup })
}
