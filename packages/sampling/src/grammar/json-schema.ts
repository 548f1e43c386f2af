/**
 * JSON Schema (2020-12, and the tuples, definitions and boolean bounds of older drafts) as grammar rules. The grammar
 * writes only valid instances. Keywords that no grammar of this kind can enforce are refused by name.
 *
 * The rules of the JSON types call each other (an array's items are any type), so they stand in one long file; merging,
 * members, numbers, formats and references have files of their own.
 */
import { accepts, combine, type Dfa, exactly, lengths, toDfa, union } from './dfa.js'
import { SchemaError } from './errors.js'
import { alt, chars, type Expr, type GrammarRules, NEVER, optional, type Rule, ref, repeat, seq, text } from './expr.js'
import { ANNOTATIONS, FORMATS } from './formats.js'
import { JSON_CHAR } from './json-char.js'
import { ANY } from './lower.js'
import { type Member, MemberRules } from './members.js'
import { type Bounds, decimals, INTEGER, integers, isMultiple, multiples, NUMBER } from './numbers.js'
import { absolute, findAnchor, findById } from './references.js'
import { parseRegex } from './regex.js'
import {
  both,
  includes,
  isPureRef,
  type Json,
  type JsonType,
  keyOf,
  type Merged,
  Merger,
  type Schema,
  toSchema,
} from './schema-merge.js'

export interface JsonSchemaOptions {
  /**
   * What may stand between the parts. 'tidy' (default): nothing, one space, or a new line with up to 32 of indentation,
   * so that a model cannot lose itself in blank lines. A number: so many characters of any whitespace; 0: compact.
   */
  whitespace?: 'tidy' | number
  /** 'schema': properties in the order of the schema (default; smaller and faster). 'any': in any order. */
  order?: 'schema' | 'any'
  /** 'error' (default): a keyword that cannot be enforced is refused. 'ignore': it is left out. */
  unsupported?: 'error' | 'ignore'
  /** A schema without `type` but with keywords of one type means that type. Default true. */
  inferType?: boolean
  /** Other schemas that `$ref` may name, by their URI; `loadSchemas` fetches them. */
  schemas?: Readonly<Record<string, Schema>>
}

const TYPES: readonly JsonType[] = ['object', 'array', 'string', 'number', 'boolean', 'null']

/** Rules whose root writes the instances of a schema. */
export function schemaRules(schema: Schema, options: JsonSchemaOptions = {}): GrammarRules {
  const compiler = new SchemaCompiler(schema, options)
  return compiler.compile()
}

class SchemaCompiler {
  readonly #document: Schema
  readonly #options: JsonSchemaOptions
  readonly #merger: Merger
  readonly #rules: Rule[] = []
  readonly #shared = new Map<string, number>()
  readonly #byRef = new Map<string, number>()
  readonly #visited = new Map<unknown, Visited>()
  readonly #outside = new Map<string, Schema>()
  readonly #space: Expr

  constructor(document: Schema, options: JsonSchemaOptions) {
    this.#document = document
    this.#options = options
    this.#merger = new Merger((target, path) => this.#resolve(target, path), options.unsupported === 'ignore')
    const kind = options.whitespace ?? 'tidy'
    if (kind !== 'tidy' && (!Number.isInteger(kind) || kind < 0))
      throw new SchemaError('', `whitespace = ${kind}`, "'tidy', or a whole number of at least 0")
    if (kind === 'tidy') this.#space = optional(alt(text(' '), seq(text('\n'), repeat(chars(' \t'), 0, 32))))
    else this.#space = kind === 0 ? seq() : repeat(chars(' \n\t\r'), 0, kind)
  }

  compile(): GrammarRules {
    const root = this.#rules.push({ name: 'root', body: NEVER }) - 1
    this.#rules[root]!.body = this.#visit(this.#document, '')
    return { rules: this.#rules, root }
  }

  #rule(name: string, body: () => Expr): Expr {
    let index = this.#shared.get(name)
    if (index === undefined) {
      index = this.#rules.push({ name, body: NEVER }) - 1
      this.#shared.set(name, index)
      this.#rules[index]!.body = body()
    }
    return ref(index)
  }

  #resolve(target: string, path: string): Schema {
    const [base, fragment = ''] = target.split('#') as [string, string?]
    let node: unknown = this.#document
    if (base !== '' && base !== (this.#document as { $id?: string }).$id) {
      node = this.#schema(base) ?? findById(this.#document, base)
      if (node === undefined)
        throw new SchemaError(
          path,
          `the unknown schema ${base}`,
          'a local reference',
          'Pass it in { schemas }; loadSchemas() fetches it.',
        )
    }
    if (fragment !== '' && !fragment.startsWith('/')) {
      node = findAnchor(node, fragment)
      if (node === undefined) throw new SchemaError(path, `the unknown anchor ${fragment}`, 'an anchor of the schema')
    } else {
      for (const part of fragment.split('/').slice(1)) {
        const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
        const inside = typeof node === 'object' && node !== null ? (node as Record<string, unknown>) : undefined
        node = inside && Object.hasOwn(inside, key) ? inside[key] : undefined
      }
    }
    if (node === undefined)
      throw new SchemaError(path, `the reference ${target}, which leads nowhere`, 'a pointer into the schema')
    return node as Schema
  }

  /** A schema from outside, its references seen from here. */
  #schema(uri: string): Schema | undefined {
    const given = this.#options.schemas
    if (!given || !Object.hasOwn(given, uri)) return undefined
    let known = this.#outside.get(uri)
    if (known === undefined) this.#outside.set(uri, (known = absolute(given[uri]!, uri)))
    return known
  }

  #visit(schema: Schema, path: string): Expr {
    if (schema === true) return this.#value()
    if (schema === false) return NEVER
    if (isPureRef(schema)) return this.#reference(schema.$ref, path)
    return this.#once(schema, path, () => this.#merged(this.#merger.merge(schema, path), path))
  }

  /** One rule for all that reads alike: a schema that holds itself comes to an end, one that stands twice costs once. */
  #once(schema: Schema, path: string, make: () => Expr): Expr {
    const key = keyOf(schema)
    const known = this.#visited.get(schema) ?? this.#visited.get(key ?? schema)
    if (known) {
      if (known.expr) return known.expr
      known.rule ??= this.#rules.push({ name: path || 'root', body: NEVER }) - 1
      return ref(known.rule)
    }
    const own: Visited = {}
    this.#visited.set(schema, own)
    if (key !== undefined) this.#visited.set(key, own)
    const body = make()
    if (own.rule === undefined && isSmall(body)) own.expr = body
    else {
      own.rule ??= this.#rules.push({ name: path || 'root', body }) - 1
      this.#rules[own.rule]!.body = body
      own.expr = ref(own.rule)
    }
    return own.expr
  }

  #reference(target: string, path: string): Expr {
    let index = this.#byRef.get(target)
    if (index === undefined) {
      index = this.#rules.push({ name: target, body: NEVER }) - 1
      this.#byRef.set(target, index)
      this.#rules[index]!.body = this.#visit(this.#resolve(target, path), target.replace(/^#/, ''))
    }
    return ref(index)
  }

  #merged(m: Merged, path: string): Expr {
    if (m.never) return NEVER
    const [choice, ...others] = m.choices
    if (choice) {
      const rest = { ...m, choices: others }
      return alt(...choice.map((branch, i) => this.#branch(rest, branch, `${path}/${i}`)))
    }
    if (m.values) return alt(...m.values.filter(v => this.#fits(m, v)).map(v => this.#literal(v)))
    const types = m.types ?? this.#inferred(m)
    if (!types && isFree(m)) return this.#value()
    const chosen = [...(types ?? TYPES)].filter(t => t !== 'integer' || !types?.has('number'))
    return alt(...chosen.map(type => this.#type(type, m, path)))
  }

  /** What lies around an alternative holds within it too. */
  #branch(around: Merged, branch: Schema, path: string): Expr {
    if (isFree(around) && !around.types && !around.values && around.choices.length === 0)
      return this.#visit(branch, path)
    return this.#visit(both(toSchema(around), branch), path)
  }

  #inferred(m: Merged): ReadonlySet<JsonType> | undefined {
    if (this.#options.inferType === false) return undefined
    const found = new Set<JsonType>()
    if (hasObjectRules(m)) found.add('object')
    if (hasArrayRules(m)) found.add('array')
    if (hasStringRules(m)) found.add('string')
    if (hasNumberRules(m)) found.add('number')
    return found.size === 1 ? found : undefined
  }

  #type(type: JsonType, m: Merged, path: string): Expr {
    switch (type) {
      case 'null':
        return text('null')
      case 'boolean':
        return alt(text('true'), text('false'))
      case 'integer':
      case 'number':
        return this.#number(type, m, path)
      case 'string':
        return this.#string(m, path)
      case 'array':
        return hasArrayRules(m) ? this.#array(m, path) : this.#anyArray()
      case 'object':
        return hasObjectRules(m) ? this.#object(m, path) : this.#anyObject()
    }
  }

  #value(): Expr {
    return this.#rule('value', () =>
      alt(
        this.#anyObject(),
        this.#anyArray(),
        this.#anyString(),
        this.#rule('number', () => NUMBER),
        text('true'),
        text('false'),
        text('null'),
      ),
    )
  }

  #anyObject(): Expr {
    return this.#rule('object', () => {
      const member = seq(this.#anyString(), text(':'), this.#space, this.#value())
      const more = repeat(seq(text(','), this.#space, member), 0)
      return seq(text('{'), this.#space, optional(seq(member, more, this.#space)), text('}'))
    })
  }

  #anyArray(): Expr {
    return this.#rule('array', () => {
      const more = repeat(seq(text(','), this.#space, this.#value()), 0)
      return seq(text('['), this.#space, optional(seq(this.#value(), more, this.#space)), text(']'))
    })
  }

  #anyString(): Expr {
    return this.#rule('string', () => seq(text('"'), repeat(JSON_CHAR, 0), text('"')))
  }

  #number(type: 'integer' | 'number', m: Merged, path: string): Expr {
    const bounds: Bounds = { low: m.low, high: m.high, lowOpen: m.lowOpen, highOpen: m.highOpen }
    if (m.multipleOf === undefined) {
      if (!hasNumberRules(m)) return this.#rule(type, () => (type === 'integer' ? INTEGER : NUMBER))
      return type === 'integer' ? integers(bounds) : decimals(bounds)
    }
    const steps = multiples(m.multipleOf)
    if (!steps)
      throw new SchemaError(
        `${path}/multipleOf`,
        String(m.multipleOf),
        'a step of at most four digits or so',
        'It needs one state per remainder.',
      )
    const range = type === 'integer' ? integers(bounds) : plainDecimals(bounds)
    return { kind: 'dfa', dfa: combine(steps, toDfa(range, 'whole')), json: false }
  }

  #string(m: Merged, path: string): Expr {
    if (!hasStringRules(m)) return this.#anyString()
    const dfa = this.#stringDfa(m, path)
    if (dfa) return seq(text('"'), { kind: 'dfa', dfa, json: true }, text('"'))
    if (m.minLength > m.maxLength) return NEVER
    return seq(text('"'), repeat(JSON_CHAR, m.minLength, m.maxLength), text('"'))
  }

  /** The automaton of patterns and formats; undefined when there are none and lengths can be counted instead. */
  #stringDfa(m: Merged, path: string): Dfa | undefined {
    const all: Dfa[] = m.patterns.map(pattern => toDfa(parseRegex(pattern), 'search'))
    for (const format of m.formats) {
      const source = FORMATS[format]
      if (source) all.push(toDfa(parseRegex(source), 'whole'))
      else if (!ANNOTATIONS.has(format) && this.#options.unsupported !== 'ignore') {
        throw new SchemaError(
          `${path}/format`,
          JSON.stringify(format),
          `one of ${Object.keys(FORMATS).join(', ')}`,
          "Or pass { unsupported: 'ignore' }.",
        )
      }
    }
    if (all.length === 0) return undefined
    if (m.minLength > 0 || m.maxLength < Number.POSITIVE_INFINITY) all.push(lengths(m.minLength, m.maxLength))
    return all.reduce((a, b) => combine(a, b))
  }

  #array(m: Merged, path: string): Expr {
    const { prefixItems, minItems, maxItems } = m
    if (minItems > maxItems) return NEVER
    const comma = seq(text(','), this.#space)
    const item = this.#visit(m.items, `${path}/items`)
    const prefix = prefixItems.map((s, i) => this.#visit(s, `${path}/prefixItems/${i}`))
    const n = Math.min(prefix.length, maxItems)
    let rest: Expr
    if (prefix.length === 0) {
      const more = repeat(seq(comma, item), Math.max(0, minItems - 1), maxItems - 1)
      const some = maxItems === 0 ? NEVER : seq(item, more, this.#space)
      rest = minItems === 0 ? optional(some) : some
    } else {
      rest = maxItems > n ? repeat(seq(comma, item), Math.max(0, minItems - n), maxItems - n) : seq()
      for (let i = n - 1; i >= 0; i--) {
        const here = seq(i > 0 ? comma : seq(), prefix[i]!, rest)
        rest = i >= minItems ? optional(here) : here
      }
      rest = seq(rest, this.#space)
    }
    return seq(text('['), this.#space, rest, text(']'))
  }

  #object(m: Merged, path: string): Expr {
    const { minProperties, maxProperties } = m
    const declared = new Set([...m.properties.keys(), ...m.required])
    const names = this.#nameDfa(m, path)
    const members: Member[] = []
    for (const name of declared) {
      const required = m.required.has(name)
      const allowed = !names || accepts(names, name)
      const value = allowed ? this.#visit(memberSchema(m, name), `${path}/properties/${name}`) : NEVER
      if (isNever(value)) {
        if (required) return NEVER
        continue
      }
      members.push({ required, pair: seq(text(JSON.stringify(name)), text(':'), this.#space, value) })
    }
    const others = this.#others(m, [...declared], names, path)
    if (others && minProperties - m.required.size > 1 && this.#options.unsupported !== 'ignore') {
      // a free key may be written twice, and counts once
      throw new SchemaError(
        `${path}/minProperties`,
        `${minProperties} with free keys`,
        'at most one more than the required properties',
        "A grammar cannot tell that two free keys differ. Or pass { unsupported: 'ignore' }.",
      )
    }
    const build = new MemberRules(
      this.#rules,
      members,
      others,
      minProperties,
      maxProperties,
      this.#space,
      this.#options.order === 'any',
    )
    return seq(text('{'), this.#space, build.start(), text('}'))
  }

  /** The names that properties may have; undefined where they may be any. */
  #nameDfa(m: Merged, path: string): Dfa | undefined {
    const [first, ...others] = m.propertyNames
    if (first === undefined) return undefined
    return this.#textDfa(others.reduce(both, first), `${path}/propertyNames`)
  }

  /** The strings that a schema allows. */
  #textDfa(schema: Schema, path: string): Dfa {
    const m = this.#merger.merge(schema, path)
    const [choice, ...others] = m.choices
    if (choice) {
      const around = toSchema({ ...m, choices: others })
      return union(choice.map((branch, i) => this.#textDfa(both(around, branch), `${path}/${i}`)))
    }
    if (m.never || (m.types && !m.types.has('string'))) return { states: [] }
    if (m.values) return exactly(m.values.filter(v => typeof v === 'string' && this.#fits(m, v)) as string[])
    return this.#stringDfa(m, path) ?? lengths(m.minLength, m.maxLength)
  }

  /** Members that no declared name covers: by the set of patterns that their key matches. */
  #others(m: Merged, declared: string[], names: Dfa | undefined, path: string): Expr | undefined {
    if (m.additionalProperties === false && m.patternProperties.size === 0) return undefined
    const free = names ?? toDfa(repeat(ANY, 0), 'whole')
    let classes: { keys: Dfa; schema: Schema | undefined }[] = [
      { keys: combine(free, exactly(declared), true), schema: undefined },
    ]
    for (const [pattern, schema] of m.patternProperties) {
      const dfa = toDfa(parseRegex(pattern), 'search')
      classes = classes.flatMap(({ keys, schema: before }) => [
        { keys: combine(keys, dfa), schema: before === undefined ? schema : both(before, schema) },
        { keys: combine(keys, dfa, true), schema: before },
      ])
    }
    const pairs: Expr[] = []
    for (const { keys, schema } of classes) {
      if (keys.states.length === 0) continue
      const value = this.#visit(schema ?? m.additionalProperties, `${path}/additionalProperties`)
      if (isNever(value)) continue
      const plain = declared.length === 0 && m.patternProperties.size === 0 && !names
      const key: Expr = plain ? this.#anyString() : seq(text('"'), { kind: 'dfa', dfa: keys, json: true }, text('"'))
      pairs.push(seq(key, text(':'), this.#space, value))
    }
    return pairs.length ? alt(...pairs) : undefined
  }

  /** One value as text. */
  #literal(value: Json): Expr {
    if (value === null || typeof value !== 'object') return text(JSON.stringify(value))
    const [open, close, parts] = Array.isArray(value)
      ? ['[', ']', value.map(v => this.#literal(v as Json))]
      : [
          '{',
          '}',
          Object.entries(value).map(([k, v]) =>
            seq(text(JSON.stringify(k)), text(':'), this.#space, this.#literal(v as Json)),
          ),
        ]
    const inner = parts.flatMap((part, i) => (i ? [text(','), this.#space, part] : [part]))
    return seq(
      text(open as string),
      this.#space,
      ...inner,
      ...(parts.length ? [this.#space] : []),
      text(close as string),
    )
  }

  /** Whether a listed value satisfies what stands beside the list. */
  #fits(m: Merged, value: Json): boolean {
    const type = typeOf(value)
    if (m.types && !m.types.has(type) && !(type === 'integer' && m.types.has('number'))) return false
    if (typeof value === 'number') {
      if (m.low !== undefined && (m.lowOpen ? value <= m.low : value < m.low)) return false
      if (m.high !== undefined && (m.highOpen ? value >= m.high : value > m.high)) return false
      return m.multipleOf === undefined || isMultiple(value, m.multipleOf)
    }
    if (typeof value === 'string') {
      const n = [...value].length
      if (n < m.minLength || n > m.maxLength) return false
      const dfa = this.#stringDfa(m, '')
      return !dfa || accepts(dfa, value)
    }
    if (Array.isArray(value)) {
      if (value.length < m.minItems || value.length > m.maxItems) return false
      return value.every((v, i) => this.#fitsSchema(m.prefixItems[i] ?? m.items, v as Json))
    }
    if (value !== null && typeof value === 'object') {
      const keys = Object.keys(value)
      if (keys.length < m.minProperties || keys.length > m.maxProperties) return false
      if ([...m.required].some(name => !keys.includes(name))) return false
      const names = this.#nameDfa(m, '')
      return Object.entries(value).every(
        ([k, v]) => (!names || accepts(names, k)) && this.#fitsSchema(memberSchema(m, k), v as Json),
      )
    }
    return true
  }

  #fitsSchema(schema: Schema, value: Json): boolean {
    if (typeof schema === 'boolean') return schema
    const m = this.#merger.merge(schema, '')
    if (m.never || (m.values && !includes(m.values, value))) return false
    return this.#fits(m, value) && m.choices.every(group => group.some(s => this.#fitsSchema(s, value)))
  }
}

/** A schema on its way to be an expression: the rule that stands for it, if anything asked for one, and the result. */
interface Visited {
  rule?: number
  expr?: Expr
}

/** Cheaper written out than called. */
function isSmall(expr: Expr): boolean {
  let left = 16
  const count = (e: Expr): void => {
    left -= e.kind === 'dfa' ? e.dfa.states.length : 1
    if (left < 0) return
    if (e.kind === 'seq' || e.kind === 'alt') e.items.forEach(count)
    else if (e.kind === 'repeat') count(e.item)
  }
  count(expr)
  return left >= 0
}

/** What the value of a property must be: as declared, as its patterns say, or as the rest. */
function memberSchema(m: Merged, name: string): Schema {
  const matching = [...m.patternProperties].filter(([p]) => accepts(toDfa(parseRegex(p), 'search'), name))
  const own = m.properties.get(name) ?? (matching.length > 0 || m.additionalProperties)
  return matching.reduce((schema, [, extra]) => both(schema, extra), own)
}

const typeOf = (value: Json): JsonType => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value as JsonType
}

const isNever = (expr: Expr): boolean => expr.kind === 'alt' && expr.items.length === 0
const hasObjectRules = (m: Merged): boolean =>
  m.properties.size > 0 ||
  m.patternProperties.size > 0 ||
  m.additionalProperties !== true ||
  m.required.size > 0 ||
  m.minProperties > 0 ||
  m.maxProperties < Number.POSITIVE_INFINITY ||
  m.propertyNames.length > 0
const hasArrayRules = (m: Merged): boolean =>
  m.prefixItems.length > 0 || m.items !== true || m.minItems > 0 || m.maxItems < Number.POSITIVE_INFINITY
const hasStringRules = (m: Merged): boolean =>
  m.minLength > 0 || m.maxLength < Number.POSITIVE_INFINITY || m.patterns.length > 0 || m.formats.length > 0
const hasNumberRules = (m: Merged): boolean => m.low !== undefined || m.high !== undefined || m.multipleOf !== undefined
const isFree = (m: Merged): boolean =>
  !hasObjectRules(m) && !hasArrayRules(m) && !hasStringRules(m) && !hasNumberRules(m)

/** Decimals without exponents, for products with other automata. */
function plainDecimals(bounds: Bounds): Expr {
  if (bounds.low === undefined && bounds.high === undefined) {
    return seq(optional(text('-')), parseRegex('(0|[1-9]\\d*)(\\.\\d+)?'))
  }
  return decimals(bounds)
}
