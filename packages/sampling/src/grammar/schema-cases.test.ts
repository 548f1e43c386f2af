/** Single schemas, each with instances that it allows and instances that it does not. */
import { expect, test } from 'vitest'
import { type JsonSchemaOptions, jsonSchema } from '../grammar.js'

/** A text in angle brackets stands for itself, anything else for its JSON. */
const written = (instance: unknown): string =>
  typeof instance === 'string' && /^<.*>$/.test(instance) ? instance.slice(1, -1) : JSON.stringify(instance)

function holds(schema: object, valid: unknown[], invalid: unknown[], options: JsonSchemaOptions = {}): void {
  const grammar = jsonSchema(schema, options)
  for (const instance of valid)
    expect([schema, written(instance), grammar.matches(written(instance))]).toEqual([schema, written(instance), true])
  for (const instance of invalid)
    expect([schema, written(instance), grammar.matches(written(instance))]).toEqual([schema, written(instance), false])
}

/** States of the automaton, those that a text made it lower included. */
function statesOf(schema: object, text: string): number {
  const grammar = jsonSchema(schema)
  expect(grammar.matches(text)).toBe(true)
  return grammar.machine.pda.final.length
}

test('bounds of many digits cost a few states a digit', () => {
  const safe = { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
  expect(statesOf(safe, '5')).toBeLessThan(2000)
  holds(safe, ['<9007199254740991>', '<-9007199254740991>', 0], ['<9007199254740992>', '<-9007199254740992>'])
  const wide = { type: 'integer', minimum: -(2 ** 63), maximum: 1e21 }
  expect(statesOf(wide, '5')).toBeLessThan(3000)
  holds(
    wide,
    ['<1000000000000000000000>', '<-9223372036854775808>', '<999999999999999999999>'],
    ['<1000000000000000000001>', '<-9223372036854775809>'],
  )
  const number = { type: 'number', minimum: 1e-7, maximum: 1e21 }
  expect(statesOf(number, '5')).toBeLessThan(3000)
  holds(number, ['<0.0000001>', '<1000000000000000000000.0>'], ['<0.00000009>', '<1000000000000000000000.1>'])
  expect(statesOf({ type: 'number', maximum: Number.MAX_VALUE }, '5')).toBeLessThan(9000)
})

test('what stands twice costs once: nesting does not multiply', () => {
  let nested: object = { type: 'integer' }
  for (let i = 0; i < 60; i++) nested = { type: 'array', items: nested }
  expect(statesOf(nested, `${'['.repeat(60)}1,2${']'.repeat(60)}`)).toBeLessThan(5000)
})

test('schemas that hold themselves beside other keywords come to an end', () => {
  const tree = {
    $defs: {
      Node: {
        type: 'object',
        properties: { value: { type: 'integer' }, next: { allOf: [{ $ref: '#/$defs/Node' }], title: 'Next' } },
        required: ['value'],
        additionalProperties: false,
      },
    },
    allOf: [{ $ref: '#/$defs/Node' }],
  }
  holds(
    tree,
    [{ value: 1, next: { value: 2, next: { value: 3 } } }],
    [
      { value: 1, next: {} },
      { value: 1, next: 1 },
    ],
  )
  const stricter = { type: 'object', properties: { v: true, next: { $ref: '#', required: ['v'] } } }
  holds(stricter, [{ next: { v: 1, next: { v: 2 } } }], [{ next: {} }, { next: { v: 1, next: {} } }])
  const optional = {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }], type: ['object', 'null'] } },
    required: ['next'],
  }
  holds(optional, [{ next: { next: null } }], [{ next: {} }, { next: 1 }])
  const both = {
    $ref: '#/$defs/a',
    $defs: {
      a: { type: 'object', properties: { n: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] } } },
      b: { type: 'object', properties: { n: { $ref: '#/$defs/b' }, z: { type: 'integer' } } },
    },
  }
  holds(both, [{ n: { n: { n: { z: 1 } } } }], [{ n: { n: { n: { z: 's' } } } }])
  const dereferenced: Record<string, unknown> = { type: 'object', additionalProperties: false }
  dereferenced.properties = { child: dereferenced }
  holds(dereferenced, [{ child: { child: {} } }], [{ child: 1 }])
})

test('items of a tuple, in whatever order the keywords stand', () => {
  holds({ type: 'array', items: false, prefixItems: [{ type: 'number' }] }, [[1], []], [[1, 2], ['a']])
  holds({ type: 'array', items: { type: 'string' }, prefixItems: [{ type: 'number' }] }, [[1, 'a']], [['a'], [1, 2]])
  holds({ type: 'array', additionalItems: false, items: [{ type: 'number' }] }, [[1], []], [[1, 2]])
  const two = [{ prefixItems: [{}, {}, {}] }, { prefixItems: [{}], items: { type: 'string' } }]
  holds(
    { type: 'array', allOf: two },
    [[1, 'a', 'b', 'c']],
    [
      [1, 2],
      [1, 'a', 3],
      [1, 'a', 'b', 4],
    ],
  )
  holds(
    { type: 'array', allOf: [...two].reverse() },
    [[1, 'a', 'b', 'c']],
    [
      [1, 2],
      [1, 'a', 3],
      [1, 'a', 'b', 4],
    ],
  )
})

test('listed values are held to the rest of the schema', () => {
  const patternProperties = { '^x': { type: 'string' } }
  holds({ enum: [{ x: 1 }, { x: 's' }], patternProperties }, [{ x: 's' }], [{ x: 1 }])
  holds({ enum: [{ x: 1 }, { x: 's' }], properties: { x: {} }, patternProperties }, [{ x: 's' }], [{ x: 1 }])
  holds({ enum: [{ x: 1 }, { yy: 1 }], propertyNames: { maxLength: 1 } }, [{ x: 1 }], [{ yy: 1 }])
  holds({ enum: [0.3, 0.35], multipleOf: 0.1 }, [0.3], [0.35])
  holds({ allOf: [{ enum: [{ a: 1, b: 2 }] }, { enum: [{ b: 2, a: 1 }] }] }, [{ a: 1, b: 2 }], [])
  // a branch that leaves no value is no branch
  holds({ enum: [1, 'a'], anyOf: [{ const: 2 }, { type: 'string', anyOf: [{ minLength: 1 }] }] }, ['a'], [1, 2])
})

test('names of properties: lists, alternatives and references too', () => {
  const named = (propertyNames: unknown): object => ({ type: 'object', propertyNames, additionalProperties: true })
  holds(named({ anyOf: [{ pattern: '^a' }, { const: 'b' }] }), [{ ab: 1 }, { b: 1 }], [{ c: 1 }, { ba: 1 }])
  holds(named({ enum: ['a', 'bb'], maxLength: 1 }), [{ a: 1 }], [{ bb: 1 }])
  holds(named({ type: 'integer' }), [{}], [{ a: 1 }])
})

test('oneOf is read within what stands around it', () => {
  const around = { type: 'object', properties: { kind: { type: 'string' } }, required: ['kind'] }
  const oneOf = ['a', 'b'].map(kind => ({ properties: { kind: { const: kind } } }))
  holds({ ...around, oneOf }, [{ kind: 'a' }, { kind: 'b' }], [{ kind: 'c' }, {}])
  const same = [{ const: { a: 1, b: 2 } }, { const: { b: 2, a: 1 } }]
  expect(() => jsonSchema({ oneOf: same })).toThrow(/may both hold/)
})

test('keywords that ask for nothing as they stand', () => {
  holds({ type: 'array', uniqueItems: false }, [[1, 1]], [1])
  holds({ type: 'object', required: [] }, [{}], [1])
  holds({ type: 'string', if: true, minContains: 2 }, ['a'], [1])
  holds({ type: 'string', else: false }, ['a'], [1])
  holds({ type: 'object', dependentRequired: {}, unevaluatedProperties: true }, [{ a: 1 }], [1])
  holds({ type: 'integer', allOf: [{ multipleOf: 2 }, { multipleOf: 4 }] }, [4], [2])
})

test('what is no schema is named', () => {
  for (const schema of [null, 'string', [], 5]) expect(() => jsonSchema(schema as never)).toThrow(/expected an object/)
})

test('formats are held to, or refused', () => {
  const cases: [format: string, valid: string[], invalid: string[]][] = [
    ['uri', ['http://a.b:80/c?d=%20#e', 'urn:x', 'http://[::1]/'], ['a:%zz', 'http://[', 'http://a:b/', '//a', 'x:[']],
    ['uri-reference', ['//a/b', 'a/b', '../c?d', '', '#x', 'x:y'], ['/%zz', '1:b', '//a:b', '/[', ' ']],
    ['uri-template', ['http://x/{a,b*}{?c:3}', 'é'], ['{a', '{}', '{a:0}', '<']],
    ['iri', ['http://ü.x/é?ö', 'a:b'], ['no iri', '/é']],
    ['iri-reference', ['/é', 'ü', 'http://é'], ['é é', '%']],
    ['email', ['a.b+c@d-e.org'], ['a@-b.com', 'a@b-.com', 'é@b.com', 'a..b@c.de']],
    ['idn-email', ['é.日@b.com'], ['@b.com', 'é']],
    ['hostname', ['a.b-c', 'x'.repeat(63)], ['x'.repeat(64), 'a-.b']],
    ['relative-json-pointer', ['0', '12#', '1/a~0b'], ['/a', '01', '1a']],
  ]
  for (const [format, valid, invalid] of cases) holds({ type: 'string', format }, valid, invalid)
  holds({ type: 'integer', format: 'int32' }, [2147483647, -2147483648], [2147483648, -2147483649])
  holds({ type: 'integer', format: 'int64' }, ['<9223372036854775807>'], ['<9223372036854775808>'])
  holds({ type: 'integer', format: 'uint8', maximum: 200 }, [0, 200], [-1, 201])
  holds({ type: 'string', format: 'int64' }, ['12'], [12])
  for (const format of ['regex', 'idn-hostname']) expect(() => jsonSchema({ type: 'string', format })).toThrow(/format/)
})
