/** GBNF, the grammar format of llama.cpp, as rules. */
import { GrammarError } from './errors.js'
import {
  alt,
  EMPTY,
  type Expr,
  type GrammarRules,
  negate,
  normalise,
  type Ranges,
  type Rule,
  ref,
  repeat,
  seq,
} from './expr.js'

/** The id of the token that is written exactly so, for `<think>`. */
export type TokenLookup = (text: string) => number | undefined

/** Parses a GBNF text; the grammar starts at the rule `root`. */
export function parseGbnf(source: string, root: string = 'root', token?: TokenLookup): GrammarRules {
  return new Parser(source, token).parse(root)
}

const MAX_TOKEN = 2 ** 30
const NAME = /[a-zA-Z0-9_-]/

class Parser {
  readonly #text: string
  #at = 0
  readonly #rules: Rule[] = []
  readonly #byName = new Map<string, number>()
  readonly #defined = new Set<string>()
  readonly #usedAt = new Map<string, number>()

  readonly #token: TokenLookup | undefined

  constructor(source: string, token: TokenLookup | undefined) {
    this.#text = source
    this.#token = token
  }

  parse(root: string): GrammarRules {
    this.#space(true)
    while (this.#at < this.#text.length) this.#rule()
    for (const [name, at] of this.#usedAt) {
      if (!this.#defined.has(name)) this.#fail(`the undefined rule "${name}"`, 'a rule with ::=', at)
    }
    if (!this.#defined.has(root)) this.#fail(`no rule "${root}"`, 'the rule to start at')
    return { rules: this.#rules, root: this.#byName.get(root)! }
  }

  #fail(got: string, expected: string, at: number = this.#at): never {
    const before = this.#text.slice(0, at)
    const line = before.split('\n').length
    const column = at - before.lastIndexOf('\n')
    throw new GrammarError('gbnf', `${got} at line ${line}, column ${column}`, expected, '', at)
  }

  #here(): string {
    return this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'the end'
  }

  #space(newlines: boolean): void {
    for (;;) {
      const c = this.#text[this.#at]
      if (c === ' ' || c === '\t' || (newlines && (c === '\n' || c === '\r'))) this.#at++
      else if (c === '#') while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') this.#at++
      else return
    }
  }

  #name(): string {
    const start = this.#at
    while (this.#at < this.#text.length && NAME.test(this.#text[this.#at]!)) this.#at++
    if (this.#at === start) this.#fail(this.#here(), 'a rule name')
    return this.#text.slice(start, this.#at)
  }

  #index(name: string): number {
    let index = this.#byName.get(name)
    if (index === undefined) {
      index = this.#rules.push({ name, body: EMPTY }) - 1
      this.#byName.set(name, index)
    }
    return index
  }

  #rule(): void {
    const name = this.#name()
    const index = this.#index(name)
    this.#space(false)
    if (!this.#text.startsWith('::=', this.#at)) this.#fail(this.#here(), '"::=" after the rule name')
    this.#at += 3
    this.#space(true)
    const body = this.#alternatives(false)
    // a rule defined twice: the later one counts, as in llama.cpp
    this.#rules[index]!.body = body
    this.#defined.add(name)
    if (this.#at < this.#text.length && !/[\r\n]/.test(this.#text[this.#at]!)) this.#fail(this.#here(), 'a new line')
    this.#space(true)
  }

  #alternatives(nested: boolean): Expr {
    const items = [this.#sequence(nested)]
    for (;;) {
      const at = this.#at
      // outside parentheses a new line ends the rule, unless the next begins with |
      this.#space(true)
      if (this.#text[this.#at] !== '|') {
        if (!nested) this.#at = at
        return alt(...items)
      }
      this.#at++
      this.#space(true)
      items.push(this.#sequence(nested))
    }
  }

  #sequence(nested: boolean): Expr {
    const items: Expr[] = []
    for (;;) {
      this.#space(nested)
      const item = this.#item(nested)
      if (!item) return items.length ? seq(...items) : EMPTY
      items.push(this.#quantified(item))
    }
  }

  #item(nested: boolean): Expr | undefined {
    const c = this.#text[this.#at]
    if (c === '"') return this.#literal()
    if (c === '[') return { kind: 'class', ranges: this.#class() }
    if (c === '.') {
      this.#at++
      return { kind: 'class', ranges: [[0, 0x10ffff]] }
    }
    if (c === '(') {
      this.#at++
      this.#space(true)
      const inner = this.#alternatives(true)
      this.#space(true)
      if (this.#text[this.#at] !== ')') this.#fail(this.#here(), '")"')
      this.#at++
      return inner
    }
    if (c === '<' || c === '!') return this.#tokens()
    if (c === undefined || !NAME.test(c)) return undefined
    const at = this.#at
    const name = this.#name()
    if (nested && /^[ \t]*::=/.test(this.#text.slice(this.#at))) this.#fail('a new rule', '")"', at)
    if (!this.#usedAt.has(name)) this.#usedAt.set(name, at)
    return ref(this.#index(name))
  }

  #quantified(item: Expr): Expr {
    let result = item
    for (;;) {
      const c = this.#text[this.#at]
      if (c === '*') result = repeat(result, 0)
      else if (c === '+') result = repeat(result, 1)
      else if (c === '?') result = repeat(result, 0, 1)
      else if (c === '{') {
        const match = /^\{\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?\}/.exec(this.#text.slice(this.#at, this.#at + 64))
        if (!match) return this.#fail('a repetition', '{n}, {n,} or {n,m}')
        const min = Number(match[1])
        const max = match[2] ? (match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY) : min
        if (max < min) this.#fail(`{${min},${max}}`, 'a range that does not fall')
        result = repeat(result, min, max)
        this.#at += match[0].length - 1
      } else return result
      this.#at++
    }
  }

  /** `<[12]>` or `<think>`: a token; with `!` every other one. */
  #tokens(): Expr {
    const at = this.#at
    const match = /^(!?)<(?:\[(\d+)\]|([^>\n]*))>/.exec(this.#text.slice(at, at + 256))
    if (!match) return this.#fail(this.#here(), 'a token such as <[12]>, <think> or !<think>')
    const [whole, not, digits, name] = match
    const id = digits === undefined ? this.#token?.(`<${name}>`) : Number(digits)
    if (id === undefined)
      return this.#fail(`<${name}>, which is not known as a token`, 'its id, <[12]>, or a look-up in { token }', at)
    this.#at += whole.length
    const low = id - 1
    const others: [number, number][] = [...(low < 0 ? [] : [[0, low] as [number, number]]), [id + 1, MAX_TOKEN]]
    return { kind: 'token', ids: not ? others : [[id, id]] }
  }

  #literal(): Expr {
    this.#at++
    const items: Expr[] = []
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length) this.#fail('the end', 'a closing quote')
      const code = this.#char()
      items.push({ kind: 'class', ranges: [[code, code]] })
    }
    this.#at++
    return items.length ? seq(...items) : EMPTY
  }

  #class(): Ranges {
    this.#at++
    const negated = this.#text[this.#at] === '^'
    if (negated) this.#at++
    const ranges: [number, number][] = []
    while (this.#text[this.#at] !== ']') {
      if (this.#at >= this.#text.length) this.#fail('the end', 'a closing bracket')
      const low = this.#char()
      let high = low
      if (this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']') {
        this.#at++
        high = this.#char()
        if (high < low) this.#fail('a range that falls', 'two characters in order')
      }
      ranges.push([low, high])
    }
    this.#at++
    return negated ? negate(normalise(ranges)) : normalise(ranges)
  }

  #char(): number {
    if (this.#text[this.#at] !== '\\') {
      const code = this.#text.codePointAt(this.#at)!
      this.#at += code > 0xffff ? 2 : 1
      return code
    }
    const c = this.#text[this.#at + 1]
    const digits = { x: 2, u: 4, U: 8 }[c ?? '']
    if (digits) {
      const hex = this.#text.slice(this.#at + 2, this.#at + 2 + digits)
      const code = Number.parseInt(hex, 16)
      if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex) || code > 0x10ffff)
        this.#fail(JSON.stringify(hex), `${digits} hexadecimal digits of a code point`)
      this.#at += 2 + digits
      return code
    }
    const simple = { n: 10, r: 13, t: 9, '\\': 92, '"': 34, '[': 91, ']': 93, '-': 45, '^': 94 }[c ?? '']
    if (simple === undefined)
      this.#fail(`the escape \\${c ?? ''}`, '\\n, \\r, \\t, \\\\, \\", \\[, \\], \\xHH, \\uHHHH or \\UHHHHHHHH')
    this.#at += 2
    return simple
  }
}
