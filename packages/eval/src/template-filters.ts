/** Jinja's filters where Python's write or count otherwise than the interpreter's own. */

import { length } from './python.js'
import { callMethod, itemsOf, list, textOf } from './python-methods.js'
import { pythonValue, type RuntimeValue, str } from './python-values.js'

/** Filters that do the same in both. */
export const keptFilters: readonly string[] = [
  ...['first', 'last', 'sort', 'list', 'reverse', 'abs', 'indent', 'map', 'selectattr', 'rejectattr'],
  ...['default', 'float', 'safe', 'dictsort'],
]

type Filter = (operand: RuntimeValue, args: readonly RuntimeValue[]) => RuntimeValue

const onText =
  (method: string): Filter =>
  (operand, args) =>
    callMethod(pythonValue(str(operand)), method, args)

const filters: Readonly<Record<string, Filter>> = {
  string: operand => pythonValue(str(operand)),
  trim: onText('strip'),
  upper: onText('upper'),
  lower: onText('lower'),
  capitalize: onText('capitalize'),
  replace: onText('replace'),
  // Not str.title(): a word begins after space, a hyphen or an opening bracket alone.
  title: operand =>
    pythonValue(
      str(operand)
        .split(/([-\s({[<]+)/)
        .map(word => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
        .join(''),
    ),
  join: (operand, [separator]) => {
    const items = operand.type === 'StringValue' ? Array.from(textOf(operand), pythonValue) : itemsOf(operand)
    return pythonValue(items.map(str).join(separator === undefined ? '' : str(separator)))
  },
  length: sizeOf,
  count: sizeOf,
  int: (operand, [absent]) => {
    const { type, value } = operand
    if (type !== 'StringValue') return pythonValue(Math.trunc(Number(value)))
    const number = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(textOf(operand)) ? Number(value) : Number.NaN
    return Number.isNaN(number) ? (absent ?? pythonValue(0)) : pythonValue(Math.trunc(number))
  },
  items: operand => callMethod(operand, 'items', []),
  list: operand => {
    if (operand.type === 'StringValue') return pythonValue(Array.from(textOf(operand)))
    if (operand.value instanceof Map) return callMethod(operand, 'keys', [])
    return list(itemsOf(operand))
  },
}

const most: Readonly<Record<string, number>> = { trim: 1, replace: 3, join: 1, int: 1 }

function sizeOf(operand: RuntimeValue): RuntimeValue {
  const { value } = operand
  if (typeof value === 'string') return pythonValue(length(value))
  return pythonValue(value instanceof Map ? value.size : itemsOf(operand).length)
}

/** The filter's result; undefined for a filter that is the interpreter's. */
export function applyPythonFilter(
  operand: RuntimeValue,
  name: string,
  args: readonly RuntimeValue[],
  named: boolean,
): RuntimeValue | undefined {
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined
  if (filter === undefined) return undefined
  if (named || args.length > (most[name] ?? 0))
    throw new Error(`the filter ${name} takes at most ${most[name] ?? 0} arguments here, without names`)
  return filter(operand, args)
}
