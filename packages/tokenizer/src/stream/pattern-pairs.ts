// What two neighbouring characters may have to do with each other in a regular expression: whether any match can go
// from one to the other, or look from one to the other. Where none can, the text can be cut between them, and each side
// matches as it did. Told from the pattern alone (its classes, and which can follow which), never from a text, so that
// it holds for every text.

/** A stretch of a pattern: the places where its matches begin and end, and whether it matches the empty string. */
interface Part {
  readonly first: readonly number[]
  readonly last: readonly number[]
  readonly empty: boolean
}

const EMPTY: Part = { first: [], last: [], empty: true }

/** The neighbours inside the matches of one pattern, in the dialect that `translate` writes. */
export class PatternPairs {
  /** A class of one character by place; a lookahead has what it begins with, `$` everything. */
  readonly #places: (RegExp | { readonly sees: readonly number[] | 'all' })[] = []
  readonly #follows: (readonly [number, number])[] = []
  /** Whether the pattern looks behind, which is not followed here. */
  #opaque = false
  readonly #alone: RegExp
  readonly #source: string
  #at = 0

  constructor(pattern: RegExp) {
    this.#source = pattern.source
    this.#alone = new RegExp(pattern.source, 'vy')
    this.#choice()
    if (this.#at < this.#source.length) this.#opaque = true
  }

  /** Whether a match may reach from `x` to `y`, or what is looked at; may say yes too often, never no. */
  crosses(x: string, y: string): boolean {
    if (this.#opaque) return true
    const places = this.#places
    const is = (place: number, ch: string): boolean => {
      const what = places[place]!
      return what instanceof RegExp && what.test(ch)
    }
    return this.#follows.some(([from, to]) => {
      if (!is(from, x)) return false
      const next = places[to]!
      if (next instanceof RegExp) return next.test(y)
      return next.sees === 'all' || next.sees.some(place => !(places[place] instanceof RegExp) || is(place, y))
    })
  }

  /** Whether the pattern always matches something at `x`, which nothing after it takes part in. */
  takes(x: string): boolean {
    this.#alone.lastIndex = 0
    return !this.#opaque && (this.#alone.exec(x)?.[0] ?? '') !== ''
  }

  #join(a: Part, b: Part): Part {
    for (const from of a.last) for (const to of b.first) this.#follows.push([from, to])
    return {
      first: a.empty ? [...a.first, ...b.first] : a.first,
      last: b.empty ? [...a.last, ...b.last] : b.last,
      empty: a.empty && b.empty,
    }
  }

  #place(what: RegExp | { sees: readonly number[] | 'all' }, empty: boolean): Part {
    const at = [this.#places.push(what) - 1]
    return { first: at, last: at, empty }
  }

  #choice(): Part {
    let out = this.#sequence()
    while (this.#source[this.#at] === '|') {
      this.#at++
      const other = this.#sequence()
      out = {
        first: [...out.first, ...other.first],
        last: [...out.last, ...other.last],
        empty: out.empty || other.empty,
      }
    }
    return out
  }

  #sequence(): Part {
    let out = EMPTY
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!))
      out = this.#join(out, this.#repeated())
    return out
  }

  #repeated(): Part {
    const atom = this.#atom()
    const quantifier = this.#take(/^(?:[*+?]|\{\d*,?\d*\})\??/)
    if (quantifier === '') return atom
    const least = /^[+]/.test(quantifier) ? 1 : Number(/^\{(\d+)/.exec(quantifier)?.[1] ?? 0)
    if (!quantifier.startsWith('?')) this.#join(atom, atom)
    return { ...atom, empty: atom.empty || least === 0 }
  }

  #atom(): Part {
    const open = this.#take(/^\((?:\?(?:[:=!]|<[=!]|<\w+>))?/)
    if (open !== '') {
      // `(?=(?<name>…))\k<name>`, an atomic group, takes what its inside takes.
      const atomic = open === '(?=' && this.#take(/^\(\?<cria\d+>/) !== ''
      const inner = this.#choice()
      this.#take(/^\)/)
      if (atomic) this.#take(/^\)/)
      if (open.startsWith('(?<=') || open.startsWith('(?<!')) this.#opaque = true
      if (atomic || !/[=!]$/.test(open)) return inner
      return this.#place({ sees: inner.empty ? 'all' : inner.first }, true)
    }
    if (this.#take(/^\$/) !== '') return this.#place({ sees: 'all' }, true)
    if (this.#take(/^\\k<cria\d+>/) !== '') return EMPTY
    if (this.#take(/^(?:\^|\\[bB]|\\k|\\[1-9])/) !== '') this.#opaque = true
    const one = this.#class() || this.#take(/^(?:\\[pPu]\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\.|[^|)])/su)
    if (one === '') this.#opaque = true
    return one === '' ? EMPTY : this.#place(new RegExp(`^${one}$`, 'v'), false)
  }

  /** A class in brackets, with the classes in it. */
  #class(): string {
    let text = ''
    let depth = 0
    do {
      const part = this.#take(depth === 0 ? /^\[/ : /^(?:[[\]]|(?:\\.|[^[\]\\])+)/su)
      if (part === '[') depth++
      if (part === ']') depth--
      text += part
    } while (depth > 0)
    return text
  }

  #take(what: RegExp): string {
    const found = what.exec(this.#source.slice(this.#at))?.[0] ?? ''
    this.#at += found.length
    return found
  }
}
