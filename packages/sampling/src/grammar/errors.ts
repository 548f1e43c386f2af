/** Errors of grammars, regular expressions and schemas: where, what was found, what would be right. */
import { SamplingError } from '../errors.js'

/** A grammar or regular expression that cannot be read or compiled. */
export class GrammarError extends SamplingError {
  /** Offset into the source, where there is one. */
  readonly at: number | undefined

  constructor(op: string, got: string, expected: string, fix: string, at?: number) {
    super('grammar', `${op}: got ${got}, expected ${expected}.${fix && ` ${fix}`}`, { op, got, expected })
    this.at = at
  }
}

/** A JSON Schema that cannot be turned into a grammar, or that nothing satisfies. `path` points into the schema. */
export class SchemaError extends SamplingError {
  readonly path: string

  constructor(path: string, got: string, expected: string, fix: string = '') {
    const where = path === '' ? '#' : `#${path}`
    super('schema', `jsonSchema: got ${got} at ${where}, expected ${expected}.${fix && ` ${fix}`}`, {
      op: 'jsonSchema',
      got,
      expected,
    })
    this.path = where
  }
}
