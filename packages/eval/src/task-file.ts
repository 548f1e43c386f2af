/**
 * Task files: lm-evaluation-harness's YAML (or the same keys as JSON), and plain JSON Lines of questions. What a file
 * cannot say without Python (`!function`) is refused by name.
 */
import { parse, YAMLParseError } from 'yaml'
import { EvaluationError } from './errors.js'
import type { Filter, FilterPipeline } from './filters.js'
import type { GenerationOptions } from './language-model.js'
import { isMetric, type MetricName, metrics } from './metrics.js'
import { literal } from './python.js'
import { type Doc, evaluatedSplit, type OutputType, type Target, type Task } from './task.js'
import { template } from './template.js'

type Fields = Readonly<Record<string, unknown>>

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
    if (!(error instanceof YAMLParseError)) throw error
    throw new EvaluationError(`task ${name}: got no YAML or JSON: ${error.message}`, { op: 'task' })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new EvaluationError(`task ${name}: got ${typeof value}, expected keys such as task, output_type, doc_to_text`, {
    op: 'task',
  })
}

class PythonFunction {
  constructor(readonly name: string) {}
}
const functionTag = { tag: '!function', resolve: (name: string): PythonFunction => new PythonFunction(name) }

/**
 * A task from the fields of a file. `task`, `output_type`, `doc_to_text`, `doc_to_target`, `doc_to_choice`,
 * `metric_list`, `generation_kwargs`, `filter_list`, `num_fewshot`, `fewshot_config`, splits, delimiters, `description`,
 * `repeats`; data from `docs` (inline) or `dataset_kwargs.data_files`. Of lm-eval's other keys, those that change what
 * is computed are refused.
 */
export function readTask(fields: Fields, name: string): TaskFile {
  const at = (key: string): unknown => {
    const value = fields[key] ?? undefined
    if (value instanceof PythonFunction)
      throw fail(name, key, `!function ${value.name}`, 'a template. Write the task in TypeScript instead')
    return value
  }
  for (const key of ['process_docs', 'process_results', 'use_prompt', 'gen_prefix', 'doc_to_image', 'doc_to_audio'])
    if (at(key) !== undefined) throw fail(name, key, at(key), 'it absent: only templates are read from files')
  const outputType = oneOf(
    name,
    'output_type',
    at('output_type') ?? 'generate_until',
    Object.keys(defaults),
  ) as OutputType
  const text = (key: string): string | undefined => optional(name, key, at(key), 'string') as string | undefined
  const count = (key: string): number | undefined => optional(name, key, at(key), 'number') as number | undefined
  const list = at('metric_list')
  const chosen = Array.isArray(list) ? list.map(entry => metricOf(name, entry as Fields | string)) : undefined
  const fewshot = fewshotOf(name, (at('fewshot_config') ?? {}) as Fields)
  const docs = at('docs')
  const data = Array.isArray(docs)
    ? { test: docs as Doc[] }
    : (docs as Readonly<Record<string, readonly Doc[]>> | undefined)
  const choice = at('doc_to_choice')
  const rolling = outputType === 'loglikelihood_rolling'
  const task: Task = {
    name: text('task') ?? name,
    outputType,
    splits: { ...splitsOf(at, data), ...(fewshot.split !== undefined && { fewshot: String(fewshot.split) }) },
    ...(data && { data }),
    docToText: textRule(at('doc_to_text') ?? (rolling ? '' : 'text'), choice !== undefined),
    docToTarget: targetRule(at('doc_to_target') ?? (rolling ? 'text' : 'target'), choice !== undefined),
    ...(choice !== undefined && { docToChoice: choiceRule(name, choice) }),
    ...(text('description') && { description: template(text('description')!) }),
    ...(text('target_delimiter') !== undefined && { targetDelimiter: text('target_delimiter')! }),
    ...(text('fewshot_delimiter') !== undefined && { fewshotDelimiter: text('fewshot_delimiter')! }),
    ...(count('num_fewshot') !== undefined && { numFewshot: count('num_fewshot')! }),
    ...(fewshot.sampler !== undefined && {
      fewshotSampler: oneOf(name, 'fewshot_config.sampler', fewshot.sampler, ['default', 'first_n']) as 'first_n',
    }),
    // Where both are given, lm-eval takes the split.
    ...(fewshot.samples !== undefined && fewshot.split === undefined && { fewshotSamples: fewshot.samples as Doc[] }),
    metrics: chosen?.map(({ metric }) => metric) ?? defaults[outputType],
    exactMatch: chosen?.find(({ metric }) => metric === 'exact_match')?.options ?? {},
    ...(outputType === 'generate_until' && {
      generation: generationOf(name, (at('generation_kwargs') ?? {}) as Fields, text('fewshot_delimiter') ?? '\n\n'),
    }),
    ...(at('filter_list') !== undefined && { filters: filtersOf(name, at('filter_list')) }),
    ...(count('repeats') !== undefined && { repeats: count('repeats')! }),
    ...(text('unconditional_context') !== undefined && { unconditionalContext: text('unconditional_context')! }),
  }
  if (data !== undefined && !(evaluatedSplit(task) ?? '')) throw fail(name, 'docs', docs, 'a test or validation split')
  return { task, dataFiles: dataFilesOf(at('dataset_kwargs')), ...(text('include') && { include: text('include')! }) }
}

/**
 * A task from JSON Lines alone, each line one question: `{"query": …, "choices": […], "gold": 0}`. The choices are
 * scored by likelihood, after `query` and a space.
 */
export function questionsTask(name: string, docs: readonly Doc[]): Task {
  const [first] = docs
  if (!first || typeof first.query !== 'string' || !Array.isArray(first.choices) || typeof first.gold !== 'number')
    throw new EvaluationError(
      `task ${name}: got lines with ${Object.keys(first ?? {}).join(', ') || 'nothing'}, expected query, choices and gold. Other fields need a task file that says how they are put`,
      { op: 'task' },
    )
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
  return text.split('\n').flatMap((line, i) => {
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

function splitsOf(at: (key: string) => unknown, data: Readonly<Record<string, unknown>> | undefined): Task['splits'] {
  const named = Object.fromEntries(
    (['training', 'validation', 'test', 'fewshot'] as const).flatMap(use => {
      const split = at(`${use}_split`)
      return typeof split === 'string' ? [[use, split]] : []
    }),
  ) as Task['splits']
  // Documents that come with the task need no names for their only split.
  return data && 'test' in data && evaluatedSplit({ splits: named } as Task) === undefined
    ? { ...named, test: 'test' }
    : named
}

/** `fewshot_config`: what puts examples otherwise than questions is refused. */
function fewshotOf(name: string, given: Fields): Fields {
  for (const [key, value] of Object.entries(given)) {
    const known = ['sampler', 'split', 'samples'].includes(key) && !(value instanceof PythonFunction)
    if (value === null || (known && (key !== 'samples' || Array.isArray(value)))) continue
    const got = value instanceof PythonFunction ? `!function ${value.name}` : value
    throw fail(
      name,
      `fewshot_config.${key}`,
      got,
      'sampler, split or a list of samples: examples are put as questions are',
    )
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

/** A field of the document, or a template; a bare whole number is one where there are choices. */
function textRule(rule: unknown, choices: boolean): Task['docToText'] {
  if (typeof rule === 'number') return () => rule
  const source = String(rule)
  const render = template(source)
  return doc => {
    if (source in doc) return doc[source] as string | number
    const text = render(doc)
    return choices && /^\d+$/.test(text) ? Number(text) : text
  }
}

function targetRule(rule: unknown, choices: boolean): Task['docToTarget'] {
  if (typeof rule === 'number') return () => rule
  if (Array.isArray(rule)) return () => rule as Target
  const source = String(rule)
  const render = template(source)
  return doc => {
    if (source in doc) return doc[source] as Target
    const text = render(doc)
    if (choices && /^\d+$/.test(text)) return Number(text)
    return text.startsWith('[') && text.endsWith(']') ? ((literal(text) ?? text) as Target) : text
  }
}

function choiceRule(name: string, rule: unknown): (doc: Doc) => readonly string[] {
  if (typeof rule === 'object') {
    const choices = Object.values(rule as object).map(String)
    return () => choices
  }
  const source = String(rule)
  const render = template(source)
  return doc => {
    const value = source in doc ? doc[source] : literal(render(doc))
    if (Array.isArray(value)) return value.map(String)
    throw fail(name, 'doc_to_choice', source in doc ? value : render(doc), 'a list of choices')
  }
}

function metricOf(name: string, entry: Fields | string): { metric: MetricName; options: Task['exactMatch'] & object } {
  const given: Fields = typeof entry === 'string' ? { metric: entry } : entry
  const { metric } = given
  if (typeof metric !== 'string' || !isMetric(metric))
    throw fail(name, 'metric_list', metric, `one of ${Object.keys(metrics).join(', ')}`)
  const { aggregation = metrics[metric].aggregation } = given
  if (aggregation !== metrics[metric].aggregation)
    throw fail(name, `metric_list: aggregation of ${metric}`, aggregation, metrics[metric].aggregation)
  return {
    metric,
    options: {
      ignoreCase: given.ignore_case === true,
      ignorePunctuation: given.ignore_punctuation === true,
      ignoreNumbers: given.ignore_numbers === true,
      regexesToIgnore: Array.isArray(given.regexes_to_ignore) ? given.regexes_to_ignore.map(String) : [],
    },
  }
}

const lengths = ['max_gen_toks', 'max_new_tokens', 'max_tokens', 'max_completion_tokens']
const generationKeys = ['until', 'do_sample', 'temperature', 'top_p', ...lengths]

function generationOf(name: string, given: Fields, delimiter: string): GenerationOptions {
  const unknown = Object.keys(given).find(key => !generationKeys.includes(key))
  if (unknown !== undefined) throw fail(name, 'generation_kwargs', unknown, `only ${generationKeys.join(', ')}`)
  const until = given.until ?? [delimiter]
  const maxTokens = lengths.map(key => given[key] ?? undefined).find(n => n !== undefined)
  return {
    until: (Array.isArray(until) ? until : [until]).map(String),
    ...(maxTokens !== undefined && { maxTokens: Number(maxTokens) }),
    ...(given.do_sample !== false && given.temperature !== undefined && { temperature: Number(given.temperature) }),
    ...(given.top_p !== undefined && { topP: Number(given.top_p) }),
  }
}

function filtersOf(name: string, list: unknown): FilterPipeline[] {
  if (!Array.isArray(list)) throw fail(name, 'filter_list', list, 'a list of { name, filter }')
  return (list as Fields[]).map(({ name: title, filter }) => ({
    name: String(title),
    steps: (filter as Fields[]).map(step => filterOf(name, step)),
  }))
}

function filterOf(name: string, step: Fields): Filter {
  const known = String(step.function)
  switch (known) {
    case 'regex':
      return {
        filter: 'regex',
        pattern: String(step.regex_pattern ?? '#### (\\-?[0-9\\.\\,]+)'),
        select: Number(step.group_select ?? 0),
        fallback: String(step.fallback ?? '[invalid]'),
      }
    case 'map':
      return {
        filter: 'map',
        mapping: (step.mapping_dict ?? {}) as Readonly<Record<string, string>>,
        ...(step.default_value !== undefined && { fallback: String(step.default_value) }),
      }
    case 'take_first_k':
      return { filter: 'take_first_k', k: Number(step.k) }
    case 'remove_whitespace':
    case 'lowercase':
    case 'uppercase':
    case 'take_first':
    case 'majority_vote':
      return { filter: known }
    default:
      throw fail(
        name,
        'filter_list',
        known,
        'regex, map, remove_whitespace, lowercase, uppercase, take_first, take_first_k or majority_vote',
      )
  }
}

function dataFilesOf(kwargs: unknown): Readonly<Record<string, readonly string[]>> {
  const files = (kwargs as Fields | undefined)?.data_files
  if (files === undefined) return {}
  const bySplit = typeof files === 'object' && !Array.isArray(files) ? (files as Fields) : { train: files }
  return Object.fromEntries(
    Object.entries(bySplit).map(([split, file]) => [split, (Array.isArray(file) ? file : [file]).map(String)]),
  )
}

function optional(name: string, key: string, value: unknown, type: 'string' | 'number'): unknown {
  if (value === undefined || typeof value === type) return value
  throw fail(name, key, value, `a ${type}`)
}

function oneOf(name: string, key: string, value: unknown, all: readonly string[]): string {
  if (all.includes(String(value))) return String(value)
  throw fail(name, key, value, all.join(', '))
}

const fail = (name: string, key: string, got: unknown, expected: string): EvaluationError =>
  new EvaluationError(`task ${name}: ${key}: got ${JSON.stringify(got)}, expected ${expected}`, {
    op: 'task',
    got,
    expected,
  })
