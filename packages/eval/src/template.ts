/**
 * Jinja templates over a document, as lm-eval renders them: values are written as Python writes them, undefined names
 * are errors, trailing newlines stay. What the two Jinjas do otherwise and this file does not know is refused.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { EvaluationError } from './errors.js'
import { callMethod, itemsOf } from './python-methods.js'
import { equal, pythonValue, type RuntimeValue, str } from './python-values.js'
import type { Doc } from './task.js'
import { applyPythonFilter, keptFilters } from './template-filters.js'

/** A node of a parsed template, with the fields that are read here. */
interface Node {
  readonly type: string
  readonly value?: unknown
  readonly [field: string]: unknown
}

/** What the interpreter has beside `run`; its declared types keep these to themselves. */
interface Parts {
  run(program: unknown): RuntimeValue
  evaluate(node: Node, scope: Environment): RuntimeValue
  evaluateBlock(nodes: readonly Node[], scope: Environment): RuntimeValue
  evaluateBinaryExpression(node: Node, scope: Environment): RuntimeValue
  evaluateCallExpression(node: Node, scope: Environment): RuntimeValue
  evaluateMemberExpression(node: Node, scope: Environment): RuntimeValue
  evaluateIdentifier(node: Node, scope: Environment): RuntimeValue
  evaluateTestExpression(node: Node, scope: Environment): RuntimeValue
  evaluateSelectExpression(node: Node, scope: Environment): RuntimeValue
  evaluateFilterExpression(node: Node, scope: Environment): RuntimeValue
  applyFilter(operand: RuntimeValue, filter: Node, scope: Environment): RuntimeValue
  evaluateArguments(args: readonly Node[], scope: Environment): [RuntimeValue[], Map<string, RuntimeValue>]
}

/** Renders one template for many documents. */
export function template(source: string): (doc: Doc) => string {
  const program = parsed(source)
  return doc => {
    const fields = new Environment()
    const names = { range, ...doc, true: true, false: false, True: true, False: false, none: null, None: null }
    for (const [name, value] of Object.entries(names)) fields.setVariable(name, pythonValue(value))
    try {
      return str(pythonInterpreter(fields).run(program))
    } catch (cause) {
      throw new EvaluationError(
        `template: got ${JSON.stringify(source)}, which fails on a document with ${Object.keys(doc).join(', ')}: ${(cause as Error).message}. Expected a template of the document's fields: ${Object.keys(doc).join(', ')}`,
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

/** Statements that write nothing. */
const silent = ['Set', 'Macro', 'Comment']
/** A value that is there already, where the interpreter wants a node. */
const held = (value: RuntimeValue): Node => ({ type: 'Held', value })

function pythonInterpreter(fields: Environment): Parts {
  const it = new Interpreter(fields) as unknown as Parts
  const base = {
    evaluate: it.evaluate.bind(it),
    binary: it.evaluateBinaryExpression.bind(it),
    call: it.evaluateCallExpression.bind(it),
    member: it.evaluateMemberExpression.bind(it),
    identifier: it.evaluateIdentifier.bind(it),
    test: it.evaluateTestExpression.bind(it),
    select: it.evaluateSelectExpression.bind(it),
    filtered: it.evaluateFilterExpression.bind(it),
    filter: it.applyFilter.bind(it),
  }
  /** Within `is defined` and `default`, what is missing is no error. */
  let lenient = 0
  const within = <T>(missing: boolean, work: () => T): T => {
    lenient += missing ? 1 : 0
    try {
      return work()
    } finally {
      lenient -= missing ? 1 : 0
    }
  }
  const there = (value: RuntimeValue, name: unknown): RuntimeValue => {
    if (value.type !== 'UndefinedValue' || lenient > 0) return value
    throw new Error(`${String(name)} is not there`)
  }

  it.evaluate = (node, scope) => (node?.type === 'Held' ? (node.value as RuntimeValue) : base.evaluate(node, scope))
  it.evaluateBlock = (nodes, scope) => {
    let text = ''
    for (const node of nodes) {
      const value = it.evaluate(node, scope)
      if (!silent.includes(node.type)) text += str(value)
    }
    return pythonValue(text)
  }
  it.evaluateIdentifier = (node, scope) => there(base.identifier(node, scope), node.value)
  it.evaluateTestExpression = (node, scope) =>
    within(['defined', 'undefined'].includes((node.test as Node).value as string), () => base.test(node, scope))
  it.evaluateSelectExpression = (node, scope) => {
    const value = base.select(node, scope)
    // `x if y` without an else is nothing, not something missing.
    return value.type === 'UndefinedValue' ? pythonValue('') : value
  }
  it.evaluateFilterExpression = (node, scope) =>
    within(filterName(node.filter as Node) === 'default', () => base.filtered(node, scope))
  it.applyFilter = (operand, filter, scope) => {
    const name = filterName(filter)
    const [args, named] =
      filter.type === 'Identifier' ? [[], new Map()] : it.evaluateArguments(filter.args as Node[], scope)
    const result = applyPythonFilter(operand, name, args, named.size > 0)
    if (result !== undefined) return result
    if (!keptFilters.includes(name)) throw new Error(`no filter ${name} here`)
    return base.filter(operand, filter, scope)
  }
  it.evaluateBinaryExpression = (node, scope) => {
    const operator = (node.operator as { value: string }).value
    if (operator === 'and' || operator === 'or') return base.binary(node, scope)
    const left = it.evaluate(node.left as Node, scope)
    const right = it.evaluate(node.right as Node, scope)
    return (
      pythonOperation(operator, left, right) ?? base.binary({ ...node, left: held(left), right: held(right) }, scope)
    )
  }
  it.evaluateCallExpression = (node, scope) => {
    const callee = node.callee as Node
    if (callee.type !== 'MemberExpression' || callee.computed) return base.call(node, scope)
    const self = it.evaluate(callee.object as Node, scope)
    const [args, named] = it.evaluateArguments(node.args as Node[], scope)
    if (named.size > 0) throw new Error(`no arguments by name here: ${[...named.keys()].join(', ')}`)
    return callMethod(self, String((callee.property as Node).value), args)
  }
  it.evaluateMemberExpression = (node, scope) => {
    const object = it.evaluate(node.object as Node, scope)
    const property = node.property as Node
    const byName = !node.computed && property.type === 'Identifier'
    if (byName && (object.type === 'StringValue' || Array.isArray(object.value)))
      throw new Error(`${object.type} has no ${String(property.value)}`)
    // Python counts code points.
    const text = object.type === 'StringValue' && property.type !== 'SliceExpression'
    const whole = text ? pythonValue(Array.from(object.value as string)) : object
    return there(base.member({ ...node, object: held(whole) }, scope), property.value ?? 'the element')
  }
  return it
}

const filterName = (filter: Node): string =>
  String(filter.type === 'Identifier' ? filter.value : (filter.callee as Node).value)

/** Where Python's operators do otherwise; undefined where they do not. */
function pythonOperation(operator: string, left: RuntimeValue, right: RuntimeValue): RuntimeValue | undefined {
  const texts = [left, right].filter(({ type }) => type === 'StringValue').length
  switch (operator) {
    case '==':
      return pythonValue(equal(left, right))
    case '!=':
      return pythonValue(!equal(left, right))
    case 'in':
    case 'not in':
      return Array.isArray(right.value)
        ? pythonValue(itemsOf(right).some(item => equal(item, left)) === (operator === 'in'))
        : undefined
    case '~':
      return pythonValue(str(left) + str(right))
    case '+':
      if (texts === 1) throw new Error(`cannot add ${left.type} and ${right.type}`)
      return undefined
    case '/':
    case '//':
    case '%':
      if (right.value === 0) throw new Error('division by zero')
      if (operator !== '%' || left.type !== 'IntegerValue' || right.type !== 'IntegerValue') return undefined
      // The sign is the divisor's.
      return pythonValue(
        (left.value as number) - (right.value as number) * Math.floor((left.value as number) / (right.value as number)),
      )
    default:
      return undefined
  }
}

/** Python's: to the end, from the beginning to the end, in steps. */
function range(...given: number[]): number[] {
  const [from, to, step] = given.length === 1 ? [0, given[0]!, 1] : [given[0]!, given[1]!, given[2] ?? 1]
  if (step === 0) throw new Error('range() with a step of 0')
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step)
}
