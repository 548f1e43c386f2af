/** The parts of a task file that say what is counted and how text is generated and filtered. */
import type { Filter, FilterPipeline } from './filters.js'
import type { GenerationOptions } from './language-model.js'
import { isMetric, type MetricName, metrics } from './metrics.js'
import type { ExactMatchOptions } from './task.js'
import { type Fields, Given, isFields } from './task-keys.js'

/** `metric_list`; undefined for the output type's own metrics. */
export function metricsOf(file: Given): { metrics: MetricName[]; exactMatch: ExactMatchOptions } | undefined {
  const list = file.list('metric_list', 'a list of { metric }')?.map(entry => metricOf(file, entry))
  if (list?.length === 0) throw file.fail('metric_list', [], 'at least one metric')
  return (
    list && {
      metrics: list.map(({ metric }) => metric),
      exactMatch: list.find(({ metric }) => metric === 'exact_match')?.options ?? {},
    }
  )
}

function metricOf(file: Given, entry: unknown): { metric: MetricName; options: ExactMatchOptions } {
  const { metric } = isFields(entry) ? entry : { metric: entry }
  if (typeof metric !== 'string' || !isMetric(metric))
    throw file.fail('metric_list', metric, `one of ${Object.keys(metrics).join(', ')}`)
  const given = new Given(file.task, isFields(entry) ? entry : { metric }, `metric_list: ${metric}`)
  // Whether more is better, how a group weighs its tasks and who computes it change nothing here; nor does what is
  // ignored, where likelihoods are compared.
  given.only(
    ...['metric', 'aggregation', 'higher_is_better', 'weight_by_size', 'hf_evaluate'],
    ...['ignore_case', 'ignore_punctuation', 'ignore_numbers', 'regexes_to_ignore'],
  )
  const { aggregation = metrics[metric].aggregation } = given.fields
  if (aggregation !== metrics[metric].aggregation)
    throw file.fail(`metric_list: aggregation of ${metric}`, aggregation, metrics[metric].aggregation)
  return {
    metric,
    options: {
      ignoreCase: given.flag('ignore_case') ?? false,
      ignorePunctuation: given.flag('ignore_punctuation') ?? false,
      ignoreNumbers: given.flag('ignore_numbers') ?? false,
      regexesToIgnore: given.list('regexes_to_ignore', 'a list of regular expressions')?.map(String) ?? [],
    },
  }
}

const lengths = ['max_gen_toks', 'max_new_tokens', 'max_tokens', 'max_completion_tokens']

/** `generation_kwargs`, with what ends a text where they do not say. */
export function generationOf(file: Given, delimiter: string): GenerationOptions {
  const given = file.mapping('generation_kwargs') ?? new Given(file.task, {}, 'generation_kwargs')
  given.only('until', 'do_sample', 'temperature', 'top_p', ...lengths)
  const until = given.any('until') ?? [delimiter]
  const maxTokens = lengths.map(key => given.count(key, 1)).find(n => n !== undefined)
  const drawn = given.flag('do_sample')
  const temperature = given.number('temperature', 0)
  const topP = given.number('top_p', 0, 1)
  if (drawn && !temperature) throw given.fail('temperature', temperature, 'one above 0, for do_sample is true')
  return {
    until: (Array.isArray(until) ? until : [until]).map(String),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(drawn !== false && temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
  }
}

/** `filter_list`; undefined for the answer as it is. */
export function filtersOf(file: Given): FilterPipeline[] | undefined {
  const expected = 'a list of { name, filter: [{ function }] }'
  return file.list('filter_list', expected)?.map((entry, i) => {
    if (!isFields(entry)) throw file.fail('filter_list', entry, expected)
    const given = new Given(file.task, entry, `filter_list.${i}`).only('name', 'filter')
    const name = given.text('name')
    if (name === undefined) throw given.fail('name', name, 'a name for the results')
    return { name, steps: (given.list('filter', 'a list of { function }') ?? []).map(step => filterOf(given, step)) }
  })
}

function filterOf(pipeline: Given, step: unknown): Filter {
  if (!isFields(step)) throw pipeline.fail('filter', step, 'a mapping with function')
  const given = new Given(pipeline.task, step, `${pipeline.path}.${String(step.function)}`)
  const known = step.function
  switch (known) {
    case 'regex':
      given.only('function', 'regex_pattern', 'group_select', 'fallback')
      return {
        filter: 'regex',
        pattern: given.text('regex_pattern') ?? '#### (\\-?[0-9\\.\\,]+)',
        select: given.count('group_select', Number.MIN_SAFE_INTEGER) ?? 0,
        fallback: String(given.any('fallback') ?? '[invalid]'),
      }
    case 'map': {
      given.only('function', 'mapping_dict', 'default_value')
      const fallback = given.any('default_value')
      return {
        filter: 'map',
        mapping: texts(given.mapping('mapping_dict')?.fields ?? {}),
        ...(fallback !== undefined && { fallback: String(fallback) }),
      }
    }
    case 'take_first_k': {
      const k = given.only('function', 'k').count('k', 1)
      if (k === undefined) throw given.fail('k', k, 'how many answers to take')
      return { filter: 'take_first_k', k }
    }
    case 'remove_whitespace':
    case 'lowercase':
    case 'uppercase':
    case 'take_first':
    case 'majority_vote':
      given.only('function')
      return { filter: known }
    default:
      throw pipeline.fail(
        'filter',
        known,
        'regex, map, remove_whitespace, lowercase, uppercase, take_first, take_first_k or majority_vote',
      )
  }
}

const texts = (mapping: Fields): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(mapping).map(([from, to]) => [from, String(to)]))
