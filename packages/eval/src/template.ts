/** Jinja templates over a document, as lm-eval renders them: undefined names are errors, trailing newlines stay. */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { EvaluationError } from './errors.js'
import { capitalize } from './python.js'
import type { Doc } from './task.js'

type RuntimeValue = ReturnType<Environment['set']>

/** Renders one template for many documents. */
export function template(source: string): (doc: Doc) => string {
  const program = parsed(source)
  return doc => {
    const fields = new Environment()
    for (const [name, value] of Object.entries({
      range,
      true: true,
      false: false,
      True: true,
      False: false,
      none: null,
      None: null,
    }))
      fields.set(name, value)
    for (const [name, value] of Object.entries(doc)) addMethods(fields.set(name, value), fields)
    try {
      return String(new Interpreter(strict(fields, source, Object.keys(doc))).run(program).value)
    } catch (cause) {
      if (cause instanceof EvaluationError) throw cause
      throw new EvaluationError(
        `template: got ${JSON.stringify(source)}, which fails on a document with ${Object.keys(doc).join(', ')}: ${(cause as Error).message}`,
        { op: 'template', got: source },
      )
    }
  }
}

function parsed(source: string): ReturnType<typeof parse> {
  try {
    // The tokenizer takes one newline off the end, which lm-eval keeps.
    return parse(tokenize(source.endsWith('\n') ? `${source}\n` : source))
  } catch (cause) {
    throw new EvaluationError(
      `template: got ${JSON.stringify(source)}, expected one that can be read (${(cause as Error).message})`,
      { op: 'template', got: source },
    )
  }
}

/** A name that neither the document nor the template has set is an error, not an empty text. */
function strict(environment: Environment, source: string, known: readonly string[]): Environment {
  const look = environment.lookupVariable.bind(environment)
  environment.lookupVariable = name => {
    const value = look(name)
    if (value.type === 'UndefinedValue')
      throw new EvaluationError(
        `template: got ${name} in ${JSON.stringify(source)}, expected one of the document's fields: ${known.join(', ')}`,
        { op: 'template', got: name },
      )
    return value
  }
  return environment
}

const range = (from: number, to?: number): number[] =>
  to === undefined
    ? Array.from({ length: from }, (_, i) => i)
    : Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)

/** Python's methods that task files use and this Jinja lacks. */
function addMethods(value: RuntimeValue, environment: Environment): void {
  const method = (name: string, body: (...args: never[]) => unknown): void => {
    // Values of every kind that gets methods here keep them in a map of their own.
    ;(value.builtins as Map<string, RuntimeValue>).set(name, new Environment(environment).set('method', body))
  }
  if (value.type === 'ArrayValue') {
    const items = value.value as RuntimeValue[]
    for (const item of items) addMethods(item, environment)
    method('index', (wanted: unknown) =>
      found(
        items.findIndex(item => item.value === wanted),
        wanted,
      ),
    )
  } else if (value.type === 'ObjectValue') {
    for (const item of (value.value as Map<string, RuntimeValue>).values()) addMethods(item, environment)
  } else if (value.type === 'StringValue') {
    const text = value.value as string
    method('index', (wanted: string) => found(text.indexOf(wanted), wanted))
    method('capitalize', () => capitalize(text))
  }
}

function found(index: number, wanted: unknown): number {
  if (index >= 0) return index
  throw new EvaluationError(`template: got index(${JSON.stringify(wanted)}), expected something that is there`, {
    op: 'template',
    got: wanted,
  })
}
