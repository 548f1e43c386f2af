/** What happened in a story, and how much of it the text says: what questions are made from. */
import type { Definition } from './events/define.js'
import { events } from './events/index.js'
import { compile, isChoice, type Node, type Pattern } from './grammar/pattern.js'
import type { Args, Var } from './state/entities.js'
import type { Story } from './story.js'

const compiled = new Map<string, Pattern>()
export const patternOf = (text: string): Pattern => {
  let pattern = compiled.get(text)
  if (!pattern) compiled.set(text, (pattern = compile(text)))
  return pattern
}

/** What a pattern speaks of. */
export function variables({ nodes }: { readonly nodes: readonly Node[] }, into: Set<Var> = new Set()): Set<Var> {
  for (const node of nodes) {
    if (typeof node === 'string') continue
    if (isChoice(node)) for (const option of node.options) variables({ nodes: option }, into)
    else {
      into.add(node.v)
      if (node.w) into.add(node.w)
    }
  }
  return into
}

export interface Happening {
  readonly kind: string
  readonly args: Args
  /** Which event of the tale it is. */
  readonly at: number
  readonly definition: Definition
  /** Whether the text says all that a pattern speaks of. */
  readonly known: (pattern: Pattern) => boolean
}

export const happenings = ({ tale, said }: Story): Happening[] =>
  tale.events.map(({ kind, args }, at) => ({
    kind,
    args,
    at,
    definition: events().get(kind)!.definition,
    known: pattern => [...variables(pattern)].every(v => args[v] && said[at]!.has(v)),
  }))
