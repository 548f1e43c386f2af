/**
 * Task files: lm-evaluation-harness's YAML (or the same keys as JSON), and plain JSON Lines of questions. What a file
 * cannot say without Python (`!function`) is refused by name.
 */
import { parse } from 'yaml'
import { EvaluationError } from './errors.js'
import type { MetricName } from './metrics.js'
import { literal } from './python.js'
import { pythonText } from './python-values.js'
import { type Doc, evaluatedSplit, type OutputType, type Target, type Task } from './task.js'
import { type Fields, Given, isFields, PythonFunction } from './task-keys.js'
import { filtersOf, generationOf, metricsOf } from './task-options.js'
import { template } from './template.js'

/** A task and the files that its splits are in, relative to the task file. */
export interface TaskFile {
  readonly task: Task
  readonly dataFiles: Readonly<Record<string, readonly string[]>>
  /** Another task file that this one builds on. */
  readonly include?: string
}

const defaults: Readonly<Record<OutputType, readonly MetricName[]>> = {
  multiple_choice: ['acc', 'acc_norm'],
  loglikelihood: ['perplexity', 'acc'],
  loglikelihood_rolling: ['word_perplexity', 'byte_perplexity', 'bits_per_byte'],
  generate_until: ['exact_match'],
}

/** The keys of a YAML or JSON task file, before they are read: for `include`. */
export function taskFields(text: string, name: string): Fields {
  let value: unknown
  try {
    value = parse(text, { customTags: [functionTag], logLevel: 'error' })
  } catch (error) {
    // Not the parser's own error alone: an alias of nothing, or too many, is another.
    throw new EvaluationError(`task ${name}: got no YAML or JSON: ${(error as Error).message}`, { op: 'task' })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new EvaluationError(`task ${name}: got ${typeof value}, expected keys such as task, output_type, doc_to_text`, {
    op: 'task',
  })
}

const functionTag = { tag: '!function', resolve: (name: string): PythonFunction => new PythonFunction(name) }

const splits = ['training', 'validation', 'test', 'fewshot'] as const
const used = [
  ...['task', 'output_type', 'doc_to_text', 'doc_to_target', 'doc_to_choice', 'description', 'metric_list'],
  ...['generation_kwargs', 'filter_list', 'num_fewshot', 'fewshot_config', 'fewshot_delimiter', 'target_delimiter'],
  ...['repeats', 'include', 'dataset_kwargs', ...splits.map(use => `${use}_split`)],
  // Not lm-eval's: documents in the file itself, and what stands for no question.
  ...['docs', 'unconditional_context'],
]
/** About the file, its place in lists, and where lm-eval finds its data: none of them changes what is computed here. */
const passedOver = [
  ...['metadata', 'tag', 'group', 'group_alias', 'task_alias', 'dataset_path', 'dataset_name', 'unsafe_code'],
  ...['should_decontaminate', 'doc_to_decontamination_query'],
]
/** These would. */
const refused = [
  ...['process_docs', 'process_results', 'use_prompt', 'gen_prefix', 'doc_to_image', 'doc_to_audio'],
  ...['custom_dataset', 'class', 'recipe', 'aggregate_metric_list'],
]

/**
 * A task from the fields of a file. `task`, `output_type`, `doc_to_text`, `doc_to_target`, `doc_to_choice`,
 * `metric_list`, `generation_kwargs`, `filter_list`, `num_fewshot`, `fewshot_config`, splits, delimiters, `description`,
 * `repeats`; data from `docs` (inline) or `dataset_kwargs.data_files`. lm-eval's other keys are passed over where they
 * do not change what is computed, and refused where they do.
 *
 * @throws EvaluationError for any other key, and for a value that the key cannot have.
 */
export function readTask(fields: Fields, name: string): TaskFile {
  const file = new Given(name, fields).only(...used, ...passedOver, ...refused)
  if (Array.isArray(file.any('task')))
    throw file.fail('task', file.any('task'), 'the name of one task. Groups are not read: name their tasks one by one')
  for (const key of refused)
    if (file.has(key)) throw file.fail(key, file.any(key), 'it absent: only templates are read from files')
  const outputType = file.oneOf('output_type', Object.keys(defaults) as OutputType[]) ?? 'generate_until'
  const rolling = outputType === 'loglikelihood_rolling'
  const counted = metricsOf(file)
  const fewshot = fewshotOf(file)
  const data = docsOf(file)
  const choice = choiceRule(file)
  const filters = filtersOf(file)
  const description = file.text('description')
  const targetDelimiter = file.text('target_delimiter')
  const fewshotDelimiter = file.text('fewshot_delimiter')
  const numFewshot = file.count('num_fewshot', 0)
  const repeats = file.count('repeats', 1)
  const unconditionalContext = file.text('unconditional_context')
  const task: Task = {
    name: file.text('task') ?? name,
    outputType,
    splits: { ...splitsOf(file, data), ...(fewshot.split !== undefined && { fewshot: fewshot.split }) },
    ...(data && { data }),
    docToText: textRule(file, rolling ? '' : 'text', choice !== undefined),
    docToTarget: targetRule(file, rolling ? 'text' : 'target', choice !== undefined),
    ...(choice !== undefined && { docToChoice: choice }),
    ...(description && { description: template(description) }),
    ...(targetDelimiter !== undefined && { targetDelimiter }),
    ...(fewshotDelimiter !== undefined && { fewshotDelimiter }),
    ...(numFewshot !== undefined && { numFewshot }),
    ...(fewshot.sampler !== undefined && { fewshotSampler: fewshot.sampler }),
    // Where both are given, lm-eval takes the split.
    ...(fewshot.samples !== undefined && fewshot.split === undefined && { fewshotSamples: fewshot.samples }),
    metrics: counted?.metrics ?? defaults[outputType],
    exactMatch: counted?.exactMatch ?? {},
    ...(outputType === 'generate_until' && { generation: generationOf(file, fewshotDelimiter ?? '\n\n') }),
    ...(filters && { filters }),
    ...(repeats !== undefined && { repeats }),
    ...(unconditionalContext !== undefined && { unconditionalContext }),
  }
  if (data !== undefined && !(evaluatedSplit(task) ?? ''))
    throw file.fail('docs', Object.keys(data), 'a test or validation split')
  const include = file.text('include')
  return { task, dataFiles: dataFilesOf(file), ...(include !== undefined && { include }) }
}

/**
 * A task from JSON Lines alone, each line one question: `{"query": …, "choices": […], "gold": 0}`. The choices are
 * scored by likelihood, after `query` and a space.
 */
export function questionsTask(name: string, docs: readonly Doc[]): Task {
  const fields = ['query', 'choices', 'gold']
  if (docs.length === 0 || !docs.some(doc => fields.every(field => field in doc)))
    throw new EvaluationError(
      `task ${name}: got lines with ${Object.keys(docs[0] ?? {}).join(', ') || 'nothing'}, expected query, choices and gold. Other fields need a task file that says how they are put`,
      { op: 'task' },
    )
  for (const [i, { query, choices, gold }] of docs.entries()) {
    const check = (field: string, fits: boolean, got: unknown, expected: string): void => {
      if (!fits)
        throw new EvaluationError(
          `task ${name}: question ${i + 1}: got ${field} ${JSON.stringify(got)}, expected ${expected}`,
          { op: 'task', got, expected },
        )
    }
    const listed = Array.isArray(choices) && choices.length > 0 && choices.every(choice => typeof choice === 'string')
    check('query', typeof query === 'string', query, 'a text')
    check('choices', listed, choices, 'a list of texts')
    const last = (choices as string[]).length - 1
    const inside = Number.isInteger(gold) && (gold as number) >= 0 && (gold as number) <= last
    check('gold', inside, gold, `the index of a choice, 0 … ${last}`)
  }
  return {
    name,
    outputType: 'multiple_choice',
    splits: { test: 'test' },
    data: { test: docs },
    docToText: doc => doc.query as string,
    docToChoice: doc => doc.choices as string[],
    docToTarget: doc => doc.gold as number,
    metrics: ['acc', 'acc_norm'],
  }
}

/** One JSON object a line; empty lines are skipped. */
export function parseJsonLines(text: string, name: string): Doc[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((line, i) => {
      if (line.trim() === '') return []
      try {
        const value: unknown = JSON.parse(line)
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) return [value as Doc]
      } catch {
        // Said below, with the line.
      }
      throw new EvaluationError(`${name}: line ${i + 1}: got ${line.slice(0, 60)}, expected a JSON object`, {
        op: 'data',
      })
    })
}

function splitsOf(file: Given, data: Readonly<Record<string, unknown>> | undefined): Task['splits'] {
  const named = Object.fromEntries(
    splits.flatMap(use => {
      const split = file.text(`${use}_split`)
      return split === undefined ? [] : [[use, split]]
    }),
  ) as Task['splits']
  // Documents that come with the task need no names for their only split.
  return data && 'test' in data && evaluatedSplit({ splits: named } as Task) === undefined
    ? { ...named, test: 'test' }
    : named
}

/** `docs`: a list, which is the test split, or a mapping of splits to lists. */
function docsOf(file: Given): Readonly<Record<string, readonly Doc[]>> | undefined {
  const docs = file.any('docs')
  if (docs === undefined) return undefined
  const data = isFields(docs) ? docs : { test: docs }
  for (const list of Object.values(data))
    if (!Array.isArray(list) || !list.every(isFields)) throw file.fail('docs', list, 'a list of documents')
  return data as Readonly<Record<string, readonly Doc[]>>
}

interface FewshotConfig {
  readonly sampler?: 'default' | 'first_n'
  readonly split?: string
  readonly samples?: readonly Doc[]
}

/** `fewshot_config`: what puts examples otherwise than questions is refused. */
function fewshotOf(file: Given): FewshotConfig {
  const given = file.mapping('fewshot_config')
  for (const key of Object.keys(given?.fields ?? {}))
    if (!['sampler', 'split', 'samples'].includes(key) && given?.has(key))
      throw given.fail(key, given.any(key), 'sampler, split or a list of samples: examples are put as questions are')
  const sampler = given?.oneOf('sampler', ['default', 'first_n'])
  const split = given?.text('split')
  const samples = given?.list('samples', 'a list of documents')
  return {
    ...(sampler !== undefined && { sampler }),
    ...(split !== undefined && { split }),
    ...(samples !== undefined && { samples: samples as Doc[] }),
  }
}

/** A field of the document, or a template; a bare whole number is one where there are choices. */
function textRule(file: Given, absent: string, choices: boolean): Task['docToText'] {
  const rule = file.any('doc_to_text') ?? absent
  if (typeof rule === 'number') return () => rule
  if (typeof rule !== 'string') throw file.fail('doc_to_text', rule, 'a field of the documents, or a template')
  const render = template(rule)
  return doc => {
    if (rule in doc) return doc[rule] as string | number
    const text = render(doc)
    return choices && /^\d+$/.test(text) ? Number(text) : text
  }
}

function targetRule(file: Given, absent: string, choices: boolean): Task['docToTarget'] {
  const rule = file.any('doc_to_target') ?? absent
  if (typeof rule === 'number') return () => rule
  if (Array.isArray(rule)) return () => rule as Target
  if (typeof rule !== 'string') throw file.fail('doc_to_target', rule, 'a field of the documents, or a template')
  const render = template(rule)
  return doc => {
    if (rule in doc) return doc[rule] as Target
    const text = render(doc)
    if (choices && /^\d+$/.test(text)) return Number(text)
    return text.startsWith('[') && text.endsWith(']') ? ((literal(text) ?? text) as Target) : text
  }
}

function choiceRule(file: Given): ((doc: Doc) => readonly string[]) | undefined {
  const rule = file.any('doc_to_choice')
  if (rule === undefined) return undefined
  if (typeof rule === 'object') {
    const choices = Object.values(rule as object).map(pythonText)
    return () => choices
  }
  if (typeof rule !== 'string') throw file.fail('doc_to_choice', rule, 'a field of the documents, or a template')
  const render = template(rule)
  return doc => {
    const value = rule in doc ? doc[rule] : literal(render(doc))
    if (Array.isArray(value)) return value.map(pythonText)
    throw file.fail('doc_to_choice', rule in doc ? value : render(doc), 'a list of choices')
  }
}

function dataFilesOf(file: Given): Readonly<Record<string, readonly string[]>> {
  const files = file.mapping('dataset_kwargs')?.any('data_files')
  if (files === undefined) return {}
  const bySplit = isFields(files) ? files : { train: files }
  return Object.fromEntries(
    Object.entries(bySplit).map(([split, file]) => [split, (Array.isArray(file) ? file : [file]).map(String)]),
  )
}
