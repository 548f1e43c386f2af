/** JSON numbers within bounds, as expressions over digits. Bounds are exact decimals, not rounded. */
import type { Dfa, DfaState } from './dfa.js'
import { alt, chars, cls, DIGIT, type Expr, NEVER, optional, repeat, seq, text } from './expr.js'

export interface Bounds {
  low?: number | undefined
  high?: number | undefined
  lowOpen?: boolean
  highOpen?: boolean
}

const digits = (min: number, max: number = min): Expr => repeat(DIGIT, min, max)
const MORE = Number.POSITIVE_INFINITY
const digit = (low: number, high: number): Expr => (low > high ? NEVER : cls([48 + low, 48 + high]))

const FRACTION: Expr = optional(seq(text('.'), digits(1, MORE)))
/** Up to 299, so that no short number overflows to infinity. */
const EXPONENT: Expr = optional(
  seq(chars('eE'), optional(chars('+-')), alt(digits(1, 2), seq(chars('012'), digits(2)))),
)
const NATURAL: Expr = alt(text('0'), seq(digit(1, 9), digits(0, MORE)))

export const INTEGER: Expr = seq(optional(text('-')), NATURAL)
export const NUMBER: Expr = seq(optional(text('-')), NATURAL, FRACTION, EXPONENT)

/** Whole numbers within bounds. */
export function integers({ low, high, lowOpen = false, highOpen = false }: Bounds): Expr {
  if (low === undefined && high === undefined) return INTEGER
  const floor = low === undefined ? undefined : BigInt(Math.ceil(low)) + (lowOpen && Number.isInteger(low) ? 1n : 0n)
  const ceiling =
    high === undefined ? undefined : BigInt(Math.floor(high)) - (highOpen && Number.isInteger(high) ? 1n : 0n)
  const parts: Expr[] = []
  if (floor === undefined || floor < 0n) {
    const from = ceiling === undefined || ceiling >= 0n ? 1n : -ceiling
    parts.push(seq(text('-'), naturals(from, floor === undefined ? undefined : -floor)))
  }
  if (ceiling === undefined || ceiling >= 0n) {
    parts.push(naturals(floor === undefined || floor < 0n ? 0n : floor, ceiling))
  }
  return alt(...parts)
}

/** a to b, both included, without a sign; no b: unbounded. */
function naturals(a: bigint, b: bigint | undefined): Expr {
  if (b !== undefined && b < a) return NEVER
  const low = a.toString()
  const first = low.length
  if (b === undefined) return alt(sameLength(low, '9'.repeat(first)), seq(digit(1, 9), digits(first, MORE)))
  const high = b.toString()
  const last = high.length
  if (first === last) return sameLength(low, high)
  const between = first + 1 < last ? seq(digit(1, 9), digits(first, last - 2)) : NEVER
  return alt(sameLength(low, '9'.repeat(first)), between, sameLength(`1${'0'.repeat(last - 1)}`, high))
}

/** Digit strings from a to b, both of one length: at most two chains of digits, whatever the bounds. */
function sameLength(a: string, b: string): Expr {
  if (/^0*$/.test(a) && /^9*$/.test(b)) return digits(a.length)
  const x = Number(a[0])
  const y = Number(b[0])
  const [restA, restB] = [a.slice(1), b.slice(1)]
  if (x === y) return seq(digit(x, x), sameLength(restA, restB))
  return alt(
    seq(digit(x, x), sameLength(restA, '9'.repeat(restA.length))),
    seq(digit(x + 1, y - 1), digits(restA.length)),
    seq(digit(y, y), sameLength('0'.repeat(restB.length), restB)),
  )
}

/**
 * Decimals within bounds. Written without an exponent, except where the only bound is zero: there the sign decides.
 */
export function decimals(bounds: Bounds): Expr {
  const { low, high, lowOpen = false, highOpen = false } = bounds
  if (low === undefined && high === undefined) return NUMBER
  const unsigned = seq(NATURAL, FRACTION, EXPONENT)
  if (low === 0 && high === undefined && !lowOpen) return unsigned
  if (high === 0 && low === undefined && !highOpen) return alt(text('0'), seq(text('-'), unsigned))
  const parts: Expr[] = []
  if (low === undefined || low < 0) {
    const from = high === undefined || high >= 0 ? 0 : -high
    const open = high !== undefined && high <= 0 && highOpen
    parts.push(seq(text('-'), positive(from, low === undefined ? undefined : -low, open || from === 0, lowOpen)))
  }
  if (high === undefined || high >= 0) {
    const from = low === undefined || low < 0 ? 0 : low
    parts.push(positive(from, high, lowOpen && from === low, highOpen))
  }
  return alt(...parts)
}

/** a to b without a sign, a ≥ 0. */
function positive(a: number, b: number | undefined, aOpen: boolean, bOpen: boolean): Expr {
  const [aWhole, aPart] = split(a)
  if (b === undefined) {
    return alt(seq(text(aWhole), atLeast(aPart, aOpen)), seq(naturals(BigInt(aWhole) + 1n, undefined), FRACTION))
  }
  if (b < a || (a === b && (aOpen || bOpen))) return NEVER
  const [bWhole, bPart] = split(b)
  if (aWhole === bWhole) return seq(text(aWhole), within(aPart, bPart, aOpen, bOpen))
  return alt(
    seq(text(aWhole), atLeast(aPart, aOpen)),
    seq(naturals(BigInt(aWhole) + 1n, BigInt(bWhole) - 1n), FRACTION),
    seq(text(bWhole), atMost(bPart, bOpen)),
  )
}

/** Whole digits and fraction digits (no trailing zeros) of a non-negative number, exactly as JSON would print it. */
function split(x: number): [whole: string, part: string] {
  const [mantissa, exponent = '0'] = String(x).split('e') as [string, string?]
  const [whole, part = ''] = mantissa.split('.') as [string, string?]
  const shift = Number(exponent)
  const all = whole + part
  const at = whole.length + shift
  const padded = at <= 0 ? '0'.repeat(1 - at) + all : all.padEnd(at, '0')
  const point = Math.max(at, 1)
  return [padded.slice(0, point).replace(/^0+(?=\d)/, ''), padded.slice(point).replace(/0+$/, '')]
}

/** The rest of a number after its whole part: nothing, or a point and digits, at least 0.F. */
function atLeast(part: string, open: boolean): Expr {
  const some = seq(text('.'), moreThan(part, open))
  return part === '' && !open ? optional(seq(text('.'), digits(1, MORE))) : some
}

function atMost(part: string, open: boolean): Expr {
  if (part === '') return open ? NEVER : optional(seq(text('.'), repeat(text('0'), 1)))
  return optional(seq(text('.'), lessThan(part, open, true)))
}

function within(a: string, b: string, aOpen: boolean, bOpen: boolean): Expr {
  const bare = a === '' && !aOpen && !(b === '' && bOpen)
  const some = seq(text('.'), between(a, b, aOpen, bOpen, true))
  return bare ? optional(some) : some
}

/** Digit strings from here on that make 0.… at least 0.part. */
function moreThan(part: string, open: boolean): Expr {
  if (part === '') return open ? seq(repeat(text('0'), 0), digit(1, 9), digits(0, MORE)) : digits(0, MORE)
  const x = Number(part[0])
  return alt(seq(digit(x + 1, 9), digits(0, MORE)), seq(digit(x, x), moreThan(part.slice(1), open)))
}

function lessThan(part: string, open: boolean, first: boolean): Expr {
  if (part === '') return open ? NEVER : repeat(text('0'), first ? 1 : 0)
  const x = Number(part[0])
  const some = alt(seq(digit(0, x - 1), digits(0, MORE)), seq(digit(x, x), lessThan(part.slice(1), open, false)))
  // stopping here is less, since the rest of the part is not zero
  return first ? some : optional(some)
}

function between(a: string, b: string, aOpen: boolean, bOpen: boolean, first: boolean): Expr {
  if (a === '' && !aOpen) return lessThan(b, bOpen, first)
  if (b === '') return a === '' && !aOpen && !bOpen ? repeat(text('0'), first ? 1 : 0) : NEVER
  const x = Number(a[0] ?? '0')
  const y = Number(b[0])
  const restA = a.slice(1)
  const restB = b.slice(1)
  if (x === y) return seq(digit(x, x), between(restA, restB, aOpen, bOpen, false))
  return alt(
    seq(digit(x, x), moreThan(restA, aOpen)),
    seq(digit(x + 1, y - 1), digits(0, MORE)),
    seq(digit(y, y), lessThan(restB, bOpen, false)),
  )
}

/** Whether a number, as it is printed, is a multiple of a step, as it is printed. */
export function isMultiple(value: number, step: number): boolean {
  const [a, b] = [split(Math.abs(value)), split(step)]
  const places = Math.max(a[1].length, b[1].length)
  const scaled = ([whole, part]: [string, string]): bigint => BigInt(whole + part.padEnd(places, '0'))
  return scaled(a) % scaled(b) === 0n
}

/** Decimal numbers without exponent that are multiples of `step`; undefined where the automaton would be too large. */
export function multiples(step: number): Dfa | undefined {
  const [whole, part] = split(step)
  const places = part.length
  const modulus = Number(whole + part)
  const phases = places + 2
  if (modulus * phases > 20_000) return undefined
  const states: DfaState[] = [{ accept: false, edges: [] }]
  // a state per remainder and phase: 0 the whole part, i the i-th digit after the point; beyond come only zeros
  const at = (remainder: number, phase: number): number => 4 + remainder * phases + phase
  const signed: DfaState = { accept: false, edges: [] }
  const zero: DfaState = { accept: true, edges: [] }
  const point: DfaState = { accept: false, edges: [] }
  states.push(signed, zero, point)
  for (let remainder = 0; remainder < modulus; remainder++) {
    for (let phase = 0; phase < phases; phase++) {
      const missing = 10 ** (places - Math.min(phase, places))
      const state: DfaState = { accept: (remainder * missing) % modulus === 0, edges: [] }
      if (phase === 0) {
        if (places > 0) state.edges.push([46, 46, at(remainder, phases - 1)])
        else if (state.accept) state.edges.push([46, 46, 3])
      }
      if (phase === phases - 1) {
        // just after the point: no digit yet, so not an end
        state.accept = false
        if (places > 0)
          for (let d = 0; d < 10; d++) state.edges.push([48 + d, 48 + d, at((remainder * 10 + d) % modulus, 1)])
      } else if (phase === 0 || phase < places) {
        for (let d = 0; d < 10; d++)
          state.edges.push([48 + d, 48 + d, at((remainder * 10 + d) % modulus, phase === 0 ? 0 : phase + 1)])
      } else if (state.accept) state.edges.push([48, 48, at(remainder, phase)])
      state.edges.sort((x, y) => x[0] - y[0])
      states.push(state)
    }
  }
  const start = states[0]!
  start.edges.push([45, 45, 1])
  for (const s of [start, signed]) {
    s.edges.push([48, 48, 2])
    for (let d = 1; d < 10; d++) s.edges.push([48 + d, 48 + d, at(d % modulus, 0)])
  }
  if (places > 0) zero.edges.push([46, 46, at(0, phases - 1)])
  return { states }
}
