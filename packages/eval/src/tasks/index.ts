/** The tasks that come with the package, by lm-eval's names. Their data does not: see `folderSource`. */
import { EvaluationError } from '../errors.js'
import type { Task } from '../task.js'
import * as commonSense from './common-sense.js'
import * as knowledge from './knowledge.js'
import { sanity } from './sanity.js'

const all: readonly Task[] = [
  sanity,
  commonSense.boolq,
  commonSense.boolqLlama,
  commonSense.piqa,
  commonSense.socialIqa,
  commonSense.hellaswag,
  commonSense.winogrande,
  commonSense.arcEasy,
  commonSense.arcChallenge,
  commonSense.openbookqa,
  commonSense.openbookqaLlama,
  commonSense.commonsenseQa,
  knowledge.mmlu,
  knowledge.gsm8k,
  knowledge.triviaqa,
  knowledge.nqOpen,
  knowledge.lambada,
  knowledge.wikitext,
]

/** Names of the bundled tasks. */
export const taskNames: readonly string[] = all.map(({ name }) => name)

/**
 * A bundled task.
 *
 * @throws EvaluationError for a name that is none.
 */
export function bundledTask(name: string): Task {
  const found = all.find(task => task.name === name)
  if (found) return found
  throw new EvaluationError(`task: got ${name}, expected one of ${taskNames.join(', ')}, or a task file`, {
    op: 'task',
    got: name,
    expected: taskNames,
  })
}
