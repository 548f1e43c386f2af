/** Results as a table for people, beside the figures of the LLaMA papers where they have any. */
import { protocols, published, publishedModels } from './published.js'
import type { TaskResult } from './runner.js'

/**
 * Markdown: one line for each metric; and, for tasks that the LLaMA papers report, one for each task with their
 * figures. Shares are in per cent.
 */
export function resultsTable(results: readonly TaskResult[]): string {
  const lines = results.flatMap(({ task, numFewshot, samples, scores }) =>
    scores.map(({ metric, filter, value, stderr, higherIsBetter }) => {
      const share = isShare(metric)
      return [
        task,
        String(numFewshot),
        String(samples.length),
        filter === 'none' ? metric : `${metric}, ${filter}`,
        higherIsBetter ? '↑' : '↓',
        number(value, share),
        stderr === undefined ? '' : `± ${number(stderr, share)}`,
      ]
    }),
  )
  const own = table(['task', 'shots', 'n', 'metric', '', 'value', 'error'], lines)
  const beside = besidePapers(results)
  return beside === '' ? own : `${own}\n${beside}`
}

/** The same task in the papers: prompts and numbers of examples are not always theirs, which the last column says. */
function besidePapers(results: readonly TaskResult[]): string {
  const lines = results.flatMap(({ task, scores }) => {
    const { metric, protocol } = protocols[task] ?? {}
    const score = scores.findLast(s => s.metric === metric) ?? scores.find(({ metric }) => metric === 'acc')
    if (score === undefined || protocol === undefined) return []
    const theirs = publishedModels.map(model => published(model, task)?.toFixed(1) ?? '')
    return [[task, (score.value * 100).toFixed(1), ...theirs, `${protocol}; here ${score.metric}`]]
  })
  return lines.length === 0 ? '' : table(['task', 'here', ...publishedModels, 'protocol of the papers'], lines)
}

const isShare = (metric: string): boolean => metric.startsWith('acc') || metric === 'exact_match'
const number = (x: number, share: boolean): string => (share ? (x * 100).toFixed(1) : x.toPrecision(5))

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map(line => line[i]!.length)))
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |\n`
  return row(head) + row(widths.map(n => '-'.repeat(n))) + lines.map(row).join('')
}
