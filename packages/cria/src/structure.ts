/** The structure that options hold a text to: a grammar file, a JSON Schema, a regular expression, a list of choices. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  choices,
  constrain,
  type Grammar,
  type GrammarSampler,
  GrammarVocabulary,
  gbnf,
  jsonSchema,
  loadSchemas,
  regex,
  type Schema,
} from '@cria/sampling/grammar'
import type { Tokenizer } from '@cria/tokenizer'
import { InputError, UsageError } from './errors.js'

export interface StructureOptions {
  readonly grammar?: string
  readonly jsonSchema?: string
  readonly regex?: string
  readonly choices?: string
  readonly ignoreUnsupported?: boolean
  readonly trigger?: readonly string[]
}

/** Makes the stage, anew for each text; the masks are shared. Undefined where no structure is asked for. */
export async function structureOf(
  options: StructureOptions,
  tokenizer: Tokenizer,
): Promise<(() => GrammarSampler) | undefined> {
  const { trigger } = options
  const kinds = (['grammar', 'jsonSchema', 'regex', 'choices'] as const).filter(kind => options[kind] !== undefined)
  if (kinds.length > 1)
    throw new UsageError(
      `got ${kinds.length} structures, expected one of --grammar, --json-schema, --regex and --choices`,
    )
  const [kind] = kinds
  if (!kind) {
    if (trigger) throw new UsageError('--trigger: got no structure, expected one that the trigger switches on')
    return undefined
  }
  const vocabulary = vocabularyOf(tokenizer)
  const grammar = await grammarOf(kind, options[kind]!, options.ignoreUnsupported ? 'ignore' : 'error', tokenizer)
  const lazy = trigger && { lazy: { words: trigger } }
  return () => constrain(grammar, { vocabulary, ...lazy })
}

async function grammarOf(
  kind: 'grammar' | 'jsonSchema' | 'regex' | 'choices',
  value: string,
  unsupported: 'error' | 'ignore',
  tokenizer: Tokenizer,
): Promise<Grammar<unknown>> {
  switch (kind) {
    case 'grammar':
      return gbnf(await read('--grammar', value), { token: text => tokenizer.idOf(text) }) as Grammar<unknown>
    case 'regex':
      return regex(value) as Grammar<unknown>
    case 'choices':
      return choices(value.split(',')) as Grammar<unknown>
    case 'jsonSchema': {
      const inline = value.trimStart().startsWith('{')
      const schema = parse(inline ? value : await read('--json-schema', value))
      const base = inline ? undefined : pathToFileURL(resolve(value)).href
      const schemas = await loadSchemas(schema, loadSchema, base === undefined ? {} : { base })
      return jsonSchema(schema, { schemas, unsupported }) as Grammar<unknown>
    }
  }
}

/** A schema that another refers to: from the web, or a file beside it. */
async function loadSchema(uri: string): Promise<Schema> {
  if (uri.startsWith('file:')) return parse(await read('--json-schema', fileURLToPath(uri)))
  const response = await fetch(uri)
  if (!response.ok) throw new InputError(`--json-schema: got ${response.status} for ${uri}, expected a schema there`)
  return parse(await response.text())
}

function parse(text: string): Schema {
  try {
    return JSON.parse(text) as Schema
  } catch (error) {
    throw new InputError(`--json-schema: got ${(error as Error).message}, expected JSON`)
  }
}

async function read(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new InputError(`${flag}: got ${path}, expected a file that can be read (${(error as Error).message})`)
  }
}

const vocabularies = new WeakMap<Tokenizer, GrammarVocabulary>()

/** The bytes of every token; special ones stand for no text. */
function vocabularyOf(tokenizer: Tokenizer): GrammarVocabulary {
  let known = vocabularies.get(tokenizer)
  if (!known) {
    const tokens = Array.from({ length: tokenizer.vocabSize }, (_, id) =>
      tokenizer.isSpecial(id) ? undefined : tokenizer.bytes(id),
    )
    known = new GrammarVocabulary(tokens, { eos: tokenizer.eosIds })
    vocabularies.set(tokenizer, known)
  }
  return known
}
