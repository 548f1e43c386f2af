/** Reference kernels that move elements or make them. Halves move as their bits. */

import { sizeOf } from '../spec.js'
import { storer, walk } from './elementwise.js'
import type { KernelMaker } from './index.js'

const transpose: KernelMaker = ({ inputs: [x], outputs: [out], attrs }) => {
  const perm = attrs.perm as readonly number[]
  const strides = x!.shape.map((_, axis) => sizeOf(x!.shape.slice(axis + 1)))
  const moved = [perm.map(p => strides[p]!)]
  return ([a], [y]) =>
    walk(out!.shape, moved, (i, [p]) => {
      y![i] = a![p!]!
    })
}

const slice: KernelMaker = ({ inputs: [x], attrs }) => {
  const axis = attrs.axis as number
  const inner = sizeOf(x!.shape.slice(axis + 1))
  const row = x!.shape[axis]! * inner
  const from = (attrs.start as number) * inner
  const length = (attrs.end as number) * inner - from
  return ([a], [y]) => {
    for (let i = 0, at = from; i < y!.length; i += length, at += row) y!.set(a!.subarray(at, at + length), i)
  }
}

const concat: KernelMaker = ({ inputs: [a, b], attrs }) => {
  const axis = attrs.axis as number
  const rowA = sizeOf(a!.shape.slice(axis))
  const rowB = sizeOf(b!.shape.slice(axis))
  const outer = sizeOf(a!.shape.slice(0, axis))
  return ([x, y], [z]) => {
    for (let i = 0; i < outer; i++) {
      z!.set(x!.subarray(i * rowA, (i + 1) * rowA), i * (rowA + rowB))
      z!.set(y!.subarray(i * rowB, (i + 1) * rowB), i * (rowA + rowB) + rowA)
    }
  }
}

const full: KernelMaker = ({ outputs: [out], attrs }) => {
  const value = storer(out!.dtype)(attrs.value as number)
  return (_, [y]) => {
    y!.fill(value)
  }
}

const iota: KernelMaker = ({ outputs: [out] }) => {
  const store = storer(out!.dtype)
  return (_, [y]) => {
    for (let i = 0; i < y!.length; i++) y![i] = store(i)
  }
}

const assign: KernelMaker =
  () =>
  ([target, x]) => {
    target!.set(x!)
  }

export const movement: Readonly<Record<string, KernelMaker>> = { transpose, slice, concat, full, iota, assign }
