/** How stories spread over the plots and endings of the world: a model that learned from what it tells well tells that more often. */
import { checkStory, story } from '@cria/world'

export interface Spread {
  /** Share of the stories of each plot; `none` where no event tells which. */
  readonly plots: Readonly<Record<string, number>>
  /** Share of the four commonest plots of these stories together. */
  readonly four: number
  /** So many plots, all equally common, would be as varied: e to the entropy. */
  readonly even: number
  /** Share of the stories with each ending; `none` where there is none. */
  readonly endings: Readonly<Record<string, number>>
}

/** Stories of the world that plots are told apart by. */
const sample = 1000

let marks: Map<string, string> | undefined
/** The plot that most of the events point to that no other plot has. */
export function plotOf(events: readonly string[]): string {
  if (!marks) {
    const plots = new Map<string, Set<string>>()
    for (let i = 0; i < sample; i++) {
      const { events, sketch } = story(0, i).tale
      for (const { kind } of events) plots.set(kind, (plots.get(kind) ?? new Set()).add(sketch.plot))
    }
    marks = new Map([...plots].flatMap(([kind, of]) => (of.size === 1 ? [[kind, [...of][0]!] as const] : [])))
  }
  return Object.keys(shares(events.flatMap(kind => marks!.get(kind) ?? [])))[0] ?? 'none'
}

/** How often each is there. */
export function tally(list: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const one of list) counts.set(one, (counts.get(one) ?? 0) + 1)
  return counts
}

/** The share of each, the commonest first. */
function shares(list: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    [...tally(list)].sort((a, b) => b[1] - a[1]).map(([one, count]) => [one, count / list.length]),
  )
}

export function spread(stories: readonly string[]): Spread {
  const facts = stories.map(text => checkStory(text).facts)
  const plots = shares(facts.map(({ events }) => plotOf(events)))
  const each = Object.values(plots)
  return {
    plots,
    four: each.slice(0, 4).reduce((a, b) => a + b, 0),
    even: Math.exp(each.reduce((sum, p) => sum - p * Math.log(p), 0)),
    endings: shares(facts.map(({ ending }) => ending ?? 'none')),
  }
}
