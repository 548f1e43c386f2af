/** Python's methods of texts, lists and mappings, as templates call them. */
import { capitalize, space } from './python.js'
import { equal, pythonValue, type RuntimeValue, str, tuple } from './python-values.js'

type Method = (self: never, args: readonly RuntimeValue[]) => unknown

const escaped = (text: string): string => text.replace(/[\\\]^-]/g, '\\$&')

/** `strip(chars)` of the given ends; without characters, whitespace. */
const stripped =
  (left: boolean, right: boolean): Method =>
  (self: string, [chars]) => {
    const set = chars === undefined || chars.type === 'NullValue' ? space : escaped(textOf(chars))
    if (set === '') return self
    const begin = left ? self.replace(new RegExp(`^[${set}]+`, 'u'), '') : self
    return right ? begin.replace(new RegExp(`[${set}]+$`, 'u'), '') : begin
  }

const affix =
  (has: (text: string, part: string) => boolean): Method =>
  (self: string, [part]) =>
    Array.isArray(part?.value)
      ? part.value.some(one => has(self, textOf(one as RuntimeValue)))
      : has(self, textOf(part))

/** Code points before a UTF-16 index. */
const position = (text: string, at: number): number => (at < 0 ? at : Array.from(text.slice(0, at)).length)

function found(index: number, wanted: RuntimeValue | undefined): number {
  if (index >= 0) return index
  throw new Error(`index(${wanted && str(wanted)}), expected something that is there`)
}

function split(self: string, args: readonly RuntimeValue[]): string[] {
  const [separator, most] = args
  const limit = most === undefined ? -1 : wholeOf(most)
  const spaces = separator === undefined || separator.type === 'NullValue'
  const mark = spaces ? new RegExp(`[${space}]+`, 'u') : textOf(separator)
  if (mark === '') throw new Error('empty separator')
  const out: string[] = []
  let rest = spaces ? self.replace(new RegExp(`^[${space}]+`), '') : self
  while (limit < 0 || out.length < limit) {
    const [hit] = typeof mark === 'string' ? (rest.includes(mark) ? [mark] : []) : (mark.exec(rest) ?? [])
    if (hit === undefined) break
    const at = rest.indexOf(hit)
    out.push(rest.slice(0, at))
    rest = rest.slice(at + hit.length)
  }
  return spaces && rest === '' ? out : [...out, rest]
}

function replace(self: string, [from, to, most]: readonly RuntimeValue[]): string {
  const limit = most === undefined ? -1 : wholeOf(most)
  if (limit < 0) return self.replaceAll(textOf(from), () => textOf(to))
  let left = limit
  return self.replaceAll(textOf(from), hit => (left-- > 0 ? textOf(to) : hit))
}

const texts: Readonly<Record<string, Method>> = {
  strip: stripped(true, true),
  lstrip: stripped(true, false),
  rstrip: stripped(false, true),
  upper: (self: string) => self.toUpperCase(),
  lower: (self: string) => self.toLowerCase(),
  capitalize: (self: string) => capitalize(self),
  title: (self: string) => self.replace(/\p{L}+/gu, capitalize),
  startswith: affix((text, part) => text.startsWith(part)),
  endswith: affix((text, part) => text.endsWith(part)),
  split,
  replace,
  join: (self: string, [items]) => itemsOf(items).map(textOf).join(self),
  index: (self: string, [part]) => found(position(self, self.indexOf(textOf(part))), part),
  find: (self: string, [part]) => position(self, self.indexOf(textOf(part))),
  count: (self: string, [part]) => self.split(textOf(part)).length - 1,
  isdigit: (self: string) => /^\p{Nd}+$/u.test(self),
}

const lists: Readonly<Record<string, Method>> = {
  index: (self: RuntimeValue[], [wanted]) =>
    found(
      self.findIndex(item => equal(item, wanted!)),
      wanted,
    ),
  count: (self: RuntimeValue[], [wanted]) => self.filter(item => equal(item, wanted!)).length,
}

const mappings: Readonly<Record<string, Method>> = {
  get: (self: Map<string, RuntimeValue>, [key, absent]) => self.get(textOf(key)) ?? absent ?? null,
  keys: (self: Map<string, RuntimeValue>) => [...self.keys()],
  values: (self: Map<string, RuntimeValue>) => list([...self.values()]),
  items: (self: Map<string, RuntimeValue>) =>
    list([...self].map(([key, item]) => tuple(list([pythonValue(key), item])))),
}

/** How many arguments a method may have: what it would not look at is an error. */
const most: Readonly<Record<string, number>> = {
  ...{ strip: 1, lstrip: 1, rstrip: 1, startswith: 1, endswith: 1, join: 1, index: 1, find: 1, count: 1 },
  ...{ split: 2, replace: 3, get: 2 },
}

/** Calls a method; undefined where values of this type have no methods. */
export function callMethod(self: RuntimeValue, name: string, args: readonly RuntimeValue[]): RuntimeValue {
  const table = { StringValue: texts, ArrayValue: lists, TupleValue: lists, ObjectValue: mappings }[self.type]
  const method = table && Object.hasOwn(table, name) ? table[name] : undefined
  if (method === undefined) throw new Error(`no method ${name} of ${self.type}`)
  if (args.length > (most[name] ?? 0) || args.some(({ type }) => type === 'KeywordArgumentsValue'))
    throw new Error(`${name}() takes at most ${most[name] ?? 0} arguments, without names`)
  const result = method(self.value as never, args)
  return isValue(result) ? result : pythonValue(result)
}

const isValue = (value: unknown): value is RuntimeValue =>
  typeof value === 'object' && value !== null && '__bool__' in value

/** A list of values as they are. */
export function list(items: readonly RuntimeValue[]): RuntimeValue {
  const out = pythonValue([])
  ;(out.value as RuntimeValue[]).push(...items)
  return out
}

export function textOf(value: RuntimeValue | undefined): string {
  if (value?.type === 'StringValue') return value.value as string
  throw new Error(`expected a text, got ${value?.type ?? 'nothing'}`)
}

function wholeOf(value: RuntimeValue): number {
  if (value.type === 'IntegerValue') return value.value as number
  throw new Error(`expected a whole number, got ${value.type}`)
}

export function itemsOf(value: RuntimeValue | undefined): readonly RuntimeValue[] {
  if (Array.isArray(value?.value)) return value.value as RuntimeValue[]
  throw new Error(`expected a list, got ${value?.type ?? 'nothing'}`)
}
