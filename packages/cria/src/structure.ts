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

/**
 * Reads and checks the structure that is asked for. Given the model's tokenizer, the result makes what makes the stage,
 * anew for each text; the masks are shared. Undefined where no structure is asked for.
 */
export async function readStructure(
  options: StructureOptions,
): Promise<((tokenizer: Tokenizer) => () => GrammarSampler) | undefined> {
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
  if (options[kind] === '') throw new UsageError(`${FLAGS[kind]}: got nothing, expected ${EXPECTED[kind]}`)
  const grammarFor = await readGrammar(kind, options[kind]!, options.ignoreUnsupported ? 'ignore' : 'error')
  return tokenizer => {
    const vocabulary = vocabularyOf(tokenizer)
    const grammar = grammarFor(text => tokenizer.idOf(text))
    const lazy = trigger && { lazy: triggersOf(trigger, tokenizer, grammar) }
    return () => constrain(grammar, { vocabulary, ...lazy })
  }
}

/** A special token has no text to be found in: it is watched for by its id. */
function triggersOf(
  trigger: readonly string[],
  tokenizer: Tokenizer,
  grammar: Grammar<unknown>,
): { tokens: number[]; words: string[] } {
  const found = { tokens: [] as number[], words: [] as string[] }
  for (const word of trigger) {
    const id = tokenizer.idOf(word)
    // what a grammar names by its token has no text either
    const begins = word !== '' && (grammar.machine.pda.hasTokens || grammar.matchesPrefix(word))
    if (id !== undefined && tokenizer.isSpecial(id)) found.tokens.push(id)
    else if (begins) found.words.push(word)
    else throw new UsageError(`--trigger: got ${JSON.stringify(word)}, expected a text that the structure begins with`)
  }
  return found
}

const FLAGS = {
  grammar: '--grammar',
  jsonSchema: '--json-schema',
  regex: '--regex',
  choices: '--choices',
} as const
const EXPECTED = {
  grammar: 'a file of GBNF',
  jsonSchema: 'a file, or a schema in braces',
  regex: 'a regular expression',
  choices: 'texts: a,b,c',
} as const

type GrammarFor = (token: (text: string) => number | undefined) => Grammar<unknown>

async function readGrammar(
  kind: 'grammar' | 'jsonSchema' | 'regex' | 'choices',
  value: string,
  unsupported: 'error' | 'ignore',
): Promise<GrammarFor> {
  switch (kind) {
    case 'grammar': {
      const source = await read('--grammar', value)
      const parsed: GrammarFor = token => gbnf(source, { token }) as Grammar<unknown>
      // Checked now, as if every token that it names were there.
      blame('--grammar', value, () => parsed(() => 0))
      return parsed
    }
    case 'regex': {
      const made = blame('--regex', undefined, () => regex(value) as Grammar<unknown>)
      return () => made
    }
    case 'choices': {
      const texts = value.split(',')
      if (texts.includes('')) throw new UsageError(`--choices: got ${value}, expected texts with a comma between them`)
      const made = choices(texts) as Grammar<unknown>
      return () => made
    }
    case 'jsonSchema': {
      const file = value.trimStart().startsWith('{') ? undefined : value
      const schema = parse(file ? await read('--json-schema', file) : value, file)
      const schemas = await loadSchemas(schema, loadSchema, file ? { base: pathToFileURL(resolve(file)).href } : {})
      const made = blame('--json-schema', file, () => jsonSchema(schema, { schemas, unsupported }) as Grammar<unknown>)
      return () => made
    }
  }
}

/** Runs it. What it refuses is the fault of the command line itself, or of the file that the option names. */
function blame<T>(flag: string, file: string | undefined, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Error && Symbol.for('cria.error') in error)) throw error
    const why = error.message.replace(/^\w+: /, '')
    throw file === undefined ? new UsageError(`${flag}: ${why}`) : new InputError(`${flag}: ${file}: ${why}`)
  }
}

/** A schema that another refers to: from the web, or a file beside it. */
async function loadSchema(uri: string): Promise<Schema> {
  if (uri.startsWith('file:')) return parse(await read('--json-schema', fileURLToPath(uri)), uri)
  const response = await fetch(uri)
  if (!response.ok) throw new InputError(`--json-schema: got ${response.status} for ${uri}, expected a schema there`)
  return parse(await response.text(), uri)
}

function parse(text: string, file: string | undefined): Schema {
  try {
    return JSON.parse(text) as Schema
  } catch (error) {
    const why = `got ${(error as Error).message}, expected JSON`
    throw file === undefined
      ? new UsageError(`--json-schema: ${why}`)
      : new InputError(`--json-schema: ${file}: ${why}`)
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
