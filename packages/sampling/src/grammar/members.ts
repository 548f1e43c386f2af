/** The members of a JSON object as rules: which may follow depends on which have been written. */
import { alt, type Expr, NEVER, type Rule, ref, seq, text } from './expr.js'

/** One declared property: its key, colon and value. */
export interface Member {
  readonly required: boolean
  readonly pair: Expr
}

/** The members of an object as right-linear rules: what has been written decides what may follow. */
export class MemberRules {
  readonly #known = new Map<string, number>()
  readonly #rules: Rule[]
  readonly #members: readonly Member[]
  readonly #others: Expr | undefined
  readonly #min: number
  readonly #max: number
  readonly #space: Expr
  readonly #anyOrder: boolean
  readonly #lazy: boolean

  constructor(
    rules: Rule[],
    members: readonly Member[],
    others: Expr | undefined,
    min: number,
    max: number,
    space: Expr,
    anyOrder: boolean,
  ) {
    this.#rules = rules
    this.#members = members
    this.#others = others
    this.#min = min
    this.#max = max
    this.#space = space
    this.#anyOrder = anyOrder
    // every subset of the members is a state: made as they come up
    this.#lazy = anyOrder && members.length > 6
  }

  start(): Expr {
    return this.#state('', 0, 0)
  }

  /** `seen`: members written, as a bit string ('any' order); `next`: the first that may still come ('schema' order). */
  #state(seen: string, next: number, count: number): Expr {
    const key = `${seen}/${next}/${count}`
    let index = this.#known.get(key)
    if (index === undefined) {
      index = this.#rules.push({ name: 'members', body: NEVER }) - 1
      this.#known.set(key, index)
      const body = (): Expr => this.#body(seen, next, count)
      this.#rules[index]!.body = this.#lazy ? body : body()
    }
    return ref(index)
  }

  #body(seen: string, next: number, count: number): Expr {
    const options: Expr[] = []
    const written = new Set(seen === '' ? [] : seen.split(',').map(Number))
    const comma = count > 0 ? seq(text(','), this.#space) : seq()
    // counts beyond both bounds are alike
    const bound = this.#max === Number.POSITIVE_INFINITY ? Math.max(1, this.#min) : this.#max
    const after = Math.min(count + 1, bound)
    const members = this.#members
    if (count < this.#max) {
      if (this.#anyOrder) {
        members.forEach((member, i) => {
          if (written.has(i)) return
          const now = [...written, i].sort((a, b) => a - b).join()
          options.push(seq(comma, member.pair, this.#state(now, 0, after)))
        })
      } else {
        for (let i = next; i < members.length; i++) {
          options.push(seq(comma, members[i]!.pair, this.#state('', i + 1, after)))
          if (members[i]!.required) break
        }
      }
      const left = members.slice(next).some(m => m.required)
      if (this.#others && (this.#anyOrder || !left)) {
        options.push(seq(comma, this.#others, this.#state(seen, this.#anyOrder ? 0 : members.length, after)))
      }
    }
    const complete = this.#anyOrder
      ? members.every((m, i) => !m.required || written.has(i))
      : members.slice(next).every(m => !m.required)
    if (complete && count >= this.#min) options.push(count > 0 ? this.#space : seq())
    return alt(...options)
  }
}
