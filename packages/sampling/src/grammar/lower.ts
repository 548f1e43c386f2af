/**
 * Rules as a pushdown automaton over bytes: each rule is a small automaton whose edges read a byte or call a rule.
 * Rules are lowered when first called. Large repetitions become a family of rules, one per count, of the same layout,
 * so that counts too far off to matter for one token can share their masks (`canonical`).
 */
import type { Dfa } from './dfa.js'
import { GrammarError } from './errors.js'
import { cls, type Expr, type GrammarRules, intersectRanges, type Ranges, type Rule, text } from './expr.js'
import { byteSequences } from './utf8.js'

/** Tokens of more bytes than this are not offered inside a counted repetition, so that counts above it are alike. */
export const HORIZON = 32
/** Edges from here on read a whole token, `TOKENS + id`, instead of a byte. */
export const TOKENS = 256
/** Repetitions whose copies have at most so many parts are written out. */
const UNROLL = 24

export class Pda {
  /** Byte edges of each state: low, high, target, low, high, target… */
  readonly edges: number[][] = []
  readonly epsilon: number[][] = []
  /** Calls: rule, state to return to, … */
  readonly calls: number[][] = []
  readonly final: boolean[] = []
  readonly #rules: Rule[]
  readonly #starts: number[] = []
  readonly #productive: boolean[]
  readonly #counted = new Map<Expr, Map<string, number>>()
  /** Counted rule of a rule index, and of the states lowered for it. */
  readonly #countOf = new Map<number, Counted>()
  readonly #ranges: [from: number, to: number, rule: number][] = []
  readonly root: number
  /** Some edge reads a whole token. */
  hasTokens = false

  constructor({ rules, root }: GrammarRules) {
    // not a copy: bodies made later add rules of their own
    this.#rules = rules
    this.root = root
    this.#productive = findProductive(rules)
    if (!this.#productive[root]) {
      throw new GrammarError(
        'grammar',
        `the rule "${rules[root]!.name}", which matches no finite text`,
        'one that can end',
        '',
      )
    }
    refuseLeftRecursion(rules)
  }

  /** First state of a rule. */
  start(rule: number): number {
    return this.#starts[rule] ?? this.#lowerRule(rule)
  }

  /** A state that behaves the same for the next `HORIZON` bytes; the state itself outside counted repetitions. */
  canonical(state: number): number {
    const range = this.#rangeOf(state)
    const counted = range && this.#countOf.get(range[2])
    if (!range || !counted) return state
    const min = Math.min(counted.min, HORIZON + 1)
    const max = counted.max === Number.POSITIVE_INFINITY ? counted.max : Math.min(counted.max, HORIZON + 1)
    if (min === counted.min && max === counted.max) return state
    const twin = this.#countedRule(counted.item, min, max)
    return this.start(twin) + (state - range[0])
  }

  #rangeOf(state: number): [number, number, number] | undefined {
    let low = 0
    let high = this.#ranges.length - 1
    while (low <= high) {
      const mid = (low + high) >> 1
      const range = this.#ranges[mid]!
      if (state < range[0]) high = mid - 1
      else if (state >= range[1]) low = mid + 1
      else return range
    }
    return undefined
  }

  #add(): number {
    this.edges.push([])
    this.epsilon.push([])
    this.calls.push([])
    return this.final.push(false) - 1
  }

  #lowerRule(index: number): number {
    const rule = this.#rules[index]!
    const first = this.#add()
    this.#starts[index] = first
    const counted = this.#countOf.get(index)
    if (counted) this.#lowerCounted(counted, first)
    else {
      if (typeof rule.body === 'function') rule.body = rule.body()
      this.final[this.#lower(rule.body, first)] = true
    }
    this.#ranges.push([first, this.final.length, index])
    return first
  }

  /** item{min,max} as: one item, then the same with one less. The layout does not depend on the counts. */
  #lowerCounted({ item, min, max }: Counted, first: number): void {
    const end = this.#add()
    this.final[end] = true
    if (min === 0) this.epsilon[first]!.push(end)
    const entry = this.#add()
    const mid = this.#lower(item, entry)
    if (max > 0) this.epsilon[first]!.push(entry)
    if (max > 1) this.calls[mid]!.push(this.#countedRule(item, Math.max(0, min - 1), max - 1), end)
    else this.epsilon[mid]!.push(end)
  }

  #countedRule(item: Expr, min: number, max: number): number {
    let family = this.#counted.get(item)
    if (!family) this.#counted.set(item, (family = new Map()))
    const key = `${min},${max}`
    let rule = family.get(key)
    if (rule === undefined) {
      rule = this.#rules.push({ name: 'repetition', body: item }) - 1
      family.set(key, rule)
      this.#countOf.set(rule, { item, min, max })
    }
    return rule
  }

  #live(expr: Expr): boolean {
    return productive(expr, this.#productive)
  }

  /** Adds the automaton of `expr` from a state; returns the state it ends in. */
  #lower(expr: Expr, from: number): number {
    switch (expr.kind) {
      case 'class': {
        const to = this.#add()
        this.#bytes(expr.ranges, from, to)
        return to
      }
      case 'token': {
        const to = this.#add()
        this.hasTokens = true
        for (const [low, high] of expr.ids) this.edges[from]!.push(TOKENS + low, TOKENS + high, to)
        return to
      }
      case 'seq':
        return expr.items.reduce((at, item) => this.#lower(item, at), from)
      case 'alt': {
        const to = this.#add()
        for (const item of expr.items) {
          if (!this.#live(item)) continue
          const entry = this.#add()
          this.epsilon[from]!.push(entry)
          this.epsilon[this.#lower(item, entry)]!.push(to)
        }
        return to
      }
      case 'repeat':
        return this.#repeat(expr, from)
      case 'ref': {
        const to = this.#add()
        this.calls[from]!.push(expr.rule, to)
        return to
      }
      case 'dfa':
        return this.#dfa(expr.dfa, expr.json, from)
    }
  }

  #repeat({ item, min, max }: Extract<Expr, { kind: 'repeat' }>, from: number): number {
    const to = this.#add()
    if (max === 0 || !this.#live(item)) {
      this.epsilon[from]!.push(to)
      return to
    }
    const copies = max === Number.POSITIVE_INFINITY ? min : max
    if (copies > 1 && copies * weight(item) > UNROLL) {
      this.calls[from]!.push(this.#countedRule(item, min, max), to)
      return to
    }
    let at = from
    for (let i = 0; i < min; i++) at = this.#lower(item, at)
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#add()
      this.epsilon[at]!.push(loop)
      this.epsilon[this.#lower(item, loop)]!.push(loop)
      this.epsilon[loop]!.push(to)
      return to
    }
    for (let i = min; i < max; i++) {
      this.epsilon[at]!.push(to)
      at = this.#lower(item, at)
    }
    this.epsilon[at]!.push(to)
    return to
  }

  #dfa(dfa: Dfa, json: boolean, from: number): number {
    const to = this.#add()
    const states = dfa.states.map(() => this.#add())
    this.epsilon[from]!.push(states[0]!)
    dfa.states.forEach((state, i) => {
      if (state.accept) this.epsilon[states[i]!]!.push(to)
      for (const [low, high, target] of state.edges) {
        if (json) this.#jsonChars([[low, high]], states[i]!, states[target]!)
        else this.#bytes([[low, high]], states[i]!, states[target]!)
      }
    })
    return to
  }

  /** Edges from one state to another over the UTF-8 of a class; shared tails become shared states. */
  #bytes(ranges: Ranges, from: number, to: number): void {
    const tails = new Map<string, number>()
    for (const sequence of byteSequences(ranges)) {
      let target = to
      for (let i = sequence.length - 1; i > 0; i--) {
        const [low, high] = sequence[i]!
        const key = `${low},${high},${target}`
        let state = tails.get(key)
        if (state === undefined) {
          state = this.#add()
          this.edges[state]!.push(low, high, target)
          tails.set(key, state)
        }
        target = state
      }
      this.edges[from]!.push(sequence[0]![0], sequence[0]![1], target)
    }
  }

  /** Characters as JSON writes them in a string: raw where it may, else escaped in its usual way. */
  #jsonChars(ranges: Ranges, from: number, to: number): void {
    this.#bytes(intersectRanges(ranges, RAW), from, to)
    for (const [code, escaped] of ESCAPES) {
      if (!ranges.some(([a, b]) => a <= code && code <= b)) continue
      this.epsilon[this.#lower(text(escaped), from)]!.push(to)
    }
  }
}

interface Counted {
  readonly item: Expr
  readonly min: number
  readonly max: number
}

/** What a JSON string may hold unescaped. */
export const RAW: Ranges = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
]

const ESCAPES: readonly [number, string][] = /* @__PURE__ */ (() => {
  const short: Record<number, string> = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r' }
  const list: [number, string][] = [
    [34, '\\"'],
    [92, '\\\\'],
  ]
  for (let code = 0; code < 32; code++) list.push([code, short[code] ?? `\\u${code.toString(16).padStart(4, '0')}`])
  return list
})()

function weight(expr: Expr): number {
  switch (expr.kind) {
    case 'class':
      return expr.ranges.length === 1 && expr.ranges[0]![1] < 0x80 ? 1 : 4
    case 'seq':
    case 'alt':
      return expr.items.reduce((n, item) => n + weight(item), 1)
    case 'repeat':
      return weight(expr.item) * (expr.max === Number.POSITIVE_INFINITY ? expr.min + 1 : Math.min(expr.max, 1000))
    case 'ref':
    case 'token':
      return 1
    case 'dfa':
      return expr.dfa.states.length * 4
  }
}

function productive(expr: Expr, rules: readonly boolean[]): boolean {
  switch (expr.kind) {
    case 'class':
      return byteSequences(expr.ranges.slice(0, 1)).length > 0 || byteSequences(expr.ranges).length > 0
    case 'token':
      return expr.ids.length > 0
    case 'seq':
      return expr.items.every(item => productive(item, rules))
    case 'alt':
      return expr.items.some(item => productive(item, rules))
    case 'repeat':
      return expr.min === 0 || productive(expr.item, rules)
    case 'ref':
      // rules made later can end, as a lazy body must
      return rules[expr.rule] ?? true
    case 'dfa':
      return expr.dfa.states.length > 0
  }
}

function findProductive(rules: readonly Rule[]): boolean[] {
  const found = rules.map(rule => typeof rule.body === 'function')
  for (let changed = true; changed; ) {
    changed = false
    rules.forEach((rule, i) => {
      if (!found[i] && typeof rule.body !== 'function' && productive(rule.body, found)) changed = found[i] = true
    })
  }
  return found
}

/** A rule that can call itself before reading anything would never stop. */
function refuseLeftRecursion(rules: readonly Rule[]): void {
  const nullable = rules.map(() => false)
  const empty = (expr: Expr): boolean => {
    switch (expr.kind) {
      case 'class':
      case 'token':
        return false
      case 'seq':
        return expr.items.every(empty)
      case 'alt':
        return expr.items.some(empty)
      case 'repeat':
        return expr.min === 0 || empty(expr.item)
      case 'ref':
        return nullable[expr.rule]!
      case 'dfa':
        return expr.dfa.states[0]?.accept ?? false
    }
  }
  for (let changed = true; changed; ) {
    changed = false
    rules.forEach((rule, i) => {
      if (!nullable[i] && typeof rule.body !== 'function' && empty(rule.body)) changed = nullable[i] = true
    })
  }
  const leftmost = (expr: Expr, into: Set<number>): void => {
    if (expr.kind === 'ref') into.add(expr.rule)
    else if (expr.kind === 'repeat') leftmost(expr.item, into)
    else if (expr.kind === 'alt') for (const item of expr.items) leftmost(item, into)
    else if (expr.kind === 'seq') {
      for (const item of expr.items) {
        leftmost(item, into)
        if (!empty(item)) return
      }
    }
  }
  const state = new Uint8Array(rules.length)
  const visit = (i: number): void => {
    if (state[i] === 2) return
    if (state[i] === 1) {
      const name = rules[i]!.name
      throw new GrammarError(
        'grammar',
        `the rule "${name}", which begins with itself`,
        'no left recursion',
        'Write it as a repetition.',
      )
    }
    state[i] = 1
    const calls = new Set<number>()
    const { body } = rules[i]!
    if (typeof body !== 'function') leftmost(body, calls)
    for (const call of calls) visit(call)
    state[i] = 2
  }
  rules.forEach((_, i) => {
    visit(i)
  })
}

/** Any character. */
export const ANY: Expr = /* @__PURE__ */ cls([0, 0x10ffff])
