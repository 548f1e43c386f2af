/** JSON Schemas as plain data: references resolved, `allOf` and siblings merged into one schema without either. */

import { accepts, toDfa } from './dfa.js'
import { SchemaError } from './errors.js'
import { INTEGER_FORMATS } from './formats.js'
import { isMultiple } from './numbers.js'
import { parseRegex } from './regex.js'

export type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object'
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export interface SchemaObject {
  readonly [key: string]: unknown
}
export type Schema = boolean | SchemaObject

/** The merged form. Lists hold what must all hold. */
export interface Merged {
  types: ReadonlySet<JsonType> | undefined
  values: readonly Json[] | undefined
  properties: Map<string, Schema>
  patternProperties: Map<string, Schema>
  additionalProperties: Schema
  propertyNames: Schema[]
  required: Set<string>
  minProperties: number
  maxProperties: number
  prefixItems: Schema[]
  items: Schema
  minItems: number
  maxItems: number
  minLength: number
  maxLength: number
  patterns: string[]
  formats: string[]
  low: number | undefined
  lowOpen: boolean
  high: number | undefined
  highOpen: boolean
  multipleOf: number | undefined
  /** Groups of alternatives: one of each must hold. */
  choices: Schema[][]
  /** Those of them of which no more than one may hold, and where they stand. */
  exclusive: { readonly branches: readonly Schema[]; readonly path: string }[]
  /** Nothing satisfies it. */
  never: boolean
}

const ANNOTATION_KEYS = new Set(
  '$schema $id $anchor $comment $defs $vocabulary definitions title description default examples example deprecated readOnly writeOnly id contentEncoding contentMediaType contentSchema $dynamicAnchor $recursiveAnchor nullable discriminator externalDocs xml'.split(
    ' ',
  ),
)

export const unconstrained = (): Merged => ({
  types: undefined,
  values: undefined,
  properties: new Map(),
  patternProperties: new Map(),
  additionalProperties: true,
  propertyNames: [],
  required: new Set(),
  minProperties: 0,
  maxProperties: Number.POSITIVE_INFINITY,
  prefixItems: [],
  items: true,
  minItems: 0,
  maxItems: Number.POSITIVE_INFINITY,
  minLength: 0,
  maxLength: Number.POSITIVE_INFINITY,
  patterns: [],
  formats: [],
  low: undefined,
  lowOpen: false,
  high: undefined,
  highOpen: false,
  multipleOf: undefined,
  choices: [],
  exclusive: [],
  never: false,
})

/** A text that equal values share, whatever the order of their keys; undefined for a structure that holds itself. */
export function keyOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, v: unknown) =>
      typeof v === 'object' && v !== null && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
        : v,
    )
  } catch {
    return undefined
  }
}

/** Both at once. A list without repetitions, so that schemas which meet again and again come to the same form. */
export const both = (a: Schema, b: Schema): Schema => {
  if (a === false || b === false) return false
  const all = new Map<unknown, Schema>()
  for (const part of [...partsOf(a), ...partsOf(b)]) if (part !== true) all.set(keyOf(part) ?? part, part)
  const parts = [...all.values()]
  return parts.length < 2 ? (parts[0] ?? true) : { allOf: parts }
}

function partsOf(schema: Schema): readonly Schema[] {
  const { allOf, ...rest } = (schema ?? {}) as { allOf?: unknown }
  return Array.isArray(allOf) && Object.keys(rest).length === 0 ? (allOf as Schema[]).flatMap(partsOf) : [schema]
}

/** Whether only annotations stand beside `$ref`, so that it can become a rule of its own. */
export function isPureRef(schema: Schema): schema is SchemaObject & { $ref: string } {
  return (
    typeof schema === 'object' &&
    schema !== null &&
    typeof schema.$ref === 'string' &&
    Object.keys(schema).every(k => k === '$ref' || ANNOTATION_KEYS.has(k))
  )
}

export class Merger {
  readonly #resolve: (ref: string, path: string) => Schema
  readonly #ignore: boolean

  constructor(resolve: (ref: string, path: string) => Schema, ignore: boolean) {
    this.#resolve = resolve
    this.#ignore = ignore
  }

  merge(schema: Schema, path: string): Merged {
    const into = unconstrained()
    this.#add(into, schema, path, 0)
    if (!this.#ignore) for (const { branches, path: here } of into.exclusive) this.#refuseOverlap(into, branches, here)
    return into
  }

  #add(m: Merged, schema: Schema, path: string, depth: number): void {
    if (depth > 64) throw new SchemaError(path, 'a reference that leads back to itself', 'one that ends')
    if (schema === true) return
    if (schema === false) {
      m.never = true
      return
    }
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      throw new SchemaError(path, JSON.stringify(schema), 'an object, true or false')
    }
    this.#objects(m, schema, path)
    this.#arrays(m, schema, path)
    for (const [key, value] of Object.entries(schema)) this.#keyword(m, key, value, schema, path, depth)
  }

  /** Properties of both sides: what one side does not name falls under its `additionalProperties`. */
  #objects(m: Merged, schema: SchemaObject, path: string): void {
    const own = new Map(Object.entries(record(schema.properties, `${path}/properties`)))
    const ownPatterns = new Map(Object.entries(record(schema.patternProperties, `${path}/patternProperties`)))
    const ownRest = (schema.additionalProperties ?? true) as Schema
    const rest = (name: string, patterns: Map<string, Schema>, additional: Schema): Schema =>
      [...patterns.keys()].some(p => accepts(toDfa(parseRegex(p), 'search'), name)) ? true : additional
    for (const name of new Set([...m.properties.keys(), ...own.keys()])) {
      const left = m.properties.get(name) ?? rest(name, m.patternProperties, m.additionalProperties)
      const right = own.get(name) ?? rest(name, ownPatterns, ownRest)
      m.properties.set(name, both(left, right))
    }
    // where only one side has a pattern, the other's rest is asked too: at worst too strict, never too loose
    for (const pattern of new Set([...m.patternProperties.keys(), ...ownPatterns.keys()])) {
      const left = m.patternProperties.get(pattern) ?? m.additionalProperties
      m.patternProperties.set(pattern, both(left, ownPatterns.get(pattern) ?? ownRest))
    }
    m.additionalProperties = both(m.additionalProperties, ownRest)
  }

  /** Items of both sides, place by place: what one side does not name falls under what it says of the rest. */
  #arrays(m: Merged, { items, prefixItems, additionalItems }: SchemaObject, path: string): void {
    if (items === undefined && prefixItems === undefined) return
    const tuple = Array.isArray(items)
    const named = tuple ? items : prefixItems === undefined ? [] : list(prefixItems, `${path}/prefixItems`)
    const rest = ((tuple ? additionalItems : items) ?? true) as Schema
    const places = Math.max(named.length, m.prefixItems.length)
    m.prefixItems = Array.from({ length: places }, (_, i) =>
      both(m.prefixItems[i] ?? m.items, (named[i] as Schema | undefined) ?? rest),
    )
    m.items = both(m.items, rest)
  }

  #keyword(m: Merged, key: string, value: unknown, schema: SchemaObject, path: string, depth: number): void {
    const here = `${path}/${key}`
    switch (key) {
      case 'properties':
      case 'patternProperties':
      case 'additionalProperties':
      case 'items':
      case 'prefixItems':
      case 'additionalItems':
        return
      case '$ref':
        this.#add(m, this.#resolve(String(value), here), here, depth + 1)
        return
      case 'allOf':
        list(value, here).forEach((s, i) => {
          this.#add(m, s as Schema, `${here}/${i}`, depth + 1)
        })
        return
      case 'anyOf':
        m.choices.push(list(value, here) as Schema[])
        return
      case 'oneOf':
        m.choices.push(list(value, here) as Schema[])
        m.exclusive.push({ branches: list(value, here) as Schema[], path: here })
        return
      case 'type': {
        const names = [value].flat() as JsonType[]
        for (const name of names) {
          if (!['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'].includes(name)) {
            throw new SchemaError(here, JSON.stringify(name), 'a JSON type')
          }
        }
        const types = new Set(schema.nullable === true ? [...names, 'null' as const] : names)
        m.types = m.types ? meet(m.types, types) : types
        return
      }
      case 'const':
        restrict(m, [value as Json])
        return
      case 'enum':
        restrict(m, list(value, here) as Json[])
        return
      case 'required':
        if (Array.isArray(value) && value.length === 0) return
        for (const name of list(value, here)) m.required.add(String(name))
        return
      case 'propertyNames':
        m.propertyNames.push(value as Schema)
        return
      case 'minProperties':
      case 'minItems':
      case 'minLength':
        m[key] = Math.max(m[key], count(value, here))
        return
      case 'maxProperties':
      case 'maxItems':
      case 'maxLength':
        m[key] = Math.min(m[key], count(value, here))
        return
      case 'pattern':
        m.patterns.push(String(value))
        return
      case 'format': {
        const [low, below] = INTEGER_FORMATS[String(value)] ?? []
        if (low === undefined || below === undefined) m.formats.push(String(value))
        else {
          raise(m, low, false)
          lower(m, below, true)
        }
        return
      }
      case 'minimum':
        raise(m, number(value, here), schema.exclusiveMinimum === true)
        return
      case 'exclusiveMinimum':
        if (typeof value !== 'boolean') raise(m, number(value, here), true)
        return
      case 'maximum':
        lower(m, number(value, here), schema.exclusiveMaximum === true)
        return
      case 'exclusiveMaximum':
        if (typeof value !== 'boolean') lower(m, number(value, here), true)
        return
      case 'multipleOf': {
        const step = number(value, here)
        if (!(step > 0)) throw new SchemaError(here, String(step), 'a positive number')
        const known = m.multipleOf ?? step
        if (isMultiple(step, known)) m.multipleOf = step
        else if (!isMultiple(known, step))
          this.#unsupported(here, 'a second multipleOf that is no multiple of the first')
        return
      }
      default:
        if (!ANNOTATION_KEYS.has(key) && !key.startsWith('x-') && !saysNothing(key, schema))
          this.#unsupported(here, `the keyword ${key}`)
    }
  }

  /** `oneOf` is `anyOf` where no two alternatives can hold at once; that must be plain to see. */
  #refuseOverlap(around: Merged, branches: readonly Schema[], path: string): void {
    const outside = toSchema({ ...around, choices: [] })
    const merged = branches.map((branch, i) => {
      const m = unconstrained()
      this.#add(m, both(outside, branch), `${path}/${i}`, 1)
      return m
    })
    merged.forEach((a, i) => {
      merged.slice(i + 1).forEach((b, j) => {
        if (this.#disjoint(a, b, 1)) return
        throw new SchemaError(
          path,
          `alternatives ${i} and ${i + 1 + j}, which may both hold`,
          'alternatives of different types, or told apart by a required property',
          'Write anyOf.',
        )
      })
    })
  }

  #disjoint(a: Merged, b: Merged, depth: number): boolean {
    if (a.never || b.never) return true
    if (a.values && b.values) return !a.values.some(v => includes(b.values!, v))
    const [x, y] = [typesOf(a), typesOf(b)]
    if (x && y && meet(x, y).size === 0) return true
    if (!(x?.size === 1 && y?.size === 1 && x.has('object') && y.has('object'))) return false
    for (const name of new Set([...a.required, ...b.required])) {
      const [p, q] = [a.properties.get(name), b.properties.get(name)]
      // one side demands what the other forbids
      if ((!p && a.additionalProperties === false && b.required.has(name)) || p === false) return true
      if ((!q && b.additionalProperties === false && a.required.has(name)) || q === false) return true
      if (!p || !q || !a.required.has(name) || !b.required.has(name) || depth > 4) continue
      const [m, n] = [unconstrained(), unconstrained()]
      this.#add(m, p, '', depth + 1)
      this.#add(n, q, '', depth + 1)
      if (this.#disjoint(m, n, depth + 1)) return true
    }
    return false
  }

  #unsupported(path: string, what: string): void {
    if (this.#ignore) return
    throw new SchemaError(
      path,
      what,
      'a keyword that a grammar can enforce',
      "Remove it, or pass { unsupported: 'ignore' } and check afterwards.",
    )
  }
}

/** Whether a keyword that no grammar can enforce asks for nothing as it stands here. */
function saysNothing(key: string, schema: SchemaObject): boolean {
  const value = schema[key]
  switch (key) {
    case 'uniqueItems':
    case 'not':
      return value === false
    case 'unevaluatedProperties':
    case 'unevaluatedItems':
      return value === true
    case 'if':
      return schema.then === undefined && schema.else === undefined
    case 'then':
    case 'else':
      return schema.if === undefined
    case 'minContains':
    case 'maxContains':
      return schema.contains === undefined
    case 'dependencies':
    case 'dependentRequired':
    case 'dependentSchemas':
      return typeof value === 'object' && value !== null && Object.keys(value).length === 0
    default:
      return false
  }
}

function record(value: unknown, path: string): Record<string, Schema> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SchemaError(path, JSON.stringify(value), 'an object')
  return value as Record<string, Schema>
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new SchemaError(path, JSON.stringify(value), 'a list that is not empty')
  return value
}

function number(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new SchemaError(path, JSON.stringify(value), 'a finite number')
  return value
}

function count(value: unknown, path: string): number {
  if (!Number.isInteger(value) || (value as number) < 0)
    throw new SchemaError(path, JSON.stringify(value), 'a whole number of at least 0')
  return value as number
}

function typesOf(m: Merged): ReadonlySet<JsonType> | undefined {
  if (m.types || !m.values) return m.types
  return new Set(m.values.map(v => (v === null ? 'null' : Array.isArray(v) ? 'array' : (typeof v as JsonType))))
}

function meet(a: ReadonlySet<JsonType>, b: ReadonlySet<JsonType>): ReadonlySet<JsonType> {
  const out = new Set<JsonType>()
  for (const t of a) {
    if (b.has(t)) out.add(t)
    else if ((t === 'integer' && b.has('number')) || (t === 'number' && b.has('integer'))) out.add('integer')
  }
  return out
}

function restrict(m: Merged, values: readonly Json[]): void {
  const known = m.values
  m.values = known ? known.filter(v => includes(values, v)) : values
}

/** Whether a value is among others; the order of keys does not count. */
export function includes(values: readonly Json[], value: Json): boolean {
  const key = keyOf(value)
  return values.some(other => keyOf(other) === key)
}

function raise(m: Merged, value: number, open: boolean): void {
  if (m.low === undefined || value > m.low) [m.low, m.lowOpen] = [value, open]
  else if (value === m.low) m.lowOpen ||= open
}

function lower(m: Merged, value: number, open: boolean): void {
  if (m.high === undefined || value < m.high) [m.high, m.highOpen] = [value, open]
  else if (value === m.high) m.highOpen ||= open
}

/** A merged schema as a schema again, to be merged with an alternative. */
export function toSchema(m: Merged): Schema {
  if (m.values?.length === 0) return false
  const out: Record<string, unknown> = {}
  if (m.types) out.type = [...m.types]
  if (m.properties.size) out.properties = Object.fromEntries(m.properties)
  if (m.patternProperties.size) out.patternProperties = Object.fromEntries(m.patternProperties)
  if (m.additionalProperties !== true) out.additionalProperties = m.additionalProperties
  if (m.required.size) out.required = [...m.required]
  if (m.prefixItems.length) out.prefixItems = m.prefixItems
  if (m.items !== true) out.items = m.items
  for (const key of ['minProperties', 'minItems', 'minLength'] as const) if (m[key] > 0) out[key] = m[key]
  for (const key of ['maxProperties', 'maxItems', 'maxLength'] as const)
    if (m[key] < Number.POSITIVE_INFINITY) out[key] = m[key]
  if (m.low !== undefined) out[m.lowOpen ? 'exclusiveMinimum' : 'minimum'] = m.low
  if (m.high !== undefined) out[m.highOpen ? 'exclusiveMaximum' : 'maximum'] = m.high
  if (m.multipleOf !== undefined) out.multipleOf = m.multipleOf
  const all: Schema[] = [out]
  if (m.values) all.push({ enum: m.values })
  for (const pattern of m.patterns) all.push({ pattern })
  for (const format of m.formats) all.push({ format })
  for (const names of m.propertyNames) all.push({ propertyNames: names })
  for (const anyOf of m.choices) all.push({ anyOf })
  return { allOf: all.filter(s => typeof s === 'boolean' || Object.keys(s).length > 0).concat(true) }
}
