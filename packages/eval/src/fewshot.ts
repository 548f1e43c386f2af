/** Which examples stand before a question. */
import { EvaluationError } from './errors.js'
import { PythonRandom } from './python-random.js'
import { type Doc, evaluatedSplit, fewshotSplit, type Task } from './task.js'

/** A document to choose from. `key` is equal for equal documents, and made once for each. */
interface Entry {
  readonly doc: Doc
  readonly key: string
}

/** The documents of one group, and how often each is there. */
interface Pool {
  readonly entries: readonly Entry[]
  readonly copies: ReadonlyMap<string, number>
}

/**
 * Chooses the examples of one document after another, drawing as lm-eval's ContextSampler does. What a document costs
 * does not grow with the pool.
 *
 * @param docs of the split that examples come from.
 */
export function exampleSampler(
  task: Task,
  k: number,
  docs: readonly Doc[],
  seed: number,
): (doc: Doc) => readonly Doc[] {
  const random = new PythonRandom(seed)
  // lm-eval leaves out the document itself where these two name the same split, and also where neither is named. It
  // shows a document its own answer where the test split is the only one; that is not followed.
  const own = task.fewshotSamples === undefined && fewshotSplit(task) === evaluatedSplit(task)
  const exclude = own || task.splits.fewshot === task.splits.test
  const keyOf = (doc: Doc): string => (exclude ? JSON.stringify(doc) : '')
  const pools = poolsOf(docs, task.fewshotGroup, keyOf)
  return doc => {
    const key = keyOf(doc)
    const { entries, copies } = pools.get(task.fewshotGroup?.(doc) ?? '') ?? empty
    const others = entries.length - (exclude ? (copies.get(key) ?? 0) : 0)
    if (others < k)
      throw new EvaluationError(
        `evaluate: got ${others} documents to choose ${k} examples of ${task.name} from, expected more. Lower numFewshot`,
        { op: 'evaluate', got: others, expected: k },
      )
    const isOther = (entry: Entry): boolean => !exclude || entry.key !== key
    return choose(entries, isOther).map(entry => entry.doc)
  }

  function choose(entries: readonly Entry[], isOther: (entry: Entry) => boolean): readonly Entry[] {
    if (task.fewshotSampler === 'first_n') {
      const first: Entry[] = []
      for (let i = 0; first.length < k; i++) if (isOther(entries[i]!)) first.push(entries[i]!)
      return first
    }
    if (!exclude) return random.sample(entries, k)
    // One more is drawn, so that the document itself can be left out, and drawn again where it came twice.
    const drawn = random.sample(entries, Math.min(k + 1, entries.length)).filter(isOther)
    return drawn.length >= k ? drawn.slice(0, k) : random.sample(entries.filter(isOther), k)
  }
}

const empty: Pool = { entries: [], copies: new Map() }

function poolsOf(docs: readonly Doc[], group: Task['fewshotGroup'], keyOf: (doc: Doc) => string): Map<string, Pool> {
  const pools = new Map<string, { entries: Entry[]; copies: Map<string, number> }>()
  for (const doc of docs) {
    const name = group?.(doc) ?? ''
    const pool = pools.get(name) ?? { entries: [] as Entry[], copies: new Map<string, number>() }
    const key = keyOf(doc)
    pool.entries.push({ doc, key })
    pool.copies.set(key, (pool.copies.get(key) ?? 0) + 1)
    pools.set(name, pool)
  }
  return pools
}
