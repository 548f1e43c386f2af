/** Reading and writing by index, and random bits. */
import { byteLength } from '@cria/tensor'
import { flat, type KernelMaker, view } from '../lowering.js'
import { plain } from './elementwise.js'

const product = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1)

const gather: KernelMaker = ({ inputs: [x], outputs: [y] }) => {
  const shape = [x!.shape[0]!, product(x!.shape.slice(1))]
  return (to, [a, index], [b]) =>
    to.step('gather', [view(a!, shape), flat(index!), flat(b!)], { cost: byteLength(y!) * 0.05 })
}

const scatterAdd: KernelMaker = ({ inputs: [x, , updates] }) => {
  if (!plain(x!)) return undefined
  const shape = [x!.shape[0]!, product(x!.shape.slice(1))]
  const cost = (product(x!.shape) + product(updates!.shape)) * 0.3
  return (to, [a, index, u], [y]) =>
    to.step('scatter_add', [view(a!, shape), flat(index!), flat(u!), flat(y!)], { cost })
}

const pick: KernelMaker = ({ inputs: [x, index] }) => {
  const n = x!.shape.at(-1)!
  const rows = product(index!.shape)
  return (to, [a, i], [y]) => to.step('pick', [view(a!, [rows, n]), flat(i!), flat(y!)], { cost: rows * 5 })
}

const writeRows: KernelMaker = ({ inputs: [target, rows] }) => {
  if (!['f32', 'f16', 'bf16', 'q8_0'].includes(target!.dtype)) return undefined
  const width = product(target!.shape.slice(1))
  // Blocks must not run over the end of a row.
  if (target!.dtype === 'q8_0' && width % 32 !== 0) return undefined
  const shape = [target!.shape[0]!, width]
  const cost = product(rows!.shape) * (target!.dtype === 'q8_0' ? 1 : 0.2)
  return (to, [t, r, index]) => to.step('write_rows', [view(t!, shape), flat(r!), flat(index!)], { writes: [0], cost })
}

const randomBits: KernelMaker =
  () =>
  (to, [key], [y]) =>
    to.step('random_bits', [flat(key!), flat(y!)], { cost: product(y!.spec.shape) })

export const indexing: Readonly<Record<string, KernelMaker>> = {
  gather,
  scatter_add: scatterAdd,
  pick,
  write_rows: writeRows,
  random_bits: randomBits,
}
