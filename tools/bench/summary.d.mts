// Types of summary.mjs, for its test.
export interface Sample {
  round: number
  engine: 'ours' | 'theirs'
  model: string
  test: string
  threads: number
  depth: number
  tokensPerSecond: number
}
export interface Spread {
  median: number
  min: number
  max: number
}
export interface Row {
  model: string
  test: string
  threads: number
  depth: number
  rounds: number
  ours: Spread
  theirs: Spread
  ratio: Spread
}
export function median(values: readonly number[]): number
export function summarise(samples: readonly Sample[]): Row[]
export function table(rows: readonly Row[], peer?: string): string
