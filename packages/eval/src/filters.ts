/** From what a model wrote to what is compared: lm-eval's filters, by its names. Each maps a document's answers. */
import { EvaluationError } from './errors.js'
import { strip } from './python.js'
import { pythonRegExp } from './python-regexp.js'

export interface FilterPipeline {
  /** Named in the results: `exact_match,strict-match`. */
  readonly name: string
  readonly steps: readonly Filter[]
}

export type Filter =
  /** The match, or the first group that matched; `select` among all matches, -1 the last. */
  | { readonly filter: 'regex'; readonly pattern: string; readonly select?: number; readonly fallback?: string }
  | { readonly filter: 'remove_whitespace' | 'lowercase' | 'uppercase' }
  | { readonly filter: 'map'; readonly mapping: Readonly<Record<string, string>>; readonly fallback?: string }
  | { readonly filter: 'take_first' | 'majority_vote' }
  | { readonly filter: 'take_first_k'; readonly k: number }

/** The answer as it is. */
export const noFilter: FilterPipeline = { name: 'none', steps: [{ filter: 'take_first' }] }

export const applyFilters = ({ steps }: FilterPipeline, answers: readonly string[]): readonly string[] =>
  steps.reduce((kept, step) => apply(step, kept), answers)

function apply(step: Filter, answers: readonly string[]): readonly string[] {
  switch (step.filter) {
    case 'regex': {
      const regex = pythonRegExp(step.pattern, 'g')
      return answers.map(answer => extract(answer, regex, step.select ?? 0) ?? step.fallback ?? '[invalid]')
    }
    case 'remove_whitespace':
      return answers.map(strip)
    case 'lowercase':
      return answers.map(answer => answer.toLowerCase())
    case 'uppercase':
      return answers.map(answer => answer.toUpperCase())
    case 'map':
      return answers.map(answer =>
        Object.hasOwn(step.mapping, answer) ? step.mapping[answer]! : (step.fallback ?? ''),
      )
    case 'take_first':
      return answers.slice(0, 1)
    case 'majority_vote':
      return [mostCommon(answers)]
    case 'take_first_k':
      if (answers.length < step.k)
        throw new EvaluationError(
          `take_first_k: got ${answers.length} answers for each document, expected at least ${step.k}. Raise the task's repeats`,
          { op: 'take_first_k', got: answers.length, expected: step.k },
        )
      return answers.slice(0, step.k)
  }
}

/** What `findall` finds: the whole match without groups, else the first group that is not empty. */
function extract(answer: string, regex: RegExp, select: number): string | undefined {
  const match = [...answer.matchAll(regex)].at(select)
  if (match === undefined) return undefined
  const found = match.length === 1 ? match[0] : match.length === 2 ? (match[1] ?? '') : match.slice(1).find(Boolean)
  return found === undefined ? undefined : strip(found)
}

/** The first seen of equals. */
function mostCommon(answers: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0]
}
