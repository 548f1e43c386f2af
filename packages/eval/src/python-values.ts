/** Values of a template as Python has them: how they are written and when they are equal. */
import { Environment } from '@huggingface/jinja'

export type RuntimeValue = ReturnType<Environment['set']>

/** A value of the template's from one of JavaScript's. */
export const pythonValue = (value: unknown): RuntimeValue => new Environment().set('value', value)

const tuples = new WeakSet<object>()

/** Marks a list as a tuple. */
export function tuple(value: RuntimeValue): RuntimeValue {
  tuples.add(value)
  return value
}

/** `str(value)`. */
export const str = (value: RuntimeValue): string =>
  value.type === 'StringValue' ? (value.value as string) : repr(value)

/** `str(value)` of one of JavaScript's. */
export const pythonText = (value: unknown): string => str(pythonValue(value))

/** `repr(value)`. */
export function repr(value: RuntimeValue): string {
  switch (value.type) {
    case 'StringValue':
      return quoted(value.value as string)
    case 'BooleanValue':
      return value.value ? 'True' : 'False'
    case 'NullValue':
      return 'None'
    case 'IntegerValue':
      return String(value.value)
    case 'FloatValue':
      return float(value.value as number)
    case 'TupleValue':
    case 'ArrayValue': {
      const items = (value.value as RuntimeValue[]).map(repr)
      if (value.type === 'ArrayValue' && !tuples.has(value)) return `[${items.join(', ')}]`
      return `(${items.join(', ')}${items.length === 1 ? ',' : ''})`
    }
    case 'ObjectValue': {
      const entries = [...(value.value as Map<string, RuntimeValue>)]
      return `{${entries.map(([key, item]) => `${quoted(key)}: ${repr(item)}`).join(', ')}}`
    }
    default:
      throw new Error(`cannot be written: ${value.type}`)
  }
}

/** The shortest digits are the same in both; the exponent begins at 16 digits and has two of its own. */
function float(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf'
  const size = Math.abs(x)
  if (x !== 0 && (size >= 1e16 || size < 1e-4)) return x.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return Object.is(x, -0) ? '-0.0' : Number.isInteger(x) ? `${x}.0` : String(x)
}

/** Single quotes, unless only the text has them. */
function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const short: Readonly<Record<string, string>> = {
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\\': '\\\\',
    [mark]: `\\${mark}`,
  }
  const body = text.replace(/['"\\]|[\p{C}\p{Z}]/gu, c => {
    if (c === ' ') return c
    if (short[c] !== undefined) return short[c]
    if (c === '"' || c === "'") return c
    const hex = c.codePointAt(0)!.toString(16)
    return hex.length <= 2
      ? `\\x${hex.padStart(2, '0')}`
      : hex.length <= 4
        ? `\\u${hex.padStart(4, '0')}`
        : `\\U${hex.padStart(8, '0')}`
  })
  return `${mark}${body}${mark}`
}

const isNumber = ({ type }: RuntimeValue): boolean =>
  type === 'IntegerValue' || type === 'FloatValue' || type === 'BooleanValue'

/** `a == b`: by value, True is 1, and a text is no number. */
export function equal(a: RuntimeValue, b: RuntimeValue): boolean {
  if (isNumber(a) && isNumber(b)) return Number(a.value) === Number(b.value)
  if (a.type !== b.type) return false
  if (Array.isArray(a.value)) {
    const other = b.value as RuntimeValue[]
    return a.value.length === other.length && a.value.every((item, i) => equal(item as RuntimeValue, other[i]!))
  }
  if (a.value instanceof Map) {
    const other = b.value as Map<string, RuntimeValue>
    const same = ([key, item]: [string, RuntimeValue]): boolean => other.has(key) && equal(item, other.get(key)!)
    return a.value.size === other.size && [...(a.value as Map<string, RuntimeValue>)].every(same)
  }
  return a.value === b.value
}
