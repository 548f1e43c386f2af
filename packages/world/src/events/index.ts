/** Every event of the world by its name, its wordings compiled. */
import { compile, isChoice, type Node, type Pattern } from '../grammar/pattern.js'
import { contest } from './contest.js'
import { courage } from './courage.js'
import type { Definition } from './define.js'
import { ending } from './ending.js'
import { feelings } from './feelings.js'
import { growing } from './growing.js'
import { honesty } from './honesty.js'
import { journey } from './journey.js'
import { learning } from './learning.js'
import { making } from './making.js'
import { motion } from './motion.js'
import { mystery } from './mystery.js'
import { opening } from './opening.js'
import { parting } from './parting.js'
import { party } from './party.js'
import { quarrel } from './quarrel.js'
import { rescue } from './rescue.js'
import { search } from './search.js'
import { visitor } from './visitor.js'

export const definitions: Readonly<Record<string, Definition>> = {
  ...opening,
  ...motion,
  ...search,
  ...feelings,
  ...courage,
  ...quarrel,
  ...making,
  ...party,
  ...journey,
  ...visitor,
  ...contest,
  ...mystery,
  ...learning,
  ...rescue,
  ...honesty,
  ...growing,
  ...parting,
  ...ending,
}

export interface Compiled {
  readonly kind: string
  readonly definition: Definition
  readonly patterns: readonly Pattern[]
}

/** The variables that every reading of these nodes says. */
function said(nodes: readonly Node[]): Set<string> {
  const vars = new Set<string>()
  for (const node of nodes) {
    if (typeof node === 'string') continue
    if (isChoice(node)) {
      const [first, ...rest] = node.options.map(said)
      for (const v of first!) if (rest.every(other => other.has(v))) vars.add(v)
    } else {
      vars.add(node.v)
      if (node.w) vars.add(node.w)
    }
  }
  return vars
}

function build(): ReadonlyMap<string, Compiled> {
  const faults: string[] = []
  const map = new Map(
    Object.entries(definitions).map(([kind, definition]) => {
      const patterns = definition.say.map(compile)
      for (const arg of definition.args.split(' '))
        if (arg && !arg.endsWith('?'))
          for (const pattern of patterns)
            if (!said(pattern.nodes).has(arg)) faults.push(`event ${kind}: "${pattern.text}" leaves out <${arg}>`)
      return [kind, { kind, definition, patterns }]
    }),
  )
  if (faults.length > 0) throw new SyntaxError(faults.join('\n'))
  return map
}

let built: ReadonlyMap<string, Compiled> | undefined
/** Compiled at first use, so that importing the package costs nothing. */
export const events = (): ReadonlyMap<string, Compiled> => (built ??= build())
