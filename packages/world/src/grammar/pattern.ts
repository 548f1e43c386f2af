/**
 * The sentence patterns: one notation that the teller renders and the checker reads.
 *
 *   <a> (ran|walked) <p.to>[ as fast as <a.he> could]
 *
 * `<v.form>` is a reference to what the event binds, `(x|y)` a choice, `[x]` something said half the time, `$name` a
 * phrase list. A pattern that ends with . ! ? or a closing quote is a sentence; any other is a clause, which can be joined
 * to its neighbour and take an opener.
 */
import { phrases } from '../lexicon/phrases.js'
import { kindOf, type Var } from '../state/entities.js'

export interface Slot {
  readonly v: Var
  /** The second of a pair: `<ab>`. */
  readonly w: Var | undefined
  readonly form: string
  readonly type: ReturnType<typeof kindOf> | 'pair'
}

export interface Choice {
  readonly options: readonly Node[][]
  /** The phrase list that it is, where it is one. */
  readonly list?: string
}

export type Node = string | Slot | Choice
export const isChoice = (node: Node): node is Choice => typeof node === 'object' && 'options' in node

export interface Pattern {
  readonly text: string
  readonly nodes: readonly Node[]
  readonly sentence: boolean
  /** It says no more than one person: without the name, many stories would have the same sentence. */
  readonly bare: boolean
  /** It begins in the middle of a sentence as well as at its start, so it can take an opener and be joined on. */
  readonly open: boolean
  /** The variable of the subject, where the pattern begins with one: the part that a joined clause leaves out. */
  readonly subject: Slot | undefined
}

const lists = new Map<string, Choice>()

function phraseList(name: string): Choice {
  let list = lists.get(name)
  if (!list) {
    const text = phrases[name]
    if (text === undefined) throw new SyntaxError(`pattern: $${name} is no phrase list. Add it to lexicon/phrases.ts.`)
    lists.set(name, (list = { ...(parse(`(${text})`)[0] as Choice), list: name }))
  }
  return list
}

function parse(text: string): Node[] {
  let at = 0
  const sequence = (stop: string): Node[] => {
    const nodes: Node[] = []
    let literal = ''
    const flush = (): void => {
      if (literal) nodes.push(literal)
      literal = ''
    }
    while (at < text.length && !stop.includes(text[at]!)) {
      const char = text[at]!
      if (char === '(' || char === '[') {
        flush()
        at++
        const close = char === '(' ? ')' : ']'
        const options: Node[][] = char === '[' ? [[]] : []
        do {
          options.push(sequence(`|${close}`))
        } while (text[at++] === '|')
        nodes.push({ options })
      } else if (char === '<') {
        flush()
        const end = text.indexOf('>', at)
        const [name = '', form = ''] = text.slice(at + 1, end).split('.')
        at = end + 1
        const w = name[1] as Var | undefined
        nodes.push({ v: name[0] as Var, w, form, type: w ? 'pair' : kindOf(name as Var) })
      } else if (char === '$') {
        flush()
        const name = /^\w+/.exec(text.slice(at + 1))![0]
        at += name.length + 1
        nodes.push(phraseList(name))
      } else {
        literal += char
        at++
      }
    }
    flush()
    return nodes
  }
  return sequence('')
}

export function compile(text: string): Pattern {
  const nodes = parse(text)
  const [first, second] = nodes
  const subject =
    first &&
    typeof first === 'object' &&
    'v' in first &&
    (first.form === '' || first.form === 'both') &&
    (first.type === 'person' || first.type === 'pair') &&
    (typeof second !== 'string' || second.startsWith(' '))
      ? first
      : undefined
  return {
    text,
    nodes,
    bare: new Set([...text.matchAll(/<([a-z])/g)].map(found => found[1])).size < 2,
    sentence: /[.!?"]\)?$/.test(text),
    open: !/^\(?["A-Z]/.test(text.replace('$once', 'Once')),
    subject,
  }
}
