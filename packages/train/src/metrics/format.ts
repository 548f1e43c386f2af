/** Numbers as people read them. */

const bars = '▁▂▃▄▅▆▇█'

/** A line of bars for a series; longer series are averaged down to `width`. */
export function sparkline(values: readonly number[], width: number): string {
  const sound = values.filter(Number.isFinite)
  if (sound.length === 0) return ''
  const cells = Math.min(width, sound.length)
  const means = Array.from({ length: cells }, (_, i) => {
    const part = sound.slice(Math.floor((i * sound.length) / cells), Math.floor(((i + 1) * sound.length) / cells))
    return part.reduce((a, x) => a + x, 0) / part.length
  })
  const [low, high] = [Math.min(...means), Math.max(...means)]
  return means.map(x => bars[high > low ? Math.min(7, Math.floor(((x - low) / (high - low)) * 8)) : 0]).join('')
}

export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s}s`
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, '0')}s`
  return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}m`
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  let x = n
  while (x >= 999.5 && i < units.length - 1) {
    x /= 1000
    i++
  }
  return `${x < 9.95 && i > 0 ? x.toFixed(1) : x.toFixed(0)} ${units[i]}`
}

/** 1,234,567. */
export const grouped = (n: number): string => Math.round(n).toLocaleString('en-US')

/** 3.4M parameters. */
export function short(n: number): string {
  for (const [size, unit] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (n >= size) return `${(n / size).toPrecision(3)}${unit}`
  return String(n)
}

export const rate = (lr: number): string => lr.toExponential(1).replace('.0e', 'e')
