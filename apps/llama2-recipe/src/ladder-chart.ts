/** The size ladder as a picture: loss against compute and against parameters, in logarithms. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { fit, frontier, lossAt, type Rung } from './scaling.js'
import { sizes } from './sizes.js'

/** llama2.c's README: models trained on TinyStories, their parameters and validation loss. Another text, so another level. */
const tinyLlamas = [
  { parameters: 260e3, loss: 1.297 },
  { parameters: 15e6, loss: 1.072 },
  { parameters: 42e6, loss: 0.847 },
  { parameters: 110e6, loss: 0.76 },
]

/** The fitted curve over the range of the points. */
function line(points: readonly { x: number; loss: number }[]): { x: number; loss: number }[] {
  const curve = fit(points)
  const xs = points.map(p => p.x)
  const [from, to] = [Math.min(...xs), Math.max(...xs)]
  return Array.from({ length: 50 }, (_, i) => from * (to / from) ** (i / 49)).map(x => ({ x, loss: lossAt(curve, x) }))
}

/** Writes `ladder.svg` into the folder. */
export async function drawLadder(rungs: readonly Rung[], folder: string): Promise<void> {
  const { document } = parseHTML('<html><body></body></html>')
  const best = frontier(rungs).map(r => ({ x: r.flops, loss: r.loss }))
  const largest = Object.values(
    Object.fromEntries(
      [...rungs].sort((a, b) => b.loss - a.loss).map(r => [r.size, { x: r.parameters, loss: r.loss }]),
    ),
  )
  const published = tinyLlamas.map(p => ({ x: p.parameters, loss: p.loss }))
  const common = {
    document,
    width: 460,
    height: 320,
    marginLeft: 50,
    marginRight: 40,
    marginTop: 36,
    insetBottom: 14,
    grid: true,
    style: { fontSize: '12px' },
  } as const
  const compute = Plot.plot({
    ...common,
    x: { type: 'log', label: 'training FLOP', tickFormat: '.0e', ticks: 4 },
    y: { type: 'log', label: 'held-out loss, nats a token', tickFormat: '.1f', ticks: 6 },
    color: { legend: false, domain: Object.keys(sizes), scheme: 'observable10' },
    marks: [
      Plot.line(rungs, { x: 'flops', y: 'loss', stroke: 'size', sort: 'flops' }),
      Plot.dot(rungs, { x: 'flops', y: 'loss', fill: 'size', r: 4 }),
      ...Object.keys(sizes).map((size, i) =>
        Plot.text(
          rungs.filter(r => r.size === size),
          // Above and below in turn, as neighbouring sizes meet.
          { x: 'flops', y: 'loss', text: r => `${r.size} ${(r.tokens / 1e6).toFixed(0)}M`, dy: i % 2 === 0 ? 14 : -10 },
        ),
      ),
      ...(best.length > 1 ? [Plot.line(line(best), { x: 'x', y: 'loss', strokeDasharray: '4 3' })] : []),
    ],
  })
  const parameters = Plot.plot({
    ...common,
    x: { type: 'log', label: 'parameters', tickFormat: '.0s', ticks: 4 },
    y: { type: 'log', label: 'loss, nats a token', tickFormat: '.1f', ticks: 6 },
    marks: [
      Plot.dot(largest, { x: 'x', y: 'loss', fill: '#4269d0', r: 4 }),
      Plot.text(largest.slice(-1), {
        x: 'x',
        y: 'loss',
        text: () => 'ours, on its own text',
        dx: 8,
        textAnchor: 'start',
      }),
      Plot.dot(published, { x: 'x', y: 'loss', stroke: '#888', r: 4 }),
      Plot.line(line(published), { x: 'x', y: 'loss', stroke: '#888', strokeDasharray: '4 3' }),
      ...(largest.length > 2
        ? [Plot.line(line(largest), { x: 'x', y: 'loss', stroke: '#4269d0', strokeDasharray: '4 3' })]
        : []),
      Plot.text([published[1]!], { x: 'x', y: 'loss', text: () => "llama2.c's, on TinyStories", dy: -12 }),
    ],
  })
  const body = [compute, parameters].map((plot, i) => {
    plot.setAttribute('x', String(i * 480))
    return plot.outerHTML
  })
  await writeFile(
    join(folder, 'ladder.svg'),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 330" style="background:#fff"><title>Loss against compute and parameters</title>${body.join('')}</svg>\n`,
  )
}
