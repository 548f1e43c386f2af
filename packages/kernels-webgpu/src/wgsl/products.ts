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

/** Rows and columns of a large tile: 256 threads make 4 × 4 of each, so an element that is fetched serves 64 products. */
const large = 64
/** Words between lines of equal k, so that neither writing nor reading them meets in one bank. */
const pitch = large + 2

/** How the threads of a large tile fetch an operand: along k, by fours where they can be, or along its rows or columns. */
type Fetch = 'along' | 'fours' | 'across'

/** Each thread fetches four elements of lines `line` … m(count), steps k … k + 3, and stores them under their k. */
function fetch(to: string, from: string, how: Fetch, [count, line, step]: readonly [number, number, number]): string {
  const at = `${to}0 + line * m(${line}u) + step * m(${step}u)`
  const stores = (value: (i: number) => string): string =>
    [0, 1, 2, 3].map(i => `${to}[(kk + ${i}u) * ${pitch}u + part] = ${value(i)};`).join(' ')
  const [part, kk] = how === 'across' ? ['t & 63u', '(t >> 6u) << 2u'] : ['t >> 2u', '(t & 3u) << 2u']
  const body =
    how === 'fours'
      ? `var v = vec4(0.0);
      if (line < m(${count}u) && step < m(2u)) { v = load4_${from}(${at}); }
      ${stores(i => `v[${i}]`)}`
      : `for (var i = 0u; i < 4u; i++) {
        var v = 0.0;
        if (line < m(${count}u) && step + i < m(2u)) { v = load_${from}(${at} + i * m(${step}u)); }
        ${to}[(kk + i) * ${pitch}u + part] = v;
      }`
  return `{
      let part = ${part};
      let kk = ${kk};
      let line = ${to === 'left' ? 'wg.y' : 'wg.x'} * ${large}u + part;
      let step = k + kk;
      ${body}
    }`
}

/** The same product in large tiles, for many rows and columns. */
const broad = (a: string, b: string, left: Fetch, right: Fetch): string => {
  const rows = [0, 1, 2, 3]
  return `${header([read('x0'), read('x1'), written('y')])}${join(a, b)}
var<workgroup> left: array<f32, ${tile * pitch}>;
var<workgroup> right: array<f32, ${tile * pitch}>;
@compute @workgroup_size(${tile}, ${tile})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let t = id.y * ${tile}u + id.x;
  let left0 = wg.z * m(7u);
  let right0 = wg.z * m(8u);
  ${rows.map(i => `var total${i} = vec4(0.0);`).join(' ')}
  for (var k = 0u; k < m(2u); k += ${tile}u) {
    ${fetch('left', 'x0', left, [0, 3, 4])}
    ${fetch('right', 'x1', right, [1, 6, 5])}
    workgroupBarrier();
    for (var j = 0u; j < ${tile}u; j++) {
      let l = j * ${pitch}u + id.y;
      let r = j * ${pitch}u + id.x;
      let q = vec4(right[r], right[r + 16u], right[r + 32u], right[r + 48u]);
      ${rows.map(i => `total${i} += left[l + ${16 * i}u] * q;`).join(' ')}
    }
    workgroupBarrier();
  }
  ${rows.map(i => `put(wg, id, ${i}u, total${i});`).join(' ')}
}
fn put(wg: vec3<u32>, id: vec3<u32>, i: u32, total: vec4<f32>) {
  let row = wg.y * ${large}u + id.y + 16u * i;
  let col = wg.x * ${large}u + id.x;
  let at = (wg.z * m(0u) + row) * m(9u) + m(10u) + col;
  if (row >= m(0u)) { return; }
  ${rows.map(c => `if (col + ${16 * c}u < m(1u)) { y[at + ${16 * c}u] = bitcast<u32>(total[${c}]); }`).join(' ')}
}`
}

/** Rows and columns from which large tiles are worth their empty part. */
const isLarge = (rows: number, columns: number): boolean => rows > tile * 2 && columns > tile * 2
const largeTiles = (n: number): number => Math.ceil(n / large)

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
    if (isLarge(rows, shard.rows)) {
      const how = k % 4 === 0 ? 'fours' : 'along'
      return {
        code: broad(join(loader('x0', 'f32'), loader4('x0', 'f32')), weight, how, how),
        meta: weightMeta(meta, w!, shard),
        bind: [input(0), input(1, i), output(0)],
        groups: [largeTiles(shard.rows), largeTiles(rows), 1],
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
