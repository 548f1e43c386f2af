/** The runner: documents to requests, requests to answers (from the cache where it has them), answers to metrics. */
import {
  checkChance,
  checkCount,
  checkTasks,
  choicesOf,
  goldOf,
  pipelines,
  questionOf,
  targetOf,
  textTargets,
} from './check.js'
import { EvaluationError } from './errors.js'
import { exampleSampler } from './fewshot.js'
import { applyFilters } from './filters.js'
import type { AnyRequest, AskOptions, GenerationOptions, LanguageModel, Loglikelihood } from './language-model.js'
import {
  aggregate,
  answerMetrics,
  choiceMetrics,
  exactMatch,
  type MetricName,
  metrics,
  rollingMetrics,
  standardError,
  type Value,
} from './metrics.js'
import { countWords, utf8Length } from './python.js'
import { type Doc, evaluatedSplit, fewshotSplit, type Target, type Task } from './task.js'

/** Documents of a split of a task; throws where it has none. */
export type DataSource = (task: Task, split: string) => Promise<readonly Doc[]>

/** Keeps answers between runs. Keys come from the language model and name everything an answer depends on. */
export interface RequestCache {
  get(key: string): unknown
  set(key: string, answer: unknown): void | Promise<void>
}

export interface EvaluateOptions {
  /** Where documents come from that are not in the task. */
  readonly data?: DataSource
  /** Only the first documents of each task. */
  readonly limit?: number
  /** Examples shown first, instead of the task's own number; a task that says 0 keeps it (lm-eval). */
  readonly numFewshot?: number
  /** Of the choice of examples, any whole number as in Python. Default 1234 (lm-eval). */
  readonly fewshotSeed?: number
  /** Of the bootstrap, at least 2; 0 for no standard errors. Default 100,000 (lm-eval). */
  readonly bootstrapIterations?: number
  readonly cache?: RequestCache
  readonly onProgress?: (answered: number, total: number) => void
  readonly signal?: AbortSignal
}

export interface Score {
  readonly metric: MetricName
  /** The filter the answers went through; `none` for the answer as it is. */
  readonly filter: string
  readonly value: number
  /** Undefined where none is defined. */
  readonly stderr: number | undefined
  readonly higherIsBetter: boolean
}

/** One document with what was asked and answered. */
export interface Sample {
  readonly doc: Doc
  readonly requests: readonly AnyRequest[]
  readonly answers: readonly Answer[]
  /** By filter. */
  readonly values: Readonly<Record<string, Partial<Readonly<Record<MetricName, Value>>>>>
}

export interface TaskResult {
  readonly task: string
  /** Examples that were shown, whatever was asked for. */
  readonly numFewshot: number
  readonly scores: readonly Score[]
  readonly samples: readonly Sample[]
}

interface Asked {
  readonly task: Task
  readonly doc: Doc
  readonly right: Right
  readonly requests: readonly AnyRequest[]
}

/** What the answers are held against. */
interface Right {
  readonly gold: readonly number[]
  readonly target: Target
}

/**
 * Runs tasks on a model.
 *
 * @example
 * const [result] = await evaluate(lm, [task], { limit: 100 })
 * result.scores // [{ metric: 'acc', value: 0.62, stderr: 0.049, … }]
 * @throws EvaluationError for a task without documents, or one that asks what it cannot be asked.
 */
export async function evaluate(
  lm: LanguageModel,
  tasks: readonly Task[],
  options: EvaluateOptions = {},
): Promise<TaskResult[]> {
  checkTasks(tasks)
  checkCount('limit', options.limit, 1)
  checkCount('numFewshot', options.numFewshot, 0)
  checkChance(options.fewshotSeed, options.bootstrapIterations)
  const asked: Asked[] = []
  for (const task of tasks) asked.push(...(await ask(task, options)))
  const answers = await answerAll(
    lm,
    asked.flatMap(({ requests }) => requests),
    options,
  )
  let at = 0
  const samples = asked.map(one => {
    const own = answers.slice(at, at + one.requests.length)
    at += one.requests.length
    const { task, doc, requests } = one
    return { task, sample: { doc, requests, answers: own, values: valuesOf(one, own) } }
  })
  return tasks.map(task => {
    const own = samples.filter(s => s.task === task).map(({ sample }) => sample)
    return { task: task.name, numFewshot: shots(task, options), scores: scoresOf(task, own, options), samples: own }
  })
}

const shots = (task: Task, { numFewshot }: EvaluateOptions): number =>
  task.numFewshot === 0 ? 0 : (numFewshot ?? task.numFewshot ?? 0)

async function ask(task: Task, options: EvaluateOptions): Promise<Asked[]> {
  const split = evaluatedSplit(task)
  if (split === undefined)
    throw new EvaluationError(`evaluate: got task ${task.name} without a test or validation split, expected one`, {
      op: 'evaluate',
    })
  const docs = (await docsOf(task, split, options)).slice(0, options.limit)
  if (docs.length === 0)
    throw new EvaluationError(`evaluate: got task ${task.name} with no documents in ${split}, expected at least one`, {
      op: 'evaluate',
    })
  const k = shots(task, options)
  const examples = await sampler(task, k, options)
  const shown = exampleText(task)
  return docs.map(doc => ({
    task,
    doc,
    requests: requestsOf(task, doc, contextsOf(task, doc, examples(doc).map(shown))),
    right: rightOf(task, doc),
  }))
}

const rightOf = (task: Task, doc: Doc): Right =>
  task.outputType === 'multiple_choice'
    ? { gold: goldOf(task, doc), target: [] }
    : { gold: [], target: task.outputType === 'generate_until' ? textTargets(task, doc) : targetOf(task, doc) }

async function docsOf(task: Task, split: string, { data }: EvaluateOptions): Promise<readonly Doc[]> {
  const docs = task.data?.[split] ?? (await data?.(task, split))
  if (docs === undefined)
    throw new EvaluationError(
      `evaluate: got task ${task.name} without its documents (split ${split}), expected them in the task or a data source. Pass { data }`,
      { op: 'evaluate', got: split },
    )
  return task.processDocs ? task.processDocs(docs) : docs
}

async function sampler(task: Task, k: number, options: EvaluateOptions): Promise<(doc: Doc) => readonly Doc[]> {
  if (k === 0) return () => []
  const docs = task.fewshotSamples ?? (await docsOf(task, fewshotSplit(task)!, options))
  return exampleSampler(task, k, docs, options.fewshotSeed ?? 1234)
}

/** The text before the answer; several where the question has the choices in it. */
function contextsOf(task: Task, doc: Doc, examples: readonly string[]): readonly string[] {
  const { description = '' } = task
  const before = (typeof description === 'string' ? description : description(doc)) + examples.join('')
  const question = questionOf(task, doc)
  const questions = typeof question === 'number' ? choicesOf(task, doc) : [question]
  return questions.map(one => before + one)
}

/** An example with its answer, as it stands before a question; made once, however often it is drawn. */
function exampleText(task: Task): (example: Doc) => string {
  const { targetDelimiter = ' ', fewshotDelimiter = '\n\n' } = task
  const made = new Map<Doc, string>()
  return example => {
    const known = made.get(example)
    if (known !== undefined) return known
    const answer = answerText(task, example)
    const text = `${questionText(task, example)}${answer === '' ? '' : `${targetDelimiter}${answer}${fewshotDelimiter}`}`
    made.set(example, text)
    return text
  }
}

/** The question of an example: where there are several, the right one. */
function questionText(task: Task, example: Doc): string {
  const question = questionOf(task, example)
  return typeof question === 'number' ? choicesOf(task, example)[goldOf(task, example)[0]!]! : question
}

/** The right answer of an example, as text. */
function answerText(task: Task, example: Doc): string {
  const target = targetOf(task, example)
  const first = typeof target === 'object' ? target[0]! : target
  const several = typeof questionOf(task, example) === 'number'
  return typeof first === 'number' && task.docToChoice && !several
    ? choicesOf(task, example)[goldOf(task, example)[0]!]!
    : String(first)
}

function requestsOf(task: Task, doc: Doc, contexts: readonly string[]): AnyRequest[] {
  const { targetDelimiter = ' ', fewshotDelimiter = '\n\n', repeats = 1 } = task
  const [context] = contexts as [string, ...string[]]
  switch (task.outputType) {
    case 'multiple_choice': {
      const choices = choicesOf(task, doc)
      const pair = (context: string, answer: string): AnyRequest => ({
        kind: 'loglikelihood',
        context,
        continuation: targetDelimiter + answer,
      })
      const asked =
        contexts.length > 1
          ? contexts.map(each => pair(each, String(targetOf(task, doc))))
          : choices.map(choice => pair(context, choice))
      return [
        ...asked,
        ...(task.metrics.includes('acc_mutual_info') ? choices.map(choice => pair('', choice)) : []),
        ...(task.metrics.includes('acc_answer')
          ? choices.map(choice => pair(task.unconditionalContext ?? 'Answer:', choice))
          : []),
      ]
    }
    case 'loglikelihood':
      return [{ kind: 'loglikelihood', context, continuation: String(targetOf(task, doc)) }]
    case 'loglikelihood_rolling':
      return [{ kind: 'loglikelihood_rolling', text: String(targetOf(task, doc)) }]
    case 'generate_until': {
      const generation: GenerationOptions = task.generation ?? { until: [fewshotDelimiter] }
      return Array.from({ length: repeats }, () => ({ kind: 'generate_until', context, ...generation }))
    }
  }
}

type Answer = Loglikelihood | number | string

/** Answers in the order of the requests; equal requests are asked once, and each answer is kept as it comes. */
async function answerAll(
  lm: LanguageModel,
  requests: readonly AnyRequest[],
  { cache, onProgress, signal }: EvaluateOptions,
): Promise<Answer[]> {
  const keys = (cache && (await lm.cacheKeys?.(requests))) ?? []
  const answers = requests.map(({ kind }, i) => {
    const kept = keys[i] === undefined ? undefined : cache?.get(keys[i])
    return isAnswer(kind, kept) ? kept : undefined
  })
  let done = answers.filter(answer => answer !== undefined).length
  onProgress?.(done, requests.length)
  const fill = async <K extends AnyRequest['kind'], A extends Answer>(
    kind: K,
    call: (requests: Extract<AnyRequest, { kind: K }>[], options: AskOptions<A>) => Promise<readonly A[]>,
  ): Promise<void> => {
    const open = requests.flatMap((request, i) => (request.kind === kind && answers[i] === undefined ? [i] : []))
    if (open.length === 0) return
    const byIdentity = new Map<string, number[]>()
    for (const i of open) {
      const name = identity(requests[i]!, i)
      const group = byIdentity.get(name)
      if (group) group.push(i)
      else byIdentity.set(name, [i])
    }
    const groups = [...byIdentity.values()]
    const onAnswer = async (n: number, answer: A): Promise<void> => {
      const [first, ...same] = groups[n] as [number, ...number[]]
      if (answers[first] !== undefined) return
      for (const i of [first, ...same]) answers[i] = answer
      if (keys[first] !== undefined) await cache?.set(keys[first], answer)
      done += same.length + 1
      onProgress?.(done, requests.length)
    }
    const asked = groups.map(([i]) => requests[i!] as Extract<AnyRequest, { kind: K }>)
    const given = await call(asked, { onAnswer, ...(signal && { signal }) })
    for (const [n, answer] of given.entries()) await onAnswer(n, answer)
  }
  await fill('loglikelihood', (list, options: AskOptions<Loglikelihood>) => lm.loglikelihood(list, options))
  await fill('loglikelihood_rolling', (list, options: AskOptions<number>) =>
    lm.loglikelihoodRolling(
      list.map(({ text }) => text),
      options,
    ),
  )
  await fill('generate_until', (list, options: AskOptions<string>) => lm.generateUntil(list, options))
  return answers as Answer[]
}

/** What a cache holds may be of another program, or damaged: such an entry is asked again. */
function isAnswer(kind: AnyRequest['kind'], kept: unknown): kept is Answer {
  if (kind === 'generate_until') return typeof kept === 'string'
  if (kind === 'loglikelihood_rolling') return Number.isFinite(kept)
  const { logprob, greedy } = (kept ?? {}) as Partial<Loglikelihood>
  return Number.isFinite(logprob) && typeof greedy === 'boolean'
}

/** Equal requests have one answer; what is drawn at random is asked every time. */
const identity = (request: AnyRequest, i: number): string =>
  JSON.stringify(request) + ('temperature' in request && request.temperature ? `#${i}` : '')

function valuesOf({ task, doc, right: { gold, target } }: Asked, answers: readonly Answer[]): Sample['values'] {
  switch (task.outputType) {
    case 'multiple_choice':
      return { none: choiceValues(task, doc, gold, answers as Loglikelihood[]) }
    case 'loglikelihood':
      return { none: answerMetrics(task.metrics, answers[0] as Loglikelihood) }
    case 'loglikelihood_rolling': {
      const text = task.rollingText?.(doc) ?? String(target)
      return { none: rollingMetrics(task.metrics, answers[0] as number, countWords(text), utf8Length(text)) }
    }
    case 'generate_until': {
      const value = (kept: readonly string[]): number => exactMatch(kept[0] ?? '', target, task.exactMatch)
      return Object.fromEntries(
        pipelines(task).map(filter => [filter.name, { exact_match: value(applyFilters(filter, answers as string[])) }]),
      )
    }
  }
}

function choiceValues(
  task: Task,
  doc: Doc,
  gold: readonly number[],
  answers: readonly Loglikelihood[],
): Partial<Record<MetricName, Value>> {
  const choices = choicesOf(task, doc)
  const n = choices.length
  const extra = answers.slice(n).map(({ logprob }) => logprob)
  const mutual = task.metrics.includes('acc_mutual_info')
  return choiceMetrics(task.metrics, gold, {
    choices,
    scores: answers.slice(0, n),
    unconditional: {
      ...(mutual && { acc_mutual_info: extra.slice(0, n) }),
      ...(task.metrics.includes('acc_answer') && { acc_answer: mutual ? extra.slice(n) : extra }),
    },
  })
}

function scoresOf(task: Task, samples: readonly Sample[], { bootstrapIterations }: EvaluateOptions): Score[] {
  const filters = task.outputType === 'generate_until' ? pipelines(task).map(({ name }) => name) : ['none']
  return filters.flatMap(filter =>
    task.metrics.map(metric => {
      const values = samples.map(sample => sample.values[filter]![metric]!)
      return {
        metric,
        filter,
        value: aggregate(metric, values),
        stderr: standardError(metric, values, bootstrapIterations),
        higherIsBetter: metrics[metric].higherIsBetter,
      }
    }),
  )
}
