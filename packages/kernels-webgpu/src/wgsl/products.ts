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

const tile = 16

/**
 * y[row, col] = Σ a(row, k) · b(k, col), 16 × 16 a workgroup. Elements lie at `row · m(3) + k · m(4)` in a and at
 * `k · m(5) + col · m(6)` in b; z counts batches, m(7) and m(8) apart. y rows are m(9) wide and start at column m(10).
 */
const tiled = (a: string, b: string): string => `${header([read('x0'), read('x1'), written('y')])}${join(a, b)}
var<workgroup> left: array<f32, ${tile * tile}>;
var<workgroup> right: array<f32, ${tile * tile}>;
@compute @workgroup_size(${tile}, ${tile})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let col = wg.x * ${tile}u + id.x;
  let row = wg.y * ${tile}u + id.y;
  let a0 = wg.z * m(7u);
  let b0 = wg.z * m(8u);
  var total = 0.0;
  for (var k = 0u; k < m(2u); k += ${tile}u) {
    let ka = k + id.x;
    let kb = k + id.y;
    var u = 0.0;
    var v = 0.0;
    if (row < m(0u) && ka < m(2u)) { u = load_x0(a0 + row * m(3u) + ka * m(4u)); }
    if (col < m(1u) && kb < m(2u)) { v = load_x1(b0 + kb * m(5u) + col * m(6u)); }
    left[id.y * ${tile}u + id.x] = u;
    right[id.y * ${tile}u + id.x] = v;
    workgroupBarrier();
    for (var j = 0u; j < ${tile}u; j++) { total += left[id.y * ${tile}u + j] * right[j * ${tile}u + id.x]; }
    workgroupBarrier();
  }
  if (row < m(0u) && col < m(1u)) { y[(wg.z * m(0u) + row) * m(9u) + m(10u) + col] = bitcast<u32>(total); }
}`

const tiles = (n: number): number => Math.ceil(n / tile)

const matmul: Maker = ({ inputs: [a, b], outputs: [y], attrs }) => {
  if (a!.dtype !== 'f32') return undefined
  const [m, n] = y!.shape.slice(-2) as [number, number]
  const k = a!.shape.at(attrs.transposeA ? -2 : -1)!
  const batch = sizeOf(y!.shape.slice(0, -2))
  if (batch > 65535 || tiles(m) > 65535 || tiles(n) > 65535) return undefined
  const [rowA, stepA] = attrs.transposeA ? [1, m] : [k, 1]
  const [stepB, colB] = attrs.transposeB ? [1, k] : [n, 1]
  const apart = b!.shape.length > 2 ? k * n : 0
  return [
    {
      code: tiled(loader('x0', 'f32'), loader('x1', 'f32')),
      meta: [m, n, k, rowA, stepA, stepB, colB, m * k, apart, n, 0],
      bind: [input(0), input(1), output(0)],
      groups: [tiles(n), tiles(m), batch],
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

/** Threads that share an output of the vector kernel, and outputs of a workgroup. */
const team = 8
const teams = 8

/** Few rows of x: eight threads an output stride over the inner axis, in steps of four elements where it divides. */
const vector = (weight: string, four: boolean): string => {
  const loop = four
    ? `for (var k = 4u * lane; k < m(2u); k += ${4 * team}u) { total += dot(load4_x0(wg.z * m(2u) + k), load4_x1(col * m(2u) + k)); }`
    : `for (var k = lane; k < m(2u); k += ${team}u) { total += load_x0(wg.z * m(2u) + k) * load_x1(col * m(2u) + k); }`
  return `${header([read('x0'), read('x1'), written('y')])}${join(loader('x0', 'f32'), loader4('x0', 'f32'), weight)}
var<workgroup> parts: array<f32, ${team * teams}>;
@compute @workgroup_size(${team * teams})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let lane = index % ${team}u;
  let col = (wg.x + wg.y * groups.x) * ${teams}u + index / ${team}u;
  var total = 0.0;
  if (col < m(1u)) { ${loop} }
  parts[index] = total;
  workgroupBarrier();
  if (lane == 0u && col < m(1u)) {
    for (var k = 1u; k < ${team}u; k++) { total += parts[index + k]; }
    y[wg.z * m(9u) + m(10u) + col] = bitcast<u32>(total);
  }
}`
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
    const groups = grid(shard.rows, teams, rows)
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
