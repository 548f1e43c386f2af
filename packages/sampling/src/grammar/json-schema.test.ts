/** Schemas to grammars: against the public JSON Schema test suite, and by writing at random and validating with Ajv. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import { Instances } from '../../test/instances.js'
import { byteVocabulary } from '../../test/vocabulary.js'
import { type Grammar, GrammarMatcher, json, jsonSchema, loadSchemas, type Schema, SchemaError } from '../grammar.js'
import { Random } from '../random.js'

const vocabulary = byteVocabulary(420)
/** Texts per schema and order. CRIA_GRAMMAR_RUNS=300 makes it ten thousand in all. */
const RUNS = Number(process.env.CRIA_GRAMMAR_RUNS ?? 24)

/**
 * A text written from random logits. Past `patience` tokens those that lead to an end soon are preferred, so that
 * recursive schemas stop: the end token, closing characters, short ones. Undefined where it does not stop all the same.
 */
function write(grammar: Grammar<unknown>, random: Random, patience: number = 40): string | undefined {
  const matcher = new GrammarMatcher(grammar, vocabulary)
  const bytes: number[] = []
  for (let i = 0; i < 600; i++) {
    const { bits } = matcher.mask()
    let best = -1
    let bestScore = -Infinity
    for (let id = 0; id < vocabulary.size; id++) {
      if (!((bits[id >>> 5]! >>> (id & 31)) & 1)) continue
      let score = random.next()
      const first = vocabulary.tokens[id]?.[0]
      if (i > patience) score += id === 0 ? 9 : closing.has(first!) ? 3 : opening.has(first!) ? -3 : 0
      else if (first !== undefined && spaces.has(first)) score -= 0.5
      if (score > bestScore) [best, bestScore] = [id, score]
    }
    if (best < 0) throw new Error(`dead end after ${new TextDecoder().decode(Uint8Array.from(bytes))}`)
    matcher.accept(best)
    if (matcher.finished) return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes))
    bytes.push(...vocabulary.tokens[best]!)
  }
  return undefined
}

const closing = new Set([...'}]"'].map(c => c.charCodeAt(0)))
const opening = new Set([...'{[, \\-.eE'].map(c => c.charCodeAt(0)))
const spaces = new Set([32, 10, 13, 9])

interface Group {
  description: string
  schema: never
  tests: { description: string; data: unknown; valid: boolean }[]
}

describe('the public suite, draft 4: what describes finite structure', () => {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('json-schema-test-suite/package.json')),
    'tests/draft4',
  )
  let compiled = 0
  for (const file of readdirSync(folder).filter(f => f.endsWith('.json'))) {
    const groups = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Group[]
    for (const { description, schema, tests } of groups) {
      let grammar: Grammar<unknown>
      try {
        grammar = jsonSchema(schema as object, { inferType: false, order: 'any' })
      } catch (error) {
        // refused by name, never wrong: keywords out of reach, references to the network
        if (!(error instanceof SchemaError)) test(`${file} ${description}`, () => Promise.reject(error))
        continue
      }
      compiled++
      test(`${file}: ${description}`, () => {
        for (const t of tests) {
          const text = JSON.stringify(t.data)
          // whole numbers written with a fraction cannot be told apart after JSON.parse: nothing to skip
          expect([t.description, text, grammar.matches(text)]).toEqual([t.description, text, t.valid])
        }
        const validate = validator(schema)
        const random = new Random(compiled)
        for (let i = 0; validate && i < 8; i++) {
          const text = write(grammar, random)
          // the validator divides in floating point: no check of multiples of huge numbers
          if (text === undefined || /\d{14}|\d{5}\.\d/.test(text)) continue
          expect([text, validate(JSON.parse(text))]).toEqual([text, true])
        }
      })
    }
  }
  test('most of it compiles', () => {
    expect(compiled).toBeGreaterThan(50)
  })
})

function validator(schema: unknown): ((data: unknown) => boolean) | undefined {
  try {
    return new Ajv({ strict: false, validateFormats: false, logger: false, multipleOfPrecision: 7 }).compile(
      schema as object,
    )
  } catch {
    return undefined
  }
}

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 60 },
    age: { type: 'integer', minimum: 0, maximum: 130 },
    mood: { enum: ['good', 'bad', null, 3] },
    height: { type: 'number', exclusiveMinimum: 0.5, maximum: 2.75 },
    tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]{2,5}$' }, minItems: 1, maxItems: 3 },
    friends: { type: 'array', items: { $ref: '#' } },
    born: { type: 'string', format: 'date' },
  },
  required: ['name', 'age', 'mood'],
  additionalProperties: false,
} as const

const schemas: Record<string, object> = {
  person,
  'nested $ref': {
    $ref: '#/$defs/tree/properties/root',
    $defs: {
      tree: {
        properties: { root: { $ref: '#/$defs/node' } },
      },
      node: {
        type: 'object',
        properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
        required: ['value', 'next'],
        additionalProperties: false,
      },
    },
  },
  'anyOf beside properties': {
    type: 'object',
    properties: { id: { type: 'integer' } },
    required: ['id'],
    anyOf: [
      { properties: { a: { type: 'string' } }, required: ['a'] },
      { properties: { b: { type: 'boolean' }, id: { minimum: 10, maximum: 12 } }, required: ['b'] },
    ],
  },
  patternProperties: {
    type: 'object',
    properties: { x1: { minimum: 5 } },
    patternProperties: { '^x\\d$': { type: 'integer' }, y: { type: 'string', maxLength: 2 } },
    additionalProperties: { type: 'boolean' },
    required: ['x1'],
    minProperties: 2,
    maxProperties: 4,
  },
  'no additional, patterns only': {
    type: 'object',
    patternProperties: { '^[ab]+$': { type: 'null' } },
    additionalProperties: false,
  },
  propertyNames: { type: 'object', propertyNames: { pattern: '^[a-c]{1,3}$' }, additionalProperties: { type: 'null' } },
  tuple: {
    type: 'array',
    prefixItems: [{ const: 'a' }, { type: 'integer' }],
    items: { type: 'boolean' },
    minItems: 1,
    maxItems: 5,
  },
  'closed tuple': { type: 'array', prefixItems: [{ const: 1 }, { const: 2 }, { const: 3 }], items: false, minItems: 2 },
  'long counts': { type: 'array', items: { type: 'string', minLength: 30, maxLength: 45 }, minItems: 2, maxItems: 40 },
  'multiples of 7 between': { type: 'integer', multipleOf: 7, minimum: -20, maximum: 500 },
  'hundredths between': { type: 'number', multipleOf: 0.01, minimum: 1, maximum: 3 },
  quarters: { type: 'number', multipleOf: 0.25 },
  'oneOf by a tag': {
    oneOf: [
      {
        type: 'object',
        properties: { kind: { const: 'circle' }, r: { type: 'number' } },
        required: ['kind', 'r'],
        additionalProperties: false,
      },
      {
        type: 'object',
        properties: { kind: { const: 'box' }, w: { type: 'integer' } },
        required: ['kind', 'w'],
        additionalProperties: false,
      },
    ],
  },
  allOf: { allOf: [{ type: ['string', 'integer'], minLength: 2 }, { maxLength: 4, minimum: 3 }, { maximum: 9 }] },
  'enum of structures': { enum: [{ a: [1, 'x'] }, [true], 'é"\\\n', -1.5e-7] },
  'type list': { type: ['null', 'boolean', 'array'], items: { type: 'null' } },
  'pattern and length': { type: 'string', pattern: 'ab+', minLength: 4, maxLength: 6 },
  'any-order object': {
    type: 'object',
    properties: { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } },
    required: ['c'],
  },
}

describe('random writing is valid', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    for (const order of ['schema', 'any'] as const) {
      test(`${name}, order ${order}`, () => {
        const grammar: Grammar<unknown> = jsonSchema(schema, { order })
        const validate = new Ajv2020({ strict: false, validateFormats: false, multipleOfPrecision: 9 }).compile(schema)
        const random = new Random(7)
        let ended = 0
        for (let i = 0; i < RUNS; i++) {
          const text = write(grammar, random, i % 60)
          if (text === undefined) continue
          ended++
          const data: unknown = JSON.parse(text)
          expect([text, validate(data)]).toEqual([text, true])
        }
        // in any order random text seldom hits upon the required names
        if (order === 'schema') expect(ended).toBeGreaterThan(8)
      })
    }
  }
})

describe('every valid instance is accepted', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    test(name, () => {
      const grammars = [jsonSchema(schema), jsonSchema(schema, { order: 'any' })]
      const validate = new Ajv2020({ strict: false, validateFormats: false, multipleOfPrecision: 9 }).compile(schema)
      const instances = new Instances(schema as Record<string, unknown>, new Random(11))
      let valid = 0
      for (let i = 0; i < 10 * RUNS; i++) {
        const value = instances.make()
        const is = validate(value)
        if (is) valid++
        const shuffled = typeof value === 'object' && value !== null && !Array.isArray(value) && i % 2
        const written = shuffled ? Object.fromEntries(Object.entries(value).reverse()) : value
        for (const [order, grammar] of grammars.entries()) {
          const text = JSON.stringify(order ? written : value, null, i % 3 ? 0 : 2)
          // what is not valid must not pass either
          const got = grammar.matches(text)
          if (got !== is) expect([text, order, got]).toEqual([text, order, is])
        }
      }
      expect(valid).toBeGreaterThan(RUNS)
    })
  }
})

describe('numbers within bounds: exactly those', () => {
  const values = [
    -1000, -12.5, -10, -9.99, -1.05, -1, -0.5, -0.05, 0, 0.05, 0.049, 0.5, 0.51, 1, 1.05, 2, 7.25, 9.99, 10, 10.01,
    12.5, 99, 100, 101, 1000,
  ]
  const bounds = [-12.5, -10, -1, -0.5, 0, 0.05, 0.5, 1.05, 2, 10, 100]
  for (const type of ['integer', 'number']) {
    test(type, () => {
      for (const low of [undefined, ...bounds]) {
        for (const high of [undefined, ...bounds]) {
          for (const open of [false, true]) {
            const schema = {
              type,
              ...(low === undefined ? {} : { [open ? 'exclusiveMinimum' : 'minimum']: low }),
              ...(high === undefined ? {} : { [open ? 'exclusiveMaximum' : 'maximum']: high }),
            }
            const inside = (v: number) =>
              (type === 'number' || Number.isInteger(v)) &&
              (low === undefined || (open ? v > low : v >= low)) &&
              (high === undefined || (open ? v < high : v <= high))
            let grammar: Grammar<unknown> | undefined
            try {
              grammar = jsonSchema(schema)
            } catch {
              grammar = undefined
            }
            for (const v of values) {
              const got = grammar?.matches(JSON.stringify(v)) ?? false
              if (got !== inside(v)) expect([schema, v, got]).toEqual([schema, v, inside(v)])
            }
          }
        }
      }
    })
  }
  test('zeros after the point do not matter', () => {
    const grammar = jsonSchema({ type: 'number', minimum: 0.5, maximum: 2 })
    for (const text of ['0.5', '0.50', '2.00', '1', '1.999'])
      expect([text, grammar.matches(text)]).toEqual([text, true])
    for (const text of ['0.49', '2.001', '00.5', '.5', '2.'])
      expect([text, grammar.matches(text)]).toEqual([text, false])
  })
})

test('formats', () => {
  const cases: [string, string[], string[]][] = [
    ['date', ['2024-02-29', '1999-12-31'], ['2023-02-29', '1999-13-01', '1999-1-1']],
    ['time', ['12:30:00Z', '23:59:59.123+02:00'], ['24:00:00Z', '12:30']],
    ['date-time', ['2024-02-29T12:30:00Z'], ['2024-02-29 12:30:00Z']],
    ['duration', ['P3Y6M4DT12H30M5S', 'PT20M', 'P2W', 'P1Y'], ['P', 'PT', '3Y']],
    ['email', ['joe.bloggs@example.com'], ['joe', '@x.com', 'a b@c.de']],
    ['ipv4', ['127.0.0.1', '255.255.255.255'], ['256.0.0.1', '1.2.3']],
    ['ipv6', ['::1', '::', '1:2:3:4:5:6:7:8', 'fe80::1:2', '1::'], ['1:2:3', '12345::', '1::2::3']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567']],
    ['hostname', ['a.example-x.org'], ['-a', 'a..b']],
    ['uri', ['https://a.b/c?d#e'], ['not a uri', '//x']],
    ['json-pointer', ['', '/a~1b/0'], ['a', '/~2']],
  ]
  for (const [format, pass, fail] of cases) {
    const grammar = jsonSchema({ type: 'string', format })
    for (const text of pass) expect([format, text, grammar.matches(JSON.stringify(text))]).toEqual([format, text, true])
    for (const text of fail)
      expect([format, text, grammar.matches(JSON.stringify(text))]).toEqual([format, text, false])
  }
})

test('JSON of any kind, as JSON.stringify writes it, compact or indented', () => {
  const value = { a: [1, -0.5, 1e21, 1e-7, null, true, [], {}], 'é"\\\n\u0001': { x: '\ud83d\ude00 \u2028' }, '': '' }
  expect(json().matches(JSON.stringify(value))).toBe(true)
  expect(json().matches(JSON.stringify(value, null, 2))).toBe(true)
  expect(json({ whitespace: 0 }).matches(JSON.stringify(value, null, 2))).toBe(false)
  expect(json().parse('{"a":1}')).toEqual({ a: 1 })
  for (const bad of ['{', '[1,]', '{"a":1,}', '01', "'a'", '"\n"', '"\\x"', 'nul', '+1', '1e400'])
    expect([bad, json().matches(bad)]).toEqual([bad, false])
})

test('what cannot be enforced is refused by name, or left out when asked', () => {
  const refused: [object, RegExp][] = [
    [{ type: 'array', uniqueItems: true }, /the keyword uniqueItems at #\/uniqueItems/],
    [{ not: { type: 'string' } }, /the keyword not/],
    [{ oneOf: [{ type: 'string' }, { maxLength: 3 }] }, /alternatives 0 and 1, which may both hold at #\/oneOf/],
    [{ type: 'string', format: 'martian' }, /"martian" at #\/format/],
    [{ $ref: 'https://example.com/x' }, /the unknown schema/],
    [{ $ref: '#/$defs/none' }, /leads nowhere/],
    [{ type: 'object', minProperties: 2 }, /2 with free keys at #\/minProperties/],
    [{ type: 'text' }, /expected a JSON type/],
    [{ properties: { a: { type: 'array', items: { minimum: 'x' } } } }, /expected a finite number/],
  ]
  for (const [schema, message] of refused) {
    expect(() => jsonSchema(schema)).toThrow(message)
    expect(() => jsonSchema(schema)).toThrow(SchemaError)
  }
  expect(jsonSchema({ type: 'array', uniqueItems: true }, { unsupported: 'ignore' }).matches('[1,1]')).toBe(true)
  expect(() => jsonSchema({ type: 'object', properties: { a: false }, required: ['a'] })).toThrow(
    /matches no finite text/,
  )
  expect(() => jsonSchema({ $ref: '#' })).toThrow(/begins with itself|no finite text/)
  const other = jsonSchema({ $ref: 'urn:x#/a' }, { schemas: { 'urn:x': { a: { const: 5 } } } as never })
  expect(other.matches('5')).toBe(true)
})

test('result types are inferred from the schema', () => {
  const grammar = jsonSchema(person)
  type Person = ReturnType<typeof grammar.parse>
  expectTypeOf<Person['name']>().toEqualTypeOf<string>()
  expectTypeOf<Person['age']>().toEqualTypeOf<number>()
  expectTypeOf<Person['mood']>().toEqualTypeOf<'good' | 'bad' | null | 3>()
  expectTypeOf<Person['tags']>().toEqualTypeOf<string[] | undefined>()
  expectTypeOf<NonNullable<Person['friends']>[number]['name']>().toEqualTypeOf<string>()
  expect(grammar.parse('{"name":"Ada","age":36,"mood":"good"}').age).toBe(36)
  expect(() => grammar.parse('{"name":"Ada"}')).toThrow(/a text of the grammar/)
})

test('and from a Standard Schema such as zod', () => {
  const schema = z.object({
    city: z.string().min(2),
    people: z.number().int().min(0).optional(),
    kind: z.enum(['town', 'village']),
  })
  const grammar = jsonSchema(schema)
  const city = grammar.parse('{"city":"Oslo","kind":"town"}')
  expectTypeOf(city).toEqualTypeOf<{ city: string; people?: number | undefined; kind: 'town' | 'village' }>()
  expect(city.kind).toBe('town')
  expect(grammar.matches('{"city":"O","kind":"town"}')).toBe(false)
  const random = new Random(3)
  for (let i = 0; i < 50; i++) {
    const text = write(grammar, random)
    if (text !== undefined) expect(schema.safeParse(JSON.parse(text)).success).toBe(true)
  }
})

describe('references to other documents', () => {
  const documents: Record<string, Schema> = {
    'https://x.org/a/node.json': {
      type: 'object',
      properties: { value: { $ref: 'defs.json#/$defs/v' }, next: { $ref: '#' } },
      required: ['value'],
      additionalProperties: false,
    },
    'https://x.org/a/defs.json': {
      $defs: { v: { anyOf: [{ $ref: '#/$defs/w' }, { $ref: '../root.json#/$defs/own' }] }, w: { const: 1 } },
    },
  }
  const schema: Schema = {
    $id: 'https://x.org/root.json',
    type: 'array',
    items: { $ref: 'a/node.json' },
    minItems: 1,
    $defs: { own: { enum: ['x', { $ref: 'https://never.fetched' }] } },
  }

  test('are loaded through a function, relative ones and those back to the root too', async () => {
    const loaded: string[] = []
    const schemas = await loadSchemas(schema, async uri => {
      loaded.push(uri)
      return documents[uri]!
    })
    expect(loaded.sort()).toEqual(Object.keys(documents).sort())
    const grammar = jsonSchema(schema, { schemas })
    for (const [text, is] of [
      ['[{"value":1}]', true],
      ['[{"value":"x","next":{"value":1,"next":{"value":"x"}}}]', true],
      ['[{"value":2}]', false],
      ['[{"value":1,"next":{}}]', false],
    ] as const)
      expect([text, grammar.matches(text)]).toEqual([text, is])
  })

  test('without a base, names are what `load` gets', async () => {
    const schemas = await loadSchemas({ $ref: 'defs' }, name => ({ const: name }))
    expect(jsonSchema({ $ref: 'defs' }, { schemas }).matches('"defs"')).toBe(true)
  })
})
