/** Matrix products in tiles, and layers on weights that are decoded as they are read. */
import { isFloat, type Spec, sizeOf } from '@cria/tensor'
import { blockLayout, isSplit, type Shard, shardsOf } from '../layout.js'
import { decodesRaw } from './blocks.js'
import type { Maker } from './elementwise.js'
import {
  blockMeta,
  type Dispatch,
  grid,
  header,
  input,
  join,
  loader,
  loader4,
  output,
  read,
  written,
} from './template.js'
import { broad, isLarge, largeTiles, tiled, tiles } from './tiles.js'
import { outputsOfGroup, vector, wordVector } from './vectors.js'

const matmul: Maker = ({ inputs: [a, b], outputs: [y], attrs }) => {
  if (a!.dtype !== 'f32') return undefined
  const [m, n] = y!.shape.slice(-2) as [number, number]
  const k = a!.shape.at(attrs.transposeA ? -2 : -1)!
  const batch = sizeOf(y!.shape.slice(0, -2))
  if (batch > 65535 || tiles(m) > 65535 || tiles(n) > 65535) return undefined
  const [rowA, stepA] = attrs.transposeA ? [1, m] : [k, 1]
  const [stepB, colB] = attrs.transposeB ? [1, k] : [n, 1]
  const apart = b!.shape.length > 2 ? k * n : 0
  const wide = isLarge(m, n)
  const [left, right] = [loader('x0', 'f32'), loader('x1', 'f32')]
  return [
    {
      code: wide
        ? broad(left, right, attrs.transposeA ? 'across' : 'along', attrs.transposeB ? 'along' : 'across')
        : tiled(left, right),
      meta: [m, n, k, rowA, stepA, stepB, colB, m * k, apart, n, 0],
      bind: [input(0), input(1), output(0)],
      groups: wide ? [largeTiles(n), largeTiles(m), batch] : [tiles(n), tiles(m), batch],
    },
  ]
}

/** Weight dtypes that are decoded in place. */
const readable = (w: Spec): boolean => isFloat(w.dtype) || isSplit(w) || decodesRaw(w.dtype)

/** Meta with the block layout of one shard where the weight is a block format. */
function weightMeta(meta: readonly number[], w: Spec, shard: Shard): readonly number[] {
  if (!isSplit(w)) return meta
  const { blocksPerRow, scalesAt } = blockLayout(w, shard.rows)
  return blockMeta(meta, blocksPerRow, scalesAt)
}

/** Rows of x up to which each gets workgroups of its own; more go through tiles. */
const fewRows = 4

const linear: Maker = ({ inputs: [x, w], outputs: [y] }, limit) => {
  if (!readable(w!)) return undefined
  const k = w!.shape[1]!
  const rows = k === 0 ? 0 : sizeOf(x!.shape) / k
  if (k === 0 || tiles(rows) > 65535) return undefined
  const width = y!.shape.at(-1)!
  const weight = join(loader('x1', w!.dtype), loader4('x1', w!.dtype))
  return shardsOf(w!, limit).map((shard, i): Dispatch => {
    const meta = [rows, shard.rows, k, k, 1, 1, k, 0, 0, width, shard.start]
    const few = rows <= fewRows
    const groups = grid(shard.rows, outputsOfGroup, rows)
    if (isLarge(rows, shard.rows)) {
      const how = k % 4 === 0 ? 'fours' : 'along'
      return {
        code: broad(join(loader('x0', 'f32'), loader4('x0', 'f32')), weight, how, how),
        meta: weightMeta(meta, w!, shard),
        bind: [input(0), input(1, i), output(0)],
        groups: [largeTiles(shard.rows), largeTiles(rows), 1],
      }
    }
    if (few && isSplit(w!)) {
      return {
        code: wordVector(w!.dtype as 'q8_0' | 'q4_0'),
        meta: weightMeta(meta, w!, shard),
        bind: [input(0), input(1, i), output(0)],
        groups,
      }
    }
    return {
      code: few ? vector(weight, k % 4 === 0) : tiled(loader('x0', 'f32'), weight),
      meta: weightMeta(meta, w!, shard),
      bind: [input(0), input(1, i), output(0)],
      groups: few ? groups : [tiles(shard.rows), tiles(rows), 1],
    }
  })
}

/** Each shard writes the rows it has; the first also writes zeros for ids that no shard has. */
const embedding: Maker = ({ inputs: [ids, table] }, limit) => {
  if (!readable(table!)) return undefined
  const [n, width] = table!.shape as [number, number]
  const count = sizeOf(ids!.shape) * width
  return shardsOf(table!, limit).map((shard, i): Dispatch => {
    const code = `${header([read('x0'), read('x1'), written('y')])}${loader('x1', table!.dtype)}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let i = id.x + id.y * n.x * 64u;
  if (i >= m(0u)) { return; }
  let row = x0[i / m(1u)];
  if (row - m(2u) < m(3u) && row >= m(2u)) { y[i] = bitcast<u32>(load_x1((row - m(2u)) * m(1u) + i % m(1u))); }
  else if (row >= m(4u) && m(2u) == 0u) { y[i] = 0u; }
}`
    return {
      code,
      meta: weightMeta([count, width, shard.start, shard.rows, n], table!, shard),
      bind: [input(0), input(1, i), output(0)],
      groups: grid(count, 64),
    }
  })
}

export const products: Readonly<Record<string, Maker>> = { matmul, linear, embedding }
