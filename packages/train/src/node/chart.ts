/** A line chart as SVG text: axes with round numbers, one faint and one strong line, points. */

export interface Series {
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly kind: 'faint' | 'line' | 'points'
  /** HTML. */
  readonly label: string
}

export interface ChartOptions {
  readonly title: string
  readonly series: readonly Series[]
  readonly format: (y: number) => string
  /** The axis begins at 0. Default false. */
  readonly zero?: boolean
}

const [width, height] = [560, 210]
const [left, right, top, bottom] = [56, 12, 12, 28]

export function chart({ title, series, format, zero = false }: ChartOptions): string {
  const all = series.flatMap(s => s.x.map((x, i) => [x, s.y[i]!] as const)).filter(p => p.every(Number.isFinite))
  if (all.length === 0) return ''
  const xs = all.map(p => p[0])
  // Outliers of a noisy series must not flatten the rest: the axis covers all but the highest half of a hundredth.
  const ys = all.map(p => p[1]).sort((a, b) => a - b)
  const high = ys[Math.min(ys.length - 1, Math.floor(ys.length * 0.995))]!
  const y = axis(zero ? 0 : ys[0]!, high)
  const x = axis(
    xs.reduce((a, b) => Math.min(a, b)),
    xs.reduce((a, b) => Math.max(a, b)),
    false,
  )
  const px = (v: number): number => left + ((v - x.low) / (x.high - x.low || 1)) * (width - left - right)
  const py = (v: number): number =>
    Math.max(top, top + (1 - (v - y.low) / (y.high - y.low || 1)) * (height - top - bottom))
  const grid = y.ticks
    .map(
      v =>
        `<path class="grid" d="M${left} ${at(py(v))}H${width - right}"/><text class="y" x="${left - 8}" y="${at(py(v) + 4)}">${format(v)}</text>`,
    )
    .join('')
  const feet = x.ticks
    .map(v => `<text class="x" x="${at(px(v))}" y="${height - 8}">${v.toLocaleString('en-US')}</text>`)
    .join('')
  // Sets of points are told apart by their colours; a fifth has the first one again.
  const points = series.filter(s => s.kind === 'points')
  const styleOf = (s: Series): string => (s.kind === 'points' ? `points set${(points.indexOf(s) % 4) + 1}` : s.kind)
  const lines = series.map(s => draw(s, styleOf(s), px, py)).join('')
  const legend =
    series.length > 1
      ? `<span class="legend">${series.map(s => `<i class="${styleOf(s)}"></i>${s.label}`).join('')}</span>`
      : ''
  return `<figure><figcaption>${title}${legend}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${grid}${feet}${lines}</svg></figure>`
}

function draw(
  { x, y, kind, label }: Series,
  style: string,
  px: (v: number) => number,
  py: (v: number) => number,
): string {
  const sound = x.map((v, i) => [v, y[i]!] as const).filter(p => Number.isFinite(p[1]))
  if (kind === 'points')
    return sound
      .map(
        ([a, b]) =>
          `<circle class="${style}" cx="${at(px(a))}" cy="${at(py(b))}" r="3.5"><title>${label}, ${a}: ${b.toPrecision(4)}</title></circle>`,
      )
      .join('')
  return `<path class="${style}" d="${thin(sound)
    .map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${at(px(a))} ${at(py(b))}`)
    .join('')}"/>`
}

const at = (v: number): string => v.toFixed(1)

/** At most about a thousand points, extremes kept: what a screen can show. */
function thin(points: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const size = Math.ceil(points.length / 500)
  if (size <= 2) return [...points]
  const out: (readonly [number, number])[] = []
  for (let i = 0; i < points.length; i += size) {
    const part = points.slice(i, i + size)
    const low = part.reduce((a, b) => (b[1] < a[1] ? b : a))
    const high = part.reduce((a, b) => (b[1] > a[1] ? b : a))
    out.push(...(low[0] <= high[0] ? [low, high] : [high, low]))
  }
  return out
}

/** A range with round ticks; `grow` widens it to the outer ones. */
function axis(low: number, high: number, grow = true): { low: number; high: number; ticks: number[] } {
  const span = high - low || Math.abs(high) || 1
  const power = 10 ** Math.floor(Math.log10(span / 4))
  const step = [1, 2, 5, 10].map(m => m * power).find(s => span / s <= 5)!
  const first = grow ? Math.floor(low / step) : Math.ceil(low / step)
  const end = grow ? Math.ceil(high / step - 1e-9) : Math.floor(high / step + 1e-9)
  const ticks = Array.from({ length: Math.max(0, end - first) + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  )
  return grow ? { low: ticks[0]!, high: Math.max(ticks.at(-1)!, ticks[0]! + step), ticks } : { low, high, ticks }
}
