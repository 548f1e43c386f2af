/** Node's part: task files, data sets and the request cache on disk. */

import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { EvaluationError } from './errors.js'
import type { DataSource, RequestCache } from './runner.js'
import type { Doc, Task } from './task.js'
import { parseJsonLines, questionsTask, readTask, taskFields } from './task-file.js'
import { isFields } from './task-keys.js'

/**
 * A task from a file: `.yaml` or `.json` in lm-eval's keys, or `.jsonl` with `query`, `choices` and `gold` on each
 * line. Data files that it names are read from beside it.
 *
 * @throws EvaluationError for a file that says no task.
 */
export async function loadTask(path: string): Promise<Task> {
  const name = basename(path, extname(path))
  if (extname(path) === '.jsonl') return questionsTask(name, await loadDocs(path))
  const { task, dataFiles } = readTask(await fieldsOf(resolve(path)), name)
  if (task.data || Object.keys(dataFiles).length === 0) return task
  const data: Record<string, readonly Doc[]> = {}
  for (const [split, files] of Object.entries(dataFiles)) {
    const parts = await Promise.all(files.map(file => loadDocs(resolve(dirname(path), file))))
    data[split] = parts.flat()
  }
  return { ...task, data }
}

/** The fields of a file over those of the files that it includes, the later over the earlier. */
async function fieldsOf(path: string, within: readonly string[] = []): Promise<Readonly<Record<string, unknown>>> {
  if (within.includes(path))
    throw new EvaluationError(
      `task: got an include of ${path} within itself (${[...within, path].map(file => basename(file)).join(' → ')}), expected files that end somewhere`,
      { op: 'task', got: path },
    )
  const { include, ...own } = taskFields(await textOf(path), basename(path))
  const names: unknown[] = [include ?? []].flat()
  const wrong = names.find(name => typeof name !== 'string')
  if (wrong !== undefined)
    throw new EvaluationError(
      `task ${basename(path)}: include: got ${JSON.stringify(wrong)}, expected the name of a task file or a list of them`,
      { op: 'task', got: wrong },
    )
  const included = []
  for (const name of names as string[]) included.push(await fieldsOf(resolve(dirname(path), name), [...within, path]))
  return Object.assign({}, ...included, own)
}

/** Documents of a JSON Lines file, or of a JSON array. */
export async function loadDocs(path: string): Promise<Doc[]> {
  const text = await textOf(path)
  if (!text.trimStart().startsWith('[')) return parseJsonLines(text, path)
  let docs: unknown
  try {
    docs = JSON.parse(text)
  } catch (cause) {
    throw new EvaluationError(`${path}: got no JSON array (${(cause as Error).message}), expected one of objects`, {
      op: 'data',
    })
  }
  const odd = (docs as unknown[]).findIndex(doc => !isFields(doc))
  if (odd < 0) return docs as Doc[]
  throw new EvaluationError(
    `${path}: got ${JSON.stringify((docs as unknown[])[odd])} at ${odd}, expected an array of objects`,
    { op: 'data' },
  )
}

/**
 * Documents from a folder: `TASK/SPLIT.jsonl` or `TASK_SPLIT.jsonl`, each line a row with the fields of the data set
 * on the Hugging Face hub, which is what `Dataset.to_json` writes.
 */
export const folderSource =
  (folder: string): DataSource =>
  async ({ name }, split) => {
    const places = [join(folder, name, `${split}.jsonl`), join(folder, `${name}_${split}.jsonl`)]
    const found = places.find(existsSync)
    if (found !== undefined) return loadDocs(found)
    throw new EvaluationError(
      `data: got no documents of ${name} (split ${split}), expected ${places.join(' or ')}. Export the data set's split with Dataset.to_json`,
      { op: 'data', expected: places },
    )
  }

/**
 * A cache in one file, a line for each answer; a line cut short by a crash is skipped.
 *
 * @throws EvaluationError for a path that no file can be read from and written to.
 */
export async function fileCache(path: string): Promise<RequestCache> {
  const known = new Map<string, unknown>()
  const onDisk = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      throw new EvaluationError(
        `cache: got ${path}, expected a file that can be read and written (${(cause as Error).message})`,
        { op: 'cache', got: path },
      )
    }
  }
  const text = await onDisk(async () => {
    await mkdir(dirname(resolve(path)), { recursive: true })
    await appendFile(path, '')
    return readFile(path, 'utf8')
  })
  for (const line of text.split('\n')) {
    const [key, answer] = entryOf(line)
    if (key !== undefined) known.set(key, answer)
  }
  // What follows a line that was cut short must begin a new one.
  if (text !== '' && !text.endsWith('\n')) await onDisk(() => appendFile(path, '\n'))
  return {
    get: key => known.get(key),
    async set(key, answer) {
      known.set(key, answer)
      await onDisk(() => appendFile(path, `${JSON.stringify([key, answer])}\n`))
    },
  }
}

function entryOf(line: string): [string?, unknown?] {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) && typeof value[0] === 'string' ? (value as [string, unknown]) : []
  } catch {
    return []
  }
}

async function textOf(path: string): Promise<string> {
  try {
    // A byte order mark is no part of the text.
    return (await readFile(path, 'utf8')).replace(/^\ufeff/, '')
  } catch (cause) {
    throw new EvaluationError(`eval: got no readable file ${path}, expected one (${(cause as Error).message})`, {
      op: 'eval',
    })
  }
}
