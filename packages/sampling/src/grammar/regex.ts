/**
 * ECMAScript regular expressions (with the `u` flag's meaning) as expressions. What no automaton can do is refused by
 * name: backreferences, look-around, word boundaries.
 */
import { BEGIN, END } from './dfa.js'
import { GrammarError } from './errors.js'
import { alt, cls, EMPTY, type Expr, negate, normalise, type Ranges, repeat, seq } from './expr.js'

const WORD: Ranges = normalise([
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
])
const DIGITS: Ranges = [[48, 57]]
const SPACE: Ranges = normalise([
  [9, 13],
  [32, 32],
  [160, 160],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
])
const LINE_ENDS: Ranges = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
]
const CONTROL: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 }

/** Parses a regular expression. Anchors become the pseudo code points of `dfa.ts`. */
export function parseRegex(source: string, flags: string = ''): Expr {
  for (const flag of flags) {
    if (!'usgy'.includes(flag))
      throw new GrammarError('regex', `the flag ${flag}`, 'none of i, m, d, v', 'Write it into the classes.')
  }
  return new Parser(source, flags.includes('s')).parse()
}

class Parser {
  readonly #codes: string[]
  #at = 0
  readonly #source: string
  readonly #dotAll: boolean

  constructor(source: string, dotAll: boolean) {
    this.#source = source
    this.#codes = [...source]
    this.#dotAll = dotAll
  }

  parse(): Expr {
    const expr = this.#alternatives()
    if (this.#at < this.#codes.length) this.#fail(`"${this.#codes[this.#at]}"`, 'the end or an opening parenthesis')
    return expr
  }

  #fail(got: string, expected: string, fix: string = ''): never {
    throw new GrammarError('regex', `${got} at ${this.#at} of ${JSON.stringify(this.#source)}`, expected, fix, this.#at)
  }

  #peek(): string | undefined {
    return this.#codes[this.#at]
  }

  #take(c: string): boolean {
    if (this.#codes[this.#at] !== c) return false
    this.#at++
    return true
  }

  #alternatives(): Expr {
    const items = [this.#sequence()]
    while (this.#take('|')) items.push(this.#sequence())
    return alt(...items)
  }

  #sequence(): Expr {
    const items: Expr[] = []
    for (let c = this.#peek(); c !== undefined && c !== '|' && c !== ')'; c = this.#peek())
      items.push(this.#quantified())
    return items.length ? seq(...items) : EMPTY
  }

  #quantified(): Expr {
    const item = this.#atom()
    const at = this.#at
    let min = 1
    let max = 1
    if (this.#take('*')) [min, max] = [0, Number.POSITIVE_INFINITY]
    else if (this.#take('+')) [min, max] = [1, Number.POSITIVE_INFINITY]
    else if (this.#take('?')) [min, max] = [0, 1]
    else if (this.#peek() === '{') {
      const match = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#codes.slice(this.#at, this.#at + 24).join(''))
      if (!match) return item
      this.#at += match[0].length
      min = Number(match[1])
      max = match[2] ? (match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY) : min
      if (max < min) this.#fail(`{${min},${max}}`, 'a range that does not fall')
    }
    // lazy or greedy is the same language
    if (this.#at > at) {
      this.#take('?')
      if (/^(?:[*+?]|\{\d+(?:,\d*)?\})/.test(this.#codes.slice(this.#at, this.#at + 24).join('')))
        this.#fail(`"${this.#peek()}"`, 'something to repeat before it', 'Put what is repeated twice in parentheses.')
    }
    return min === 1 && max === 1 ? item : repeat(item, min, max)
  }

  #atom(): Expr {
    const c = this.#codes[this.#at++]!
    switch (c) {
      case '.':
        return { kind: 'class', ranges: this.#dotAll ? [[0, 0x10ffff]] : negate(LINE_ENDS) }
      case '^':
        return cls([BEGIN, BEGIN])
      case '$':
        return cls([END, END])
      case '(':
        return this.#group()
      case '[':
        return { kind: 'class', ranges: this.#class() }
      case '\\':
        return { kind: 'class', ranges: this.#escape(false) }
      case '*':
      case '+':
      case '?':
        this.#at--
        return this.#fail(`"${c}"`, 'something to repeat before it')
      default:
        return cls([c.codePointAt(0)!, c.codePointAt(0)!])
    }
  }

  #group(): Expr {
    if (this.#take('?')) {
      if (this.#peek() === '=' || this.#peek() === '!')
        this.#fail('a look-ahead', 'an expression without', 'No automaton has it.')
      if (this.#take('<')) {
        if (this.#peek() === '=' || this.#peek() === '!')
          this.#fail('a look-behind', 'an expression without', 'No automaton has it.')
        while (this.#peek() !== undefined && !this.#take('>')) this.#at++
      } else if (!this.#take(':')) this.#fail('an unknown group', '(?:…) or (?<name>…)')
    }
    const inner = this.#alternatives()
    if (!this.#take(')')) this.#fail('the end', 'a closing parenthesis')
    return inner
  }

  #class(): Ranges {
    const negated = this.#take('^')
    const ranges: [number, number][] = []
    for (;;) {
      if (this.#peek() === undefined) this.#fail('the end', 'a closing bracket')
      if (this.#take(']')) break
      const low = this.#member()
      if (low.length === 1 && low[0]![0] === low[0]![1] && this.#peek() === '-' && this.#codes[this.#at + 1] !== ']') {
        this.#at++
        const high = this.#member()
        const [from, to] = [low[0]![0], high[0]![1]]
        if (high.length !== 1 || high[0]![0] !== to || to < from) this.#fail('a range', 'two characters in order')
        ranges.push([from, to])
      } else ranges.push(...low.map(([a, b]) => [a, b] as [number, number]))
    }
    return negated ? negate(normalise(ranges)) : normalise(ranges)
  }

  #member(): Ranges {
    const c = this.#codes[this.#at++]
    if (c === undefined) return this.#fail('the end', 'a closing bracket')
    if (c === '\\') return this.#escape(true)
    return [[c.codePointAt(0)!, c.codePointAt(0)!]]
  }

  #escape(inClass: boolean): Ranges {
    const c = this.#codes[this.#at++]
    switch (c) {
      case undefined:
        return this.#fail('the end', 'a character after the backslash')
      case 'd':
        return DIGITS
      case 'D':
        return negate(DIGITS)
      case 'w':
        return WORD
      case 'W':
        return negate(WORD)
      case 's':
        return SPACE
      case 'S':
        return negate(SPACE)
      case 'x':
        return one(this.#hex(2))
      case 'u':
        return one(this.#unicode())
      case 'c':
        return one(this.#control())
      case 'p':
      case 'P':
        return this.#property(c === 'P')
      case 'b':
        if (inClass) return one(8)
    }
    if (c === 'b' || c === 'B')
      this.#fail('a word boundary', 'an expression without', 'Name the characters on both sides.')
    if (/[1-9k]/.test(c)) this.#fail('a backreference', 'an expression without', 'No automaton has it.')
    return one(CONTROL[c] ?? c.codePointAt(0)!)
  }

  #hex(digits: number): number {
    const text = this.#codes.slice(this.#at, this.#at + digits).join('')
    if (!/^[0-9a-fA-F]+$/.test(text) || text.length < digits)
      this.#fail(JSON.stringify(text), `${digits} hexadecimal digits`)
    this.#at += digits
    return Number.parseInt(text, 16)
  }

  #control(): number {
    const letter = this.#codes[this.#at] ?? 'the end'
    if (!/^[a-zA-Z]$/.test(letter)) this.#fail(letter, 'a letter after \\c')
    this.#at++
    return letter.codePointAt(0)! & 31
  }

  #unicode(): number {
    if (this.#take('{')) {
      const digits = /^([0-9a-fA-F]+)\}/.exec(this.#codes.slice(this.#at, this.#at + 64).join(''))?.[1]
      const value = Number.parseInt(digits ?? '', 16)
      if (digits === undefined || value > 0x10ffff) return this.#fail('a code point', 'up to 10FFFF, then }')
      this.#at += digits.length + 1
      return value
    }
    const high = this.#hex(4)
    if (high < 0xd800 || high > 0xdbff) return high
    const low = /^\\u(d[c-f][0-9a-f]{2})/i.exec(this.#codes.slice(this.#at, this.#at + 6).join(''))?.[1]
    if (low === undefined) return high
    this.#at += 6
    return 0x10000 + ((high - 0xd800) << 10) + (Number.parseInt(low, 16) - 0xdc00)
  }

  /** Unicode properties are asked of the engine: no tables to carry. */
  #property(negated: boolean): Ranges {
    const match = /^\{[\w=]+\}/.exec(this.#codes.slice(this.#at, this.#at + 64).join(''))
    if (!match) return this.#fail('\\p', '\\p{Name}')
    this.#at += match[0].length
    const ranges = propertyRanges(match[0]) ?? this.#fail(`\\p${match[0]}`, 'a Unicode property')
    return negated ? negate(ranges) : ranges
  }
}

/** Found once each: a look at every code point takes a tenth of a second. */
const properties: Map<string, Ranges> = /* @__PURE__ */ new Map()

function propertyRanges(name: string): Ranges | undefined {
  const known = properties.get(name)
  if (known) return known
  let test: RegExp
  try {
    test = new RegExp(`^\\p${name}$`, 'u')
  } catch {
    return undefined
  }
  const ranges: [number, number][] = []
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code === 0xd800) code = 0xe000
    if (!test.test(String.fromCodePoint(code))) continue
    const last = ranges[ranges.length - 1]
    if (last && last[1] === code - 1) last[1] = code
    else ranges.push([code, code])
  }
  properties.set(name, ranges)
  return ranges
}

const one = (code: number): Ranges => [[code, code]]
