/** JSON Schemas as plain data: references resolved, `allOf` and siblings merged into one schema without either. */

import { accepts, toDfa } from './dfa.js'
import { SchemaError } from './errors.js'
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
  /** Nothing satisfies it. */
  never: boolean
}

const ANNOTATION_KEYS = new Set(
  '$schema $id $anchor $comment $defs $vocabulary definitions title description default examples example deprecated readOnly writeOnly id contentEncoding contentMediaType $dynamicAnchor nullable discriminator externalDocs xml'.split(
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
  never: false,
})

/** Both at once. */
export const both = (a: Schema, b: Schema): Schema => {
  if (a === true) return b
  if (b === true) return a
  if (a === false || b === false) return false
  return { allOf: [a, b] }
}

/** Whether only annotations stand beside `$ref`, so that it can become a rule of its own. */
export function isPureRef(schema: Schema): schema is SchemaObject & { $ref: string } {
  return (
    typeof schema === 'object' &&
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

  #keyword(m: Merged, key: string, value: unknown, schema: SchemaObject, path: string, depth: number): void {
    const here = `${path}/${key}`
    switch (key) {
      case 'properties':
      case 'patternProperties':
      case 'additionalProperties':
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
        m.choices.push(this.#exclusive(list(value, here) as Schema[], here, depth))
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
        for (const name of list(value, here)) m.required.add(String(name))
        return
      case 'propertyNames':
        m.propertyNames.push(value as Schema)
        return
      case 'prefixItems':
        this.#tuple(m, list(value, here) as Schema[], true)
        return
      case 'items':
        if (Array.isArray(value)) {
          this.#tuple(m, value as Schema[], (schema.additionalItems ?? true) as Schema)
          return
        }
        if (schema.prefixItems === undefined) m.prefixItems = m.prefixItems.map(s => both(s, value as Schema))
        m.items = both(m.items, value as Schema)
        return
      case 'additionalItems':
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
      case 'format':
        m.formats.push(String(value))
        return
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
        if (m.multipleOf !== undefined && m.multipleOf !== step) this.#unsupported(here, 'a second multipleOf')
        m.multipleOf = step
        return
      }
      default:
        if (!ANNOTATION_KEYS.has(key) && !key.startsWith('x-')) this.#unsupported(here, `the keyword ${key}`)
    }
  }

  /** `oneOf` is `anyOf` where no two alternatives can hold at once; that must be plain to see. */
  #exclusive(branches: Schema[], path: string, depth: number): Schema[] {
    if (this.#ignore) return branches
    const merged = branches.map((s, i) => {
      const m = unconstrained()
      this.#add(m, s, `${path}/${i}`, depth + 1)
      return m
    })
    merged.forEach((a, i) => {
      merged.slice(i + 1).forEach((b, j) => {
        if (this.#disjoint(a, b, depth)) return
        throw new SchemaError(
          path,
          `alternatives ${i} and ${i + 1 + j}, which may both hold`,
          'alternatives of different types, or told apart by a required property',
          'Write anyOf.',
        )
      })
    })
    return branches
  }

  #disjoint(a: Merged, b: Merged, depth: number): boolean {
    if (a.never || b.never) return true
    if (a.values && b.values) return !a.values.some(v => b.values!.some(w => JSON.stringify(v) === JSON.stringify(w)))
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

  #tuple(m: Merged, own: Schema[], rest: Schema): void {
    const n = Math.max(own.length, m.prefixItems.length)
    m.prefixItems = Array.from({ length: n }, (_, i) => both(m.prefixItems[i] ?? m.items, own[i] ?? rest))
    if (rest !== true) m.items = both(m.items, rest)
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
  m.values = known ? known.filter(v => values.some(w => JSON.stringify(v) === JSON.stringify(w))) : values
}

function raise(m: Merged, value: number, open: boolean): void {
  if (m.low === undefined || value > m.low) [m.low, m.lowOpen] = [value, open]
  else if (value === m.low) m.lowOpen ||= open
}

function lower(m: Merged, value: number, open: boolean): void {
  if (m.high === undefined || value < m.high) [m.high, m.highOpen] = [value, open]
  else if (value === m.high) m.highOpen ||= open
}
