/**
 * What happens when a step goes wrong. The plan itself refuses to write when the gradient norm is not below the limit
 * (NaN never is), so a bad batch leaves no trace in weights or moments; this decides the limit and what follows.
 */
import { TrainError } from './errors.js'

export interface GuardOptions {
  /** `skip`, the default: the step changes nothing and training goes on. `stop`: throws a TrainError. */
  readonly action?: 'skip' | 'stop'
  /**
   * A gradient norm of more than this many times its running mean is a spike. Default: none, only numbers that are not
   * finite count.
   */
  readonly spike?: number
  /** Steps whose norms are averaged, and before which nothing is called a spike. Default 50. */
  readonly window?: number
  /** This many skipped steps in a row end the run even with `skip`. Default 10. */
  readonly patience?: number
}

/** What a checkpoint keeps of the guard. */
export interface GuardState {
  readonly mean: number
  readonly seen: number
  readonly skipped: number
}

/** The largest f32: a limit that only infinity and NaN exceed. */
export const noLimit: number = 3.4028234663852886e38

export class Guard {
  private mean = 0
  private seen = 0
  private skipped = 0

  constructor(private readonly options: GuardOptions) {
    const { action = 'skip', spike, window = 50, patience = 10 } = options
    if (action !== 'skip' && action !== 'stop') refuse('action', action, 'skip or stop')
    // A spike of 1 or less would call every ordinary step one.
    if (spike !== undefined && !(spike > 1)) refuse('spike', spike, 'a factor above 1')
    if (!Number.isInteger(window) || window < 1) refuse('window', window, 'a whole number of steps ≥ 1')
    if (!(patience >= 1)) refuse('patience', patience, 'a number of steps ≥ 1')
  }

  get state(): GuardState {
    return { mean: this.mean, seen: this.seen, skipped: this.skipped }
  }

  restore({ mean, seen, skipped }: GuardState): void {
    this.mean = mean
    this.seen = seen
    this.skipped = skipped
  }

  /** The highest gradient norm that the next step may have. */
  limit(): number {
    const { spike, window = 50 } = this.options
    return spike === undefined || this.seen < window ? noLimit : Math.min(noLimit, Math.fround(this.mean * spike))
  }

  /**
   * Judges a step that has run. Returns why it was skipped, or undefined.
   *
   * @throws TrainError for `stop`, and when too many steps in a row were bad.
   */
  judge(
    step: number,
    { loss, norm, count }: { readonly loss: number; readonly norm: number; readonly count: number },
    limit: number,
  ): string | undefined {
    const { action = 'skip', window = 50, patience = 10 } = this.options
    if (Number.isFinite(loss) && norm <= limit) {
      this.seen++
      this.skipped = 0
      this.mean += (norm - this.mean) / Math.min(this.seen, window)
      return undefined
    }
    const reason =
      count === 0
        ? 'got no token that counts, expected at least one: look at the masks of the data'
        : Number.isFinite(loss) && Number.isFinite(norm)
          ? `got a gradient norm of ${norm.toPrecision(4)}, expected at most ${limit.toPrecision(4)} (${this.options.spike} × its running mean)`
          : `got loss ${loss} with gradient norm ${norm}, expected finite numbers`
    this.skipped++
    // Masks that leave nothing to learn are no matter of the learning rate.
    const lower = count === 0 ? '' : 'lower the learning rate, look at this batch, or '
    const back = count === 0 ? '' : '. Go back to a checkpoint with a lower learning rate'
    if (action === 'stop')
      throw new TrainError(`step ${step}: ${reason}. Nothing was changed: ${lower}use guard: { action: 'skip' }`, {
        got: norm,
        expected: limit,
      })
    if (this.skipped >= patience)
      throw new TrainError(`step ${step}: ${reason}. That is ${this.skipped} steps in a row${back}`, {
        got: norm,
        expected: limit,
      })
    return reason
  }
}

function refuse(option: string, got: unknown, expected: string): never {
  throw new TrainError(`train_step: got guard.${option} ${String(got)}, expected ${expected}`, { got, expected })
}
