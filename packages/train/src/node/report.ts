/** A run as one HTML file that needs nothing else: curves, figures, samples, what went wrong. */
import { writeFileSync } from 'node:fs'
import type { EvaluationEvent, SampleEvent, SkipEvent, StartEvent, StepEvent, TrainEvent } from '../metrics/events.js'
import { bytes, duration, grouped, rate, short } from '../metrics/format.js'
import { chart } from './chart.js'
import { readEvents } from './jsonl.js'
import { unwritten } from './text.js'

export interface ReportOptions {
  /** Default `Training run`. */
  readonly title?: string
  /** Samples that are shown, the newest first. Default 12. */
  readonly samples?: number
}

/**
 * Writes the report of a metrics file.
 *
 * @example
 * report('run/metrics.jsonl', 'run/report.html', { title: 'storyteller 3m' })
 * @throws DataError where the one cannot be read or the other not written.
 */
export function report(metrics: string, path: string, options: ReportOptions = {}): void {
  const html = reportHtml(readEvents(metrics), options)
  try {
    writeFileSync(path, html)
  } catch (cause) {
    throw unwritten(path, cause)
  }
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!)

/** The page as text. */
export function reportHtml(
  events: readonly TrainEvent[],
  { title = 'Training run', samples = 12 }: ReportOptions = {},
): string {
  const of = <T extends TrainEvent['type']>(type: T) =>
    events.filter((e): e is Extract<TrainEvent, { type: T }> => e.type === type)
  const steps = of('step')
  const held = byName(of('evaluation'))
  const x = steps.map(s => s.step)
  const line = (
    y: readonly number[],
    label = '',
  ): { x: number[]; y: readonly number[]; kind: 'line'; label: string } => ({
    x,
    y,
    kind: 'line',
    label,
  })
  const losses = steps.map(s => s.loss)
  const charts = [
    chart({
      title: 'Loss',
      format: y => String(Number(y.toPrecision(3))),
      series: [
        { x, y: losses, kind: 'faint', label: 'each step' },
        line(smooth(losses), 'smoothed'),
        ...[...held].map(([name, list]) => ({
          x: list.map(e => e.step),
          y: list.map(e => e.loss),
          kind: 'points' as const,
          label: escaped(name),
        })),
      ],
    }),
    chart({
      title: 'Gradient norm',
      format: y => String(Number(y.toPrecision(3))),
      series: [line(steps.map(s => s.norm))],
      zero: true,
    }),
    chart({
      title: 'Learning rate',
      format: y => (y === 0 ? '0' : rate(y)),
      series: [line(steps.map(s => s.lr))],
      zero: true,
    }),
    chart({
      title: 'Tokens per second',
      format: grouped,
      series: [line(steps.map(s => s.tokensPerSecond))],
      zero: true,
    }),
  ]
  return page(
    title,
    `<header><h1>${escaped(title)}</h1><p>${escaped(subtitle(of('start').at(-1), steps.at(-1), of('end').at(-1)?.reason))}</p></header>
<section class="tiles">${tiles(steps, held, events)}</section>
<section class="charts">${charts.join('')}</section>
${listSamples(of('sample').slice(-samples).reverse())}${listSkips(of('skip'))}${notes(of('start').at(-1))}`,
  )
}

function subtitle(start: StartEvent | undefined, last: StepEvent | undefined, end: string | undefined): string {
  if (start === undefined) return 'No events yet.'
  const state = end === undefined ? 'running' : end === 'done' ? 'done' : `stopped: ${end}`
  return `${short(start.parameters)} parameters on ${start.device} · step ${grouped(last?.step ?? start.step)} of ${grouped(start.steps)} · ${state}`
}

/** What was measured on each held-out set. */
function byName(evaluations: readonly EvaluationEvent[]): ReadonlyMap<string, readonly EvaluationEvent[]> {
  const sets = new Map<string, EvaluationEvent[]>()
  for (const e of evaluations) sets.set(e.name, [...(sets.get(e.name) ?? []), e])
  return sets
}

function tiles(steps: readonly StepEvent[], held: ReturnType<typeof byName>, events: readonly TrainEvent[]): string {
  const last = steps.at(-1)
  if (last === undefined) return ''
  const tail = steps.slice(-50)
  const shares = tail.flatMap(s => s.share ?? [])
  const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length
  // A loss that was no number is null in the file: it is no zero.
  const losses = tail.map(s => s.loss).filter(Number.isFinite)
  const best = [...held].flatMap(([name, list]): [string, string][] => {
    const sound = list.map(e => e.loss).filter(Number.isFinite)
    return sound.length > 0 ? [[`best ${escaped(name)}`, sound.reduce((a, b) => Math.min(a, b)).toFixed(3)]] : []
  })
  const list: [string, string][] = [
    ['loss, mean of 50', losses.length > 0 ? mean(losses).toFixed(3) : '–'],
    ...best,
    ['tokens seen', short(steps.reduce((a, s) => a + s.tokens, 0))],
    ['tokens/s', grouped(mean(tail.map(s => s.tokensPerSecond)))],
    ...(shares.length > 0 ? [['of peak', `${(mean(shares) * 100).toFixed(0)} %`] as [string, string]] : []),
    ['memory', bytes(last.memory)],
    ['time', duration(worked(events))],
  ]
  return list.map(([name, value]) => `<div><b>${value}</b><span>${name}</span></div>`).join('')
}

/** Seconds of work: between the events of each start, so that a pause between two sessions does not count. */
function worked(events: readonly TrainEvent[]): number {
  let total = 0
  for (let i = 1; i < events.length; i++)
    if (events[i]!.type !== 'start') total += events[i]!.time - events[i - 1]!.time
  return total / 1000
}

/** Exponential mean over about a fiftieth of the run, without the lag of its first steps. */
function smooth(values: readonly number[]): number[] {
  const keep = 1 - 1 / Math.max(1, Math.min(100, values.length / 50))
  let [sum, weight] = [0, 0]
  return values.map(v => {
    if (Number.isFinite(v)) [sum, weight] = [sum * keep + v, weight * keep + 1]
    return sum / weight
  })
}

const listSamples = (samples: readonly SampleEvent[]): string =>
  samples.length === 0
    ? ''
    : `<section><h2>Samples</h2>${samples
        .map(
          s =>
            `<article><span>step ${grouped(s.step)}</span><p><b>${escaped(s.prompt)}</b>${escaped(s.text)}</p></article>`,
        )
        .join('')}</section>`

const listSkips = (skips: readonly SkipEvent[]): string =>
  skips.length === 0
    ? ''
    : `<section><h2>Skipped steps</h2><ul>${skips.map(s => `<li>step ${grouped(s.step)}: ${escaped(s.reason)}</li>`).join('')}</ul></section>`

const notes = (start: StartEvent | undefined): string =>
  start?.notes === undefined
    ? ''
    : `<section><details><summary>What was run</summary><pre>${escaped(JSON.stringify(start.notes, null, 2))}</pre></details></section>`

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --edge: #e3e5e9; --ground: #fbfbfc; --card: #fff; --line: #2563a8; --point: #c2410c }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef0; --soft: #9ba1a6; --edge: #2b2f33; --ground: #111315; --card: #181b1e; --line: #6cb0f5; --point: #fb923c } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2rem 0 .75rem } header p { margin: .25rem 0 1.5rem; color: var(--soft) }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin-bottom: 1.25rem }
.tiles div, figure, article { background: var(--card); border: 1px solid var(--edge); border-radius: 10px }
.tiles div { padding: .7rem 1rem; min-width: 7rem } .tiles b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums } .tiles span, article span { color: var(--soft); font-size: .82rem }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: .75rem }
figure { margin: 0; padding: .8rem 1rem .4rem } figcaption { display: flex; justify-content: space-between; gap: 1rem; font-weight: 600 }
.legend { font-weight: 400; font-size: .82rem; color: var(--soft); display: flex; align-items: center; gap: .4rem } .legend i { width: 14px; height: 3px; border-radius: 2px; background: var(--line); margin-left: .6rem }
.legend i.faint { opacity: .3 } .legend i.points { width: 8px; height: 8px; border-radius: 50%; background: var(--point) } .legend i.set2 { background: #0d9488 } .legend i.set3 { background: #9333ea } .legend i.set4 { background: #ca8a04 }
svg { width: 100%; height: auto; display: block } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums } .y { text-anchor: end } .x { text-anchor: middle }
.grid { stroke: var(--edge); fill: none } .line, .faint { fill: none; stroke: var(--line); stroke-width: 2; stroke-linejoin: round } .faint { opacity: .3; stroke-width: 1 } circle { fill: var(--point) } circle.set2 { fill: #0d9488 } circle.set3 { fill: #9333ea } circle.set4 { fill: #ca8a04 }
article { padding: .7rem 1rem; margin-bottom: .6rem } article p { margin: .15rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere }
pre { overflow: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 1rem } summary { cursor: pointer; color: var(--soft) }
</style></head><body>${body}</body></html>
`
