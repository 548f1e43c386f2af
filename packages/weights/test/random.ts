/** Reproducible numbers for tests. */
export function lcg(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
}

/** A whole number below `limit`. */
export const pick = (next: () => number, limit: number): number => Math.floor(next() * limit)

/** Roughly normal values with a standard deviation of `scale` · 0.58. */
export function bell(count: number, scale: number, seed: number): Float32Array {
  const next = lcg(seed)
  return Float32Array.from({ length: count }, () => {
    let sum = 0
    for (let i = 0; i < 4; i++) sum += next() - 0.5
    return sum * scale
  })
}
