/** What is wrong with a task is said before anything is asked of the model. */
import { EvaluationError } from './errors.js'
import { applyFilters, type FilterPipeline, noFilter } from './filters.js'
import { metricsFor } from './metrics.js'
import { pythonRegExp } from './python-regexp.js'
import type { Doc, Target, Task } from './task.js'

export const pipelines = ({ filters = [noFilter] }: Task): readonly FilterPipeline[] => filters

/** @throws EvaluationError for tasks of one name, metrics that the output type has not, and filters that cannot work. */
export function checkTasks(tasks: readonly Task[]): void {
  const names = new Set<string>()
  for (const task of tasks) {
    if (names.has(task.name))
      throw fail(`two tasks named ${task.name}`, 'names that differ, for results are by name', task.name)
    names.add(task.name)
    checkTask(task)
  }
}

function checkTask(task: Task): void {
  const { name, outputType, repeats = 1, numFewshot = 0, exactMatch } = task
  const allowed = metricsFor[outputType]
  const odd = task.metrics.find(metric => !allowed.includes(metric))
  if (odd !== undefined || task.metrics.length === 0)
    throw fail(
      `${odd === undefined ? 'no metric' : `metric ${odd}`} for ${name}`,
      `some that ${outputType} has: ${allowed.join(', ')}`,
      odd,
    )
  checkCount(`numFewshot of ${name}`, numFewshot, 0)
  checkCount(`repeats of ${name}`, repeats, 1)
  for (const pattern of exactMatch?.regexesToIgnore ?? []) pythonRegExp(pattern)
  // Every filter once, on as many answers as there will be.
  const answers = Array.from({ length: repeats }, () => '')
  for (const pipeline of pipelines(task)) applyFilters(pipeline, answers)
}

export function checkCount(what: string, got: number | undefined, least: number): void {
  if (got !== undefined && !(Number.isSafeInteger(got) && got >= least))
    throw fail(`${what} ${got}`, `a whole number ≥ ${least}`, got)
}

/** What chance goes by: any whole number is a seed of Python's; of one draw there is no deviation. */
export function checkChance(seed: number | undefined, iterations: number | undefined): void {
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw fail(`fewshotSeed ${seed}`, 'a whole number, at most 2⁵³ − 1 on either side of 0', seed)
  if (iterations !== undefined && iterations !== 0 && !(Number.isSafeInteger(iterations) && iterations > 1))
    throw fail(`bootstrapIterations ${iterations}`, 'a whole number ≥ 2, or 0 for no standard errors', iterations)
}

/** The question; a number is the index of the right one among the choices, where there are any. */
export function questionOf(task: Task, doc: Doc): string | number {
  const question: unknown = task.docToText(doc)
  if (typeof question === 'string' || (typeof question === 'number' && task.docToChoice)) return question
  if (typeof question === 'number') return String(question)
  throw fail(`${JSON.stringify(question)} as the question of ${about(task, doc)}`, 'a text', question)
}

/** The choices of a document. */
export function choicesOf(task: Task, doc: Doc): readonly string[] {
  const choices: unknown = task.docToChoice?.(doc)
  if (Array.isArray(choices) && choices.length > 0 && choices.every(choice => typeof choice === 'string'))
    return choices
  throw fail(`${JSON.stringify(choices)} as the choices of ${about(task, doc)}`, 'a list of texts', choices)
}

/** The right answer as the task says it. */
export function targetOf(task: Task, doc: Doc): Target {
  const target: unknown = task.docToTarget(doc)
  const list = Array.isArray(target) ? target : [target]
  if (list.length > 0 && list.every(t => typeof t === 'string' || typeof t === 'number')) return target as Target
  throw fail(`target ${JSON.stringify(target)} of ${about(task, doc)}`, 'a text, a number, or a list of them', target)
}

/** Indices of the right choices. */
export function goldOf(task: Task, doc: Doc): readonly number[] {
  const choices = choicesOf(task, doc)
  const text = questionOf(task, doc)
  const target: Target = typeof text === 'number' ? text : targetOf(task, doc)
  const gold = (typeof target === 'object' ? target : [target]).map(t =>
    typeof t === 'number' ? t : choices.indexOf(t),
  )
  if (gold.every(i => Number.isInteger(i) && i >= 0 && i < choices.length)) return gold
  throw fail(
    `target ${JSON.stringify(target)} in ${about(task, doc)}`,
    `one of the choices ${JSON.stringify(choices)} or its index`,
    target,
  )
}

/** Texts of which a generated one must be. */
export function textTargets(task: Task, doc: Doc): Target {
  const target = targetOf(task, doc)
  return typeof target === 'number' && task.docToChoice ? choicesOf(task, doc)[goldOf(task, doc)[0]!]! : target
}

/** `task t (document {"q":…)`: documents have no names of their own. */
const about = ({ name }: Task, doc: Doc): string => `task ${name} (document ${JSON.stringify(doc).slice(0, 80)})`

const fail = (got: string, expected: string, value: unknown): EvaluationError =>
  new EvaluationError(`evaluate: got ${got}, expected ${expected}`, { op: 'evaluate', got: value })
