/** `cria eval`: tasks of lm-evaluation-harness, on a model. */
import { existsSync } from 'node:fs'
import {
  bundledTask,
  evaluate,
  type GenerationOptions,
  LlamaLanguageModel,
  resultsTable,
  type Task,
  type TaskResult,
  taskNames,
} from '@cria/eval'
import { fileCache, folderSource, loadTask } from '@cria/eval/node'
import { categorical, chain, temperature, topP } from '@cria/sampling'
import { InputError, UsageError } from '../errors.js'
import { type DeviceOptions, describe, load, needTokenizer } from '../model.js'
import { countBar, note, print, printJson } from '../output.js'

export interface EvalOptions extends DeviceOptions {
  readonly limit?: number
  readonly numFewshot?: number
  readonly data: string
  readonly cache?: string
  readonly context?: number
  readonly seed?: number
  readonly samples?: boolean
  readonly json?: boolean
}

export async function evalTasks(name: string, names: readonly string[], options: EvalOptions): Promise<void> {
  if (options.samples && !options.json)
    throw new UsageError('--samples: got no --json, expected both: documents, requests and answers are JSON')
  const tasks = await Promise.all(names.map(taskOf))
  noteShots(tasks, options.numFewshot)
  const loaded = await load(name, options)
  if (!options.json) describe(loaded)
  const begin = performance.now()
  const lm = new LlamaLanguageModel(loaded.model, await needTokenizer(loaded), {
    ...(options.context !== undefined && { maxLength: options.context }),
    sampler: samplerFor(options.seed),
  })
  try {
    const results = await evaluate(lm, tasks, {
      ...(options.limit !== undefined && { limit: options.limit }),
      ...(options.numFewshot !== undefined && { numFewshot: options.numFewshot }),
      ...(options.seed !== undefined && { fewshotSeed: options.seed }),
      data: folderSource(options.data),
      ...(options.cache !== undefined && { cache: await fileCache(options.cache) }),
      onProgress: countBar('requests'),
    })
    if (options.json) return await printJson(jsonOf(results, options.samples ?? false))
    await print(resultsTable(results))
    note(
      `${results.reduce((n, r) => n + r.samples.length, 0)} documents in ${((performance.now() - begin) / 1000).toFixed(1)} s`,
    )
  } finally {
    lm.dispose()
    await loaded.dispose()
  }
}

/** Where the number of examples is not the one asked for. */
function noteShots(tasks: readonly Task[], asked = 0): void {
  const kept = tasks.filter(({ numFewshot }) => numFewshot === 0).map(({ name }) => name)
  if (asked > 0 && kept.length > 0)
    note(`--num-fewshot: got ${asked}, not for ${kept.join(', ')}: 0 in the task itself stands, as in lm-eval`)
}

/** A task file where there is one of this name, else a bundled task. */
async function taskOf(name: string): Promise<Task> {
  if (existsSync(name)) return loadTask(name)
  if (/[/\\.]/.test(name))
    throw new InputError(`eval: got ${name}, expected a task file that is there, or one of ${taskNames.join(', ')}`)
  return bundledTask(name)
}

/** Answers drawn for one document differ; the same run gives the same ones. */
function samplerFor(seed = 0): (options: GenerationOptions) => ReturnType<typeof chain> {
  let drawn = 0
  return options =>
    chain(
      temperature(options.temperature ?? 1),
      ...(options.topP === undefined ? [] : [topP(options.topP)]),
      categorical({ seed: seed + drawn++ }),
    )
}

/** The keys of lm-eval's own results: `acc,none` and `acc_stderr,none`. */
const jsonOf = (results: readonly TaskResult[], samples: boolean): object => ({
  results: Object.fromEntries(
    results.map(({ task, scores }) => [
      task,
      Object.fromEntries(
        scores.flatMap(({ metric, filter, value, stderr }) => [
          [`${metric},${filter}`, value],
          [`${metric}_stderr,${filter}`, stderr ?? 'N/A'],
        ]),
      ),
    ]),
  ),
  'n-shot': Object.fromEntries(results.map(({ task, numFewshot }) => [task, numFewshot])),
  'n-samples': Object.fromEntries(results.map(r => [r.task, r.samples.length])),
  ...(samples && { samples: Object.fromEntries(results.map(r => [r.task, r.samples])) }),
})
