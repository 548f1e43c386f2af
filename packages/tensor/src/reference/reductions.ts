/** Reference kernels along one axis. A reduced axis splits a tensor into [outer, n, inner]. */
import type { Spec } from '../spec.js'
import { sizeOf } from '../spec.js'
import type { Elements, KernelMaker } from './index.js'

/** Reads the elements of one line along the axis: `line(k)` is element k. */
type Fold = (line: (k: number) => number, n: number) => number

function fold(f: Fold): KernelMaker {
  return ({ inputs: [x], attrs }) => {
    if (x!.dtype === 'f16' || x!.dtype === 'bf16') return undefined
    const axis = attrs.axis as number
    const n = x!.shape[axis]!
    const inner = sizeOf(x!.shape.slice(axis + 1))
    return ([a], [y]) => {
      for (let i = 0; i < y!.length; i++) {
        const start = Math.floor(i / inner) * n * inner + (i % inner)
        y![i] = f(k => a![start + k * inner]!, n)
      }
    }
  }
}

const sum: Fold = (line, n) => {
  let total = 0
  for (let k = 0; k < n; k++) total += line(k)
  return total
}

const max: Fold = (line, n) => {
  let top = Number.NEGATIVE_INFINITY
  for (let k = 0; k < n; k++) top = Math.max(top, line(k))
  return top
}

const argmax: Fold = (line, n) => {
  let best = 0
  for (let k = 1; k < n && !Number.isNaN(line(best)); k++) if (!(line(k) <= line(best))) best = k
  return best
}

/** Rows of the last axis. */
const rowsOf = (x: Spec): number => x.shape.at(-1) ?? 1
const halves = (x: Spec): boolean => x.dtype === 'f16' || x.dtype === 'bf16'

const cumsum: KernelMaker = ({ inputs: [x] }) => {
  if (halves(x!)) return undefined
  const n = rowsOf(x!)
  return ([a], [y]) => {
    let total = 0
    for (let i = 0; i < a!.length; i++) {
      total = i % n === 0 ? a![i]! : total + a![i]!
      y![i] = total
    }
  }
}

/** NaN first: what is wrong is not dropped. */
const falling = (a: number, b: number): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a))
  return a === b ? 0 : a > b ? -1 : 1
}

const topK: KernelMaker = ({ inputs: [x], attrs }) => {
  if (halves(x!)) return undefined
  const n = rowsOf(x!)
  const k = attrs.k as number
  return ([a], [values, indices]) => {
    for (let row = 0; row * n < a!.length; row++) {
      const line = a!.subarray(row * n, (row + 1) * n) as Elements
      const order = Array.from(line.keys()).sort((i, j) => falling(line[i]!, line[j]!) || i - j)
      for (let i = 0; i < k; i++) {
        values![row * k + i] = line[order[i]!]!
        indices![row * k + i] = order[i]!
      }
    }
  }
}

export const reductions: Readonly<Record<string, KernelMaker>> = {
  sum: fold(sum),
  max: fold(max),
  argmax: fold(argmax),
  cumsum,
  top_k: topK,
}
