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
