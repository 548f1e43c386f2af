/** A histogram of distances (of logits below the largest, or from the mean): what certainly lies too far needs no sorting. */

export const BINS = 2048
/** Bins per unit of logit: 2048 bins reach 32 units; the last holds all beyond. */
const PER_UNIT = 64
/** Rounding of probabilities to f32 moves a sum of them by less. */
const MARGIN = 1e-6

export function bin(distance: number): number {
  return distance < BINS / PER_UNIT ? (distance * PER_UNIT) | 0 : BINS - 1
}

export class Bins {
  readonly masses: Float64Array = new Float64Array(BINS)
  readonly counts: Uint32Array = new Uint32Array(BINS)

  /** Empty again. */
  start(): this {
    this.masses.fill(0)
    this.counts.fill(0)
    return this
  }

  /** The distance within which the masses exceed `mass`, of `total` in all, with `least` entries. */
  reach(mass: number, total: number, least: number): number {
    const { masses, counts } = this
    let last = 0
    let held = masses[0]!
    let count = counts[0]!
    while (last < BINS - 1 && (held < mass + MARGIN * total || count < least)) {
      held += masses[++last]!
      count += counts[last]!
    }
    return last < BINS - 1 ? (last + 1) / PER_UNIT : Number.POSITIVE_INFINITY
  }
}
