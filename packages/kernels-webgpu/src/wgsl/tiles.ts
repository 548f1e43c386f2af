/** Matrix products of many rows, in tiles that a workgroup shares. */
import { header, join, read, written } from './template.js'

const tile = 16

/**
 * y[row, col] = Σ a(row, k) · b(k, col), 16 × 16 a workgroup. Elements lie at `row · m(3) + k · m(4)` in a and at
 * `k · m(5) + col · m(6)` in b; z counts batches, m(7) and m(8) apart. y rows are m(9) wide and start at column m(10).
 */
export const tiled = (a: string, b: string): string => `${header([read('x0'), read('x1'), written('y')])}${join(a, b)}
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

export const tiles = (n: number): number => Math.ceil(n / tile)

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
export const broad = (a: string, b: string, left: Fetch, right: Fetch): string => {
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
export const isLarge = (rows: number, columns: number): boolean => rows > tile * 2 && columns > tile * 2
export const largeTiles = (n: number): number => Math.ceil(n / large)
