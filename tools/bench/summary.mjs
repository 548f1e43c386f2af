// The arithmetic and the table of a side-by-side benchmark: medians, ratios, rows. Runs nothing and reads no clock.

/** Middle value; the mean of the two middle ones for an even count. Throws on an empty list. */
export function median(values) {
  if (values.length === 0) throw new Error('median: got no values, expected at least one. Run at least one round')
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/**
 * One row per (model, test, threads, depth) that both sides measured, from samples
 * `{ round, engine: 'ours' | 'theirs', model, test, threads, depth, tokensPerSecond }`.
 * `ratio` is the median over rounds of ours / theirs of the same round: noise that lasts longer than a round cancels.
 */
export function summarise(samples) {
  const groups = new Map()
  for (const s of samples) {
    const key = [s.model, s.test, s.threads, s.depth].join('\u0000')
    const group = groups.get(key) ?? {
      model: s.model,
      test: s.test,
      threads: s.threads,
      depth: s.depth,
      rounds: new Map(),
    }
    const round = group.rounds.get(s.round) ?? {}
    round[s.engine] = s.tokensPerSecond
    group.rounds.set(s.round, round)
    groups.set(key, group)
  }
  const rows = []
  for (const { rounds, ...row } of groups.values()) {
    const pairs = [...rounds.values()].filter(r => r.ours > 0 && r.theirs > 0)
    if (pairs.length === 0) continue
    const side = name => {
      const values = pairs.map(p => p[name])
      return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
    }
    const ratios = pairs.map(p => p.ours / p.theirs)
    rows.push({
      ...row,
      rounds: pairs.length,
      ours: side('ours'),
      theirs: side('theirs'),
      ratio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
    })
  }
  return rows
}

/** The rows of `summarise` as aligned text, tokens per second and ratios as `median (min–max)`. */
export function table(rows, peer = 'llama.cpp') {
  const cell = (v, digits) => `${v.median.toFixed(digits)} (${v.min.toFixed(digits)}–${v.max.toFixed(digits)})`
  const lines = [['model', 'test', 'threads', 'cria t/s', `${peer} t/s`, 'ratio']]
  for (const r of rows) {
    const test = r.depth ? `${r.test} @ ${r.depth}` : r.test
    lines.push([r.model, test, String(r.threads), cell(r.ours, 1), cell(r.theirs, 1), cell(r.ratio, 2)])
  }
  const widths = lines[0].map((_, i) => Math.max(...lines.map(l => l[i].length)))
  return lines.map(l => l.map((c, i) => (i < 2 ? c.padEnd(widths[i]) : c.padStart(widths[i]))).join('  ')).join('\n')
}
