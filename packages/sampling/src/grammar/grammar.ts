/** The ways to state a grammar, and the compiled thing itself. */
import { ParameterError } from '../errors.js'
import { BEGIN, exactly, toDfa } from './dfa.js'
import { GrammarError } from './errors.js'
import type { Expr, GrammarRules } from './expr.js'
import { parseGbnf, type TokenLookup } from './gbnf.js'
import type { FromSchema, StandardSchema } from './infer.js'
import { type JsonSchemaOptions, schemaRules } from './json-schema.js'
import { Pda } from './lower.js'
import { type Config, Machine } from './machine.js'
import { MaskBuilder } from './mask.js'
import { parseRegex } from './regex.js'
import type { Schema } from './schema-merge.js'
import type { GrammarVocabulary } from './vocabulary.js'

/** A compiled grammar. Immutable to its users; masks found for a vocabulary are shared by all texts. */
export class Grammar<T = string> {
  readonly machine: Machine
  readonly #masks = new WeakMap<GrammarVocabulary, MaskBuilder>()
  readonly #parse: (text: string) => T

  constructor(rules: () => GrammarRules, parse: (text: string) => T) {
    this.machine = guarded(() => {
      const machine = new Machine(new Pda(rules()))
      machine.initial()
      return machine
    })
    this.#parse = parse
  }

  /** Whether a whole text is of the grammar. */
  matches(text: string): boolean {
    return this.#run(text)?.accepting ?? false
  }

  /** Whether a text can be continued to one of the grammar. */
  matchesPrefix(text: string): boolean {
    return this.#run(text) !== null
  }

  /** The value that a text of the grammar stands for: the text itself, or for JSON the parsed value. */
  parse(text: string): T {
    if (!this.matches(text))
      throw new ParameterError('grammar.parse', 'text', text.slice(0, 80), 'a text of the grammar')
    return this.#parse(text)
  }

  /** The token masks for a vocabulary. */
  masks(vocabulary: GrammarVocabulary): MaskBuilder {
    let builder = this.#masks.get(vocabulary)
    if (!builder) this.#masks.set(vocabulary, (builder = new MaskBuilder(this.machine, vocabulary)))
    return builder
  }

  #run(text: string): Config | null {
    let config: Config | null = this.machine.initial()
    for (const byte of new TextEncoder().encode(text)) {
      config = this.machine.step(config, byte)
      if (!config) return null
    }
    return config
  }
}

/** Parsers and compilers recurse with the nesting of what they read: too deep is an error of ours, not of the stack. */
function guarded<R>(run: () => R): R {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new GrammarError('grammar', 'a grammar nested too deeply', 'less nesting', 'Split it into rules.')
  }
}

const same = (text: string): string => text

function anchored(expr: Expr): boolean {
  if (expr.kind === 'class') return expr.ranges.some(([low]) => low >= BEGIN)
  if (expr.kind === 'repeat') return anchored(expr.item)
  return (expr.kind === 'seq' || expr.kind === 'alt') && expr.items.some(anchored)
}

/**
 * A grammar in llama.cpp's GBNF. Left recursion is refused, as there. `<[12]>` is the token 12, `<think>` the token that
 * `token` finds for this text, `!<think>` every other one: whole tokens, special ones too.
 *
 * @example
 * gbnf('root ::= "yes" | "no"').matches('yes') // true
 */
export function gbnf(
  source: string,
  { root = 'root', token }: { root?: string; token?: TokenLookup } = {},
): Grammar<string> {
  return new Grammar(() => parseGbnf(source, root, token), same)
}

/**
 * The whole text matches a regular expression (as if written ^(?:…)$). No look-around, backreferences, or flag i.
 *
 * @example
 * regex(/[A-Z][a-z]+ \d{4}/).matches('Paris 1889') // true
 */
export function regex(pattern: RegExp | string): Grammar<string> {
  const [source, flags] = typeof pattern === 'string' ? [pattern, ''] : [pattern.source, pattern.flags]
  return new Grammar(() => {
    const expr = parseRegex(source, flags)
    // only anchors need the detour over an automaton; without, repetitions stay countable and masks are shared
    const body: Expr = anchored(expr) ? { kind: 'dfa', dfa: toDfa(expr, 'whole'), json: false } : expr
    return { rules: [{ name: 'root', body }], root: 0 }
  }, same)
}

/**
 * One of a list of texts.
 *
 * @example
 * const mood = choices(['good', 'bad']) // Grammar<'good' | 'bad'>
 */
export function choices<const C extends string>(list: readonly C[]): Grammar<C> {
  if (list.length === 0) throw new ParameterError('choices', 'list', list, 'at least one text')
  const body = { kind: 'dfa', dfa: exactly(list), json: false } as const
  return new Grammar(
    () => ({ rules: [{ name: 'root', body }], root: 0 }),
    text => text as C,
  )
}

/** Any JSON value. */
export function json(options: JsonSchemaOptions = {}): Grammar<unknown> {
  return jsonSchema(true, options)
}

/**
 * Instances of a JSON Schema, or of a Standard Schema that can say itself as JSON Schema (zod from 4.2, valibot,
 * arktype). The result's type is inferred from either.
 *
 * @throws SchemaError for keywords that a grammar cannot enforce (see `unsupported`) and for schemas nothing satisfies.
 *
 * @example
 * const city = jsonSchema({
 *   type: 'object',
 *   properties: { name: { type: 'string' }, people: { type: 'integer', minimum: 0 } },
 *   required: ['name'],
 * })
 * city.parse('{"name":"Paris"}').name // string
 */
export function jsonSchema<Output>(schema: StandardSchema<Output>, options?: JsonSchemaOptions): Grammar<Output>
export function jsonSchema<const S>(schema: S, options?: JsonSchemaOptions): Grammar<FromSchema<S>>
export function jsonSchema(schema: unknown, options: JsonSchemaOptions = {}): Grammar<unknown> {
  return new Grammar(
    () => schemaRules(plain(schema), options),
    text => JSON.parse(text) as unknown,
  )
}

function plain(schema: unknown): Schema {
  const standard = (schema as Partial<StandardSchema> | null)?.['~standard']
  if (!standard) return schema as Schema
  const make = standard.jsonSchema?.output
  if (!make) {
    throw new ParameterError(
      'jsonSchema',
      'schema',
      standard.vendor,
      'a schema that has ~standard.jsonSchema',
      'Convert it, e.g. z.toJSONSchema(schema).',
    )
  }
  return make({ target: 'draft-2020-12' })
}
