/** Grammars as data: expressions over code points and references to rules. Parsers make them, `lower` compiles them. */
import type { Dfa } from './dfa.js'

/** Closed ranges of code points, ascending, disjoint. */
export type Ranges = readonly (readonly [low: number, high: number])[]

export type Expr =
  | { readonly kind: 'class'; readonly ranges: Ranges }
  | { readonly kind: 'seq'; readonly items: readonly Expr[] }
  | { readonly kind: 'alt'; readonly items: readonly Expr[] }
  | { readonly kind: 'repeat'; readonly item: Expr; readonly min: number; readonly max: number }
  | { readonly kind: 'ref'; readonly rule: number }
  /** One whole token of the vocabulary, by its id, whatever its text. */
  | { readonly kind: 'token'; readonly ids: Ranges }
  /** An automaton over the characters of a text; `json`: as they stand between the quotes of a JSON string. */
  | { readonly kind: 'dfa'; readonly dfa: Dfa; readonly json: boolean }

/** A rule's body may be made when first needed; it then must start with a character, and be able to end. */
export interface Rule {
  readonly name: string
  body: Expr | (() => Expr)
}

export interface GrammarRules {
  readonly rules: Rule[]
  readonly root: number
}

export const EMPTY: Expr = { kind: 'seq', items: [] }
/** Matches nothing at all. */
export const NEVER: Expr = { kind: 'alt', items: [] }

export const seq = (...items: Expr[]): Expr => (items.length === 1 ? items[0]! : { kind: 'seq', items })
export const alt = (...items: Expr[]): Expr => (items.length === 1 ? items[0]! : { kind: 'alt', items })
export const ref = (rule: number): Expr => ({ kind: 'ref', rule })
export const repeat = (item: Expr, min: number, max: number = Number.POSITIVE_INFINITY): Expr => ({
  kind: 'repeat',
  item,
  min,
  max,
})
export const optional = (item: Expr): Expr => repeat(item, 0, 1)
export const cls = (...ranges: [number, number][]): Expr => ({ kind: 'class', ranges: normalise(ranges) })
export const text = (literal: string): Expr =>
  seq(...Array.from(literal, c => cls([c.codePointAt(0)!, c.codePointAt(0)!])))
export const chars = (set: string): Expr =>
  cls(...Array.from(set, c => [c.codePointAt(0)!, c.codePointAt(0)!] as [number, number]))
export const DIGIT: Expr = cls([48, 57])

export function normalise(ranges: readonly (readonly [number, number])[]): Ranges {
  const sorted = ranges.filter(([a, b]) => a <= b).sort((x, y) => x[0] - y[0])
  const merged: [number, number][] = []
  for (const [a, b] of sorted) {
    const last = merged[merged.length - 1]
    if (last && a <= last[1] + 1) last[1] = Math.max(last[1], b)
    else merged.push([a, b])
  }
  return merged
}

export function negate(ranges: Ranges): Ranges {
  const out: [number, number][] = []
  let next = 0
  for (const [a, b] of ranges) {
    if (a > next) out.push([next, a - 1])
    next = b + 1
  }
  if (next <= 0x10ffff) out.push([next, 0x10ffff])
  return out
}

export function intersectRanges(x: Ranges, y: Ranges): Ranges {
  const out: [number, number][] = []
  for (const [a, b] of x)
    for (const [c, d] of y) if (Math.max(a, c) <= Math.min(b, d)) out.push([Math.max(a, c), Math.min(b, d)])
  return normalise(out)
}
