/** Deterministic automata over code points, made from regular expressions; closed under intersection and complement. */
import { GrammarError } from './errors.js'
import type { Expr } from './expr.js'

export interface DfaState {
  accept: boolean
  /** Disjoint ranges with their target state. What no range covers is refused. */
  readonly edges: [low: number, high: number, target: number][]
}

/** State 0 is the start. Every state can reach an accepting one; no states: nothing is accepted. */
export interface Dfa {
  readonly states: readonly DfaState[]
}

/** Pseudo code points before the first and after the last character: what ^ and $ match. */
export const BEGIN = 0x110000
export const END = 0x110001

const LIMIT = 20_000
/** States of the expression in all states of the automaton together: bounds time and memory. */
const WORK = 4_000_000

interface Nfa {
  readonly epsilon: number[][]
  readonly edges: [number, number, number][][]
}

/**
 * The automaton of a regular expression. 'whole': the expression must match the whole text; 'search': anywhere in it,
 * as JSON Schema's `pattern` does.
 */
export function toDfa(expr: Expr, mode: 'whole' | 'search'): Dfa {
  const nfa: Nfa = { epsilon: [], edges: [] }
  const add = (): number => {
    nfa.epsilon.push([])
    return nfa.edges.push([]) - 1
  }
  const start = add()
  const before = add()
  const first = add()
  const after = add()
  const final = add()
  const last = build(nfa, add, expr, first)
  // the text is BEGIN characters END; the expression may take the two itself (^, $) or leave them out
  nfa.epsilon[start]!.push(first)
  nfa.edges[start]!.push([BEGIN, BEGIN, before])
  nfa.epsilon[before]!.push(first)
  nfa.epsilon[last]!.push(after, final)
  nfa.edges[after]!.push([END, END, final])
  if (mode === 'search') {
    nfa.edges[before]!.push([0, 0x10ffff, before])
    nfa.edges[after]!.push([0, 0x10ffff, after])
  }
  return trim(determinise(nfa, start, final))
}

function build(nfa: Nfa, add: () => number, expr: Expr, from: number): number {
  switch (expr.kind) {
    case 'token':
      throw new GrammarError('regex', 'a token reference', 'characters', '')
    case 'class': {
      const to = add()
      for (const [a, b] of expr.ranges) nfa.edges[from]!.push([a, b, to])
      return to
    }
    case 'seq':
      return expr.items.reduce((at, item) => build(nfa, add, item, at), from)
    case 'alt': {
      const to = add()
      for (const item of expr.items) {
        const entry = add()
        nfa.epsilon[from]!.push(entry)
        nfa.epsilon[build(nfa, add, item, entry)]!.push(to)
      }
      return to
    }
    case 'repeat': {
      let at = from
      for (let i = 0; i < expr.min; i++) at = build(nfa, add, expr.item, at)
      if (nfa.edges.length > LIMIT) tooLarge()
      if (expr.max === Number.POSITIVE_INFINITY) {
        const loop = add()
        nfa.epsilon[at]!.push(loop)
        nfa.epsilon[build(nfa, add, expr.item, loop)]!.push(loop)
        return loop
      }
      const to = add()
      for (let i = expr.min; i < expr.max; i++) {
        nfa.epsilon[at]!.push(to)
        at = build(nfa, add, expr.item, at)
        if (nfa.edges.length > LIMIT) tooLarge()
      }
      nfa.epsilon[at]!.push(to)
      return to
    }
    default:
      throw new GrammarError('regex', `a ${expr.kind}`, 'characters, groups and repetitions', '')
  }
}

function tooLarge(): never {
  throw new GrammarError(
    'regex',
    'an expression of too many states',
    `an automaton of at most ${LIMIT}`,
    'Lower a repetition count.',
  )
}

function determinise(nfa: Nfa, start: number, final: number): Dfa {
  const states: DfaState[] = []
  const sets: number[][] = []
  const index = new Map<string, number>()
  let work = 0
  const closure = (seeds: Iterable<number>): number[] => {
    const seen = new Set(seeds)
    for (const s of seen) for (const t of nfa.epsilon[s]!) seen.add(t)
    return [...seen].sort((a, b) => a - b)
  }
  const stepOn = (set: readonly number[], symbol: number): number[] => {
    const hit: number[] = []
    for (const s of set) for (const [a, b, t] of nfa.edges[s]!) if (a <= symbol && symbol <= b) hit.push(t)
    return closure(hit)
  }
  /** Anchors hold as often as they are asked: ^^ is ^. */
  const anchored = (set: readonly number[], symbols: readonly number[]): number[] => {
    let all = new Set<number>()
    for (let from: readonly number[] = set, size = -1; all.size > size; from = [...all]) {
      size = all.size
      all = new Set([...all, ...symbols.flatMap(symbol => stepOn(from, symbol))])
    }
    return [...all].sort((a, b) => a - b)
  }
  const intern = (set: number[]): number => {
    const key = set.join()
    const known = index.get(key)
    if (known !== undefined) return known
    if (states.length >= LIMIT || (work += set.length) > WORK) tooLarge()
    index.set(key, states.length)
    sets.push(set)
    return states.push({ accept: anchored(set, [END]).includes(final), edges: [] }) - 1
  }
  const first = anchored(closure([start]), [BEGIN])
  intern(first)
  // the empty text ends where it begins; what comes to the same states later does not
  const empty = anchored(closure([start]), [BEGIN, END]).includes(final)
  if (states[0]!.accept !== empty) {
    states[0]!.accept = empty
    index.delete(first.join())
  }
  for (let i = 0; i < states.length; i++) {
    const set = sets[i]!
    const cuts = new Set<number>()
    for (const s of set) {
      for (const [a, b] of nfa.edges[s]!) {
        if (a >= BEGIN) continue
        cuts.add(a)
        cuts.add(b + 1)
      }
    }
    const sorted = [...cuts].sort((a, b) => a - b)
    for (let c = 0; c + 1 < sorted.length; c++) {
      const target = stepOn(set, sorted[c]!)
      if (target.length) addEdge(states[i]!, sorted[c]!, sorted[c + 1]! - 1, intern(target))
    }
  }
  return { states }
}

function addEdge(state: DfaState, low: number, high: number, target: number): void {
  const last = state.edges[state.edges.length - 1]
  if (last && last[2] === target && last[1] + 1 === low) last[1] = high
  else state.edges.push([low, high, target])
}

/** Drops states that cannot reach an accepting one. */
function trim(dfa: Dfa): Dfa {
  const { states } = dfa
  const live = states.map(s => s.accept)
  for (let changed = true; changed; ) {
    changed = false
    states.forEach((s, i) => {
      if (!live[i] && s.edges.some(e => live[e[2]])) changed = live[i] = true
    })
  }
  if (!live[0]) return { states: [] }
  const rename = new Map<number, number>()
  states.forEach((_, i) => live[i] && rename.set(i, rename.size))
  return {
    states: states.flatMap((s, i) =>
      live[i]
        ? [
            {
              accept: s.accept,
              edges: s.edges.flatMap(([a, b, t]) =>
                live[t] ? [[a, b, rename.get(t)!] as [number, number, number]] : [],
              ),
            },
          ]
        : [],
    ),
  }
}

/** Texts that both accept; with `butNot`, that `x` accepts and `y` does not. */
export function combine(x: Dfa, y: Dfa, butNot: boolean = false): Dfa {
  if (x.states.length === 0) return x
  // -1: y has failed
  const states: DfaState[] = []
  const pairs: [number, number][] = []
  const index = new Map<number, number>()
  const intern = (a: number, b: number): number => {
    const key = a * (y.states.length + 1) + b + 1
    const known = index.get(key)
    if (known !== undefined) return known
    if (states.length >= LIMIT) tooLarge()
    index.set(key, states.length)
    pairs.push([a, b])
    const inY = b >= 0 && y.states[b]!.accept
    return states.push({ accept: x.states[a]!.accept && inY !== butNot, edges: [] }) - 1
  }
  intern(0, y.states.length ? 0 : -1)
  for (let i = 0; i < states.length; i++) {
    const [a, b] = pairs[i]!
    for (const [low, high, target] of x.states[a]!.edges) {
      let next = low
      for (const [l, h, t] of b < 0 ? [] : y.states[b]!.edges) {
        if (h < low || l > high) continue
        const from = Math.max(l, low)
        const to = Math.min(h, high)
        if (butNot && from > next) addEdge(states[i]!, next, from - 1, intern(target, -1))
        addEdge(states[i]!, from, to, intern(target, t))
        next = to + 1
      }
      if (butNot && next <= high) addEdge(states[i]!, next, high, intern(target, -1))
    }
  }
  return trim({ states })
}

/** Texts that any of them accepts. */
export function union(list: readonly Dfa[]): Dfa {
  const none = list.reduce((left, dfa) => combine(left, dfa, true), lengths(0))
  return combine(lengths(0), none, true)
}

/** Every text of `min` to `max` characters. */
export function lengths(min: number, max: number = Number.POSITIVE_INFINITY): Dfa {
  if (Math.max(min, max === Number.POSITIVE_INFINITY ? 0 : max) > LIMIT) tooLarge()
  const states: DfaState[] = []
  const last = max === Number.POSITIVE_INFINITY ? min : max
  for (let i = 0; i <= last; i++) {
    const target = i < last ? i + 1 : max === Number.POSITIVE_INFINITY ? i : -1
    states.push({ accept: i >= min, edges: target < 0 ? [] : [[0, 0x10ffff, target]] })
  }
  return { states }
}

/** Exactly these texts. */
export function exactly(words: Iterable<string>): Dfa {
  const states: DfaState[] = [{ accept: false, edges: [] }]
  for (const word of words) {
    let at = 0
    for (const c of word) {
      const code = c.codePointAt(0)!
      let edge = states[at]!.edges.find(e => e[0] === code)
      if (!edge) {
        edge = [code, code, states.push({ accept: false, edges: [] }) - 1]
        states[at]!.edges.push(edge)
      }
      at = edge[2]
    }
    states[at]!.accept = true
  }
  for (const s of states) s.edges.sort((a, b) => a[0] - b[0])
  return trim({ states })
}

/** Whether the automaton accepts a text. */
export function accepts(dfa: Dfa, word: string): boolean {
  let at = dfa.states.length ? 0 : -1
  for (const c of word) {
    if (at < 0) return false
    const code = c.codePointAt(0)!
    at = dfa.states[at]!.edges.find(([a, b]) => a <= code && code <= b)?.[2] ?? -1
  }
  return at >= 0 && dfa.states[at]!.accept
}
