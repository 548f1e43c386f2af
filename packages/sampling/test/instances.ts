/** Makes random instances of a JSON Schema, most of them valid; whoever uses them asks a validator which. */
import type { Random } from '../src/index.js'

type Schema = Readonly<Record<string, unknown>> | boolean
const LETTERS = ['a', 'b', 'c', 'x', 'y', '1', '7', ' ', '"', '\\', '\n', 'é', '日', '😀', '/', '\u0001']

export class Instances {
  readonly #root: Schema
  readonly #random: Random

  constructor(root: Schema, random: Random) {
    this.#root = root
    this.#random = random
  }

  make(schema: Schema = this.#root, depth: number = 0): unknown {
    if (typeof schema === 'boolean') return this.#any(depth)
    if (typeof schema.$ref === 'string') return this.make(this.#resolve(schema.$ref), depth + 1)
    if ('const' in schema) return schema.const
    if (Array.isArray(schema.enum)) return this.#of(schema.enum)
    for (const key of ['anyOf', 'oneOf']) {
      if (!Array.isArray(schema[key])) continue
      const { [key]: branches, ...rest } = schema
      const branch = this.#of(branches as Schema[])
      return this.make(typeof branch === 'object' ? merge(rest, branch) : rest, depth)
    }
    if (Array.isArray(schema.allOf)) {
      const { allOf, ...rest } = schema
      return this.make((allOf as Record<string, unknown>[]).reduce(merge, rest), depth)
    }
    const types = [schema.type ?? (schema.properties ? 'object' : ['null', 'boolean', 'number', 'string'])].flat()
    switch (this.#of(types)) {
      case 'object':
        return this.#object(schema, depth)
      case 'array':
        return this.#array(schema, depth)
      case 'string':
        return this.#string(schema)
      case 'integer':
        return Math.round(this.#number(schema))
      case 'number':
        return this.#number(schema)
      case 'boolean':
        return this.#chance(0.5)
      default:
        return null
    }
  }

  #of<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random.next() * list.length)]!
  }
  #chance(p: number): boolean {
    return this.#random.next() < p
  }
  #count(low: unknown, high: unknown): number {
    const least = (low as number | undefined) ?? 0
    const most = Math.min((high as number | undefined) ?? least + 3, least + 12)
    return least + Math.floor(this.#random.next() * (most - least + 1))
  }

  #resolve(ref: string): Schema {
    let node: unknown = this.#root
    for (const part of ref.split('/').slice(1)) node = (node as Record<string, unknown>)[part]
    return node as Schema
  }

  #any(depth: number): unknown {
    const simple: unknown[] = [null, true, -3, 0.25, 1e21, 1e-7, 'é"\\\n', '']
    if (depth > 3) return this.#of(simple)
    return this.#of([...simple, [this.#any(depth + 1)], { [this.#string({})]: this.#any(depth + 1) }, {}, []])
  }

  #object(schema: Record<string, unknown>, depth: number): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    const required = new Set((schema.required ?? []) as string[])
    const properties = (schema.properties ?? {}) as Record<string, Schema>
    const others = (schema.additionalProperties ?? true) as Schema
    const patterns = Object.entries((schema.patternProperties ?? {}) as Record<string, Schema>)
    const matching = (name: string): Record<string, unknown>[] =>
      patterns.filter(([p]) => new RegExp(p, 'u').test(name)).map(([, s]) => s as Record<string, unknown>)
    for (const [name, value] of Object.entries(properties)) {
      const full = typeof value === 'object' ? matching(name).reduce(merge, value) : value
      if (required.has(name) || this.#chance(depth > 3 ? 0 : 0.5)) out[name] = this.make(full, depth + 1)
    }
    for (let n = depth > 3 ? 0 : this.#count(0, 2); n > 0; n--) {
      const name = this.#of(['x2', 'x7', 'y', 'ab', 'ba', 'bbb', 'c', 'zz', 'xy', 'é', 'a"'])
      if (name in properties) continue
      const own = matching(name)
      if (own.length || others !== false) out[name] = this.make(own.length ? own.reduce(merge) : others, depth + 1)
    }
    return out
  }

  #array(schema: Record<string, unknown>, depth: number): unknown[] {
    const prefix = (schema.prefixItems ?? []) as Schema[]
    const items = (schema.items ?? true) as Schema
    const most = items === false ? prefix.length : schema.maxItems
    const n = depth > 3 ? ((schema.minItems ?? 0) as number) : this.#count(schema.minItems, most)
    return Array.from({ length: n }, (_, i) => this.make(prefix[i] ?? items, depth + 1))
  }

  #string(schema: Record<string, unknown>): string {
    if (schema.format === 'date')
      return `19${this.#of(['04', '73', '99'])}-0${this.#of([1, 2, 9])}-${this.#of([10, 27, 28])}`
    const pattern = schema.pattern === undefined ? /(?:)/ : new RegExp(schema.pattern as string, 'u')
    for (let attempt = 0; attempt < 200; attempt++) {
      const n = this.#count(schema.minLength, schema.maxLength ?? (schema.pattern ? 6 : undefined))
      const letters = schema.pattern ? LETTERS.slice(0, 5) : LETTERS
      const text = Array.from({ length: n }, () => this.#of(letters)).join('')
      if (pattern.test(text)) return text
    }
    return 'abbb'
  }

  #number(schema: Record<string, unknown>): number {
    const low = (schema.minimum ?? schema.exclusiveMinimum ?? -50) as number
    const high = (schema.maximum ?? schema.exclusiveMaximum ?? low + 100) as number
    const value = this.#chance(0.2) ? this.#of([low, high]) : low + this.#random.next() * (high - low)
    if (schema.multipleOf === undefined) return this.#chance(0.5) ? Math.round(value * 100) / 100 : value
    const step = schema.multipleOf as number
    // in whole steps per one, so that hundredths come out as they are written
    return step < 1 ? Math.round(value / step) / Math.round(1 / step) : Math.round(value / step) * step
  }
}

function merge(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const types = a.type && b.type ? [a.type].flat().filter(t => [b.type].flat().includes(t)) : (a.type ?? b.type)
  const pa = (a.properties ?? {}) as Record<string, Record<string, unknown>>
  const pb = (b.properties ?? {}) as Record<string, Record<string, unknown>>
  const properties = Object.fromEntries(
    [...new Set([...Object.keys(pa), ...Object.keys(pb)])].map(k => [k, merge(pa[k] ?? {}, pb[k] ?? {})]),
  )
  const required = [...((a.required ?? []) as string[]), ...((b.required ?? []) as string[])]
  return {
    ...a,
    ...b,
    ...(types ? { type: types } : {}),
    ...(a.properties || b.properties ? { properties } : {}),
    ...(required.length ? { required } : {}),
  }
}
