/** Folding along an axis: sum, max, argmax, scans, top-k, and the row-wise layers that are folds (norms, softmax). */
import { type DType, type Spec, sizeOf } from '@cria/tensor'
import type { Maker } from './elementwise.js'
import {
  type Dispatch,
  elements,
  elementsDispatch,
  floatBits,
  grid,
  header,
  input,
  keyLoader,
  lanes,
  loader,
  manyLanes,
  ordered,
  output,
  read,
  type Scalar,
  scalarOf,
  together,
  widthOf,
  written,
} from './template.js'

const folds: Readonly<Record<string, { start: (t: string) => string; step: string }>> = {
  sum: { start: t => `${t}(0)`, step: 'total + v' },
  max: { start: () => 'load_x0(from_)', step: 'max(total, v)' },
}

/** How elements are compared: floats as keys of their bits. `bits` turns what was compared into what is stored. */
interface Compared {
  readonly type: Scalar
  readonly load: string
  readonly bits: (v: string) => string
}
const compared = (dtype: DType): Compared =>
  dtype === 'f32'
    ? {
        type: 'u32',
        load: ordered + keyLoader('x0'),
        bits: v => `of_key(${v})`,
      }
    : plain(dtype)
const plain = (dtype: DType): Compared => ({
  type: scalarOf(dtype),
  load: loader('x0', dtype),
  bits: v => `bitcast<u32>(${v})`,
})

/** [outer, n, inner] around the reduced axis. */
function around(x: Spec, axis: number): { n: number; inner: number } {
  return { n: x.shape[axis]!, inner: sizeOf(x.shape.slice(axis + 1)) }
}

/** A thread folds a line; long lines get a workgroup. */
const fold =
  (name: string): Maker =>
  ({ inputs: [x], outputs: [y], attrs }) => {
    if (widthOf(x!.dtype) !== 32) return undefined
    const { type: t, load, bits } = (name === 'max' ? compared : plain)(x!.dtype)
    const { n, inner } = around(x!, attrs.axis as number)
    const { start, step } = folds[name]!
    const count = sizeOf(y!.shape)
    if (n >= 2 * lanes && inner === 1) {
      const code = `${header([read('x0'), written('y')])}${load}
${together('folded', t, step)}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let line = min(wg.x + wg.y * groups.x, m(0u) - 1u);
  let from_ = line * m(1u);
  var total = ${start(t)};
  for (var k = lane; k < m(1u); k += ${lanes}u) { let v = load_x0(from_ + k); total = ${step}; }
  total = folded(lane, total);
  if (lane == 0u) { y[line] = ${bits('total')}; }
}`
      return [{ code, meta: [count, n], bind: [input(0), output(0)], groups: grid(count, 1) }]
    }
    const body = `${load}
fn value(i: u32) -> u32 {
  let from_ = (i / m(3u)) * m(2u) * m(3u) + i % m(3u);
  var total = ${start(t)};
  for (var k = 0u; k < m(2u); k++) { let v = load_x0(from_ + k * m(3u)); total = ${step}; }
  return ${bits('total')};
}`
    return [elementsDispatch(elements([read('x0')], 32, body), y!, [input(0), output(0)], [n, inner])]
  }

/** The first of equals wins: lanes hold the best of their stride, and ties go to the lower index. */
const argmax: Maker = ({ inputs: [x], outputs: [y], attrs }) => {
  if (widthOf(x!.dtype) !== 32) return undefined
  const { type: t, load } = compared(x!.dtype)
  const { n, inner } = around(x!, attrs.axis as number)
  const count = sizeOf(y!.shape)
  const code = `${header([read('x0'), written('y')])}${load}
var<workgroup> values: array<${t}, ${lanes}>;
var<workgroup> places: array<u32, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let line = wg.x + wg.y * groups.x;
  let start = (line / m(2u)) * m(1u) * m(2u) + line % m(2u);
  var best = load_x0(start);
  var place = 0u;
  for (var k = lane; k < m(1u); k += ${lanes}u) {
    let v = load_x0(start + k * m(2u));
    if (v > best) { best = v; place = k; }
  }
  values[lane] = best;
  places[lane] = place;
  workgroupBarrier();
  if (lane == 0u && line < m(0u)) {
    for (var k = 1u; k < ${lanes}u; k++) {
      if (values[k] > best || (values[k] == best && places[k] < place)) { best = values[k]; place = places[k]; }
    }
    y[line] = place;
  }
}`
  return [{ code, meta: [count, n, inner], bind: [input(0), output(0)], groups: grid(count, 1) }]
}

/** One thread runs along a row. */
const cumsum: Maker = ({ inputs: [x] }) => {
  if (widthOf(x!.dtype) !== 32) return undefined
  const n = x!.shape.at(-1) ?? 1
  const rows = n === 0 ? 0 : sizeOf(x!.shape) / n
  const code = `${header([read('x0'), written('y')])}${loader('x0', x!.dtype)}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let row = id.x + id.y * n.x * 64u;
  if (row >= m(0u)) { return; }
  var total = ${scalarOf(x!.dtype)}(0);
  for (var k = 0u; k < m(1u); k++) { total += load_x0(row * m(1u) + k); y[row * m(1u) + k] = bitcast<u32>(total); }
}`
  return [{ code, meta: [rows, n], bind: [input(0), output(0)], groups: grid(rows, 64) }]
}

/** A workgroup finds the largest element after the last one found, k times over. */
const topK: Maker = ({ inputs: [x], attrs }) => {
  if (x!.dtype !== 'f32') return undefined
  const n = x!.shape.at(-1)!
  const rows = n === 0 ? 0 : sizeOf(x!.shape) / n
  const { load, bits } = compared('f32')
  const code = `${header([read('x0'), written('y'), written('z')])}${load}
var<workgroup> values: array<u32, ${lanes}>;
var<workgroup> places: array<u32, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = min(wg.x + wg.y * groups.x, m(0u) - 1u);
  var last = 0u;
  var last_place = 0xffffffffu;
  for (var i = 0u; i < m(2u); i++) {
    var best = 0u;
    var place = 0xffffffffu;
    for (var k = lane; k < m(1u); k += ${lanes}u) {
      let v = load_x0(row * m(1u) + k);
      let later = i == 0u || v < last || (v == last && k > last_place);
      if (later && (place == 0xffffffffu || v > best)) { best = v; place = k; }
    }
    values[lane] = best;
    places[lane] = place;
    workgroupBarrier();
    for (var s = ${lanes / 2}u; s > 0u; s >>= 1u) {
      if (lane < s && places[lane + s] != 0xffffffffu && (places[lane] == 0xffffffffu || values[lane + s] > values[lane] || (values[lane + s] == values[lane] && places[lane + s] < places[lane]))) {
        values[lane] = values[lane + s];
        places[lane] = places[lane + s];
      }
      workgroupBarrier();
    }
    last = values[0];
    last_place = places[0];
    workgroupBarrier();
    if (lane == 0u) { y[row * m(2u) + i] = ${bits('last')}; z[row * m(2u) + i] = last_place; }
  }
}`
  const k = attrs.k as number
  return [{ code, meta: [rows, n, k], bind: [input(0), output(0), output(1)], groups: grid(rows, 1) }]
}

/** A workgroup per row: `folded` lines first (each a sum or a max over the row), then every element from them. */
function rowwise(
  x: Spec,
  variables: readonly string[],
  folded: readonly { name: string; start: string; step: string; of: string; type?: Scalar }[],
  element: string,
  bind: Dispatch['bind'],
  { extra = [], functions = '' }: { extra?: readonly number[]; functions?: string } = {},
): readonly Dispatch[] {
  const n = x.shape.at(-1) ?? 1
  const rows = n === 0 ? 0 : sizeOf(x.shape) / n
  const count = n >= 4 * manyLanes ? manyLanes : lanes
  const passes = folded.map(
    ({ name, start, step, of }) => `
  var ${name} = ${start};
  for (var k = lane; k < n; k += ${count}u) { let i = row * n + k; let v = ${of}; let total = ${name}; ${name} = ${step}; }
  ${name} = fold_${name}(lane, ${name});`,
  )
  const folds = folded.map(({ name, step, type = 'f32' }) => together(`fold_${name}`, type, step, count))
  const code = `${header([...variables.map(read), written('y')])}${variables.map(v => loader(v, 'f32')).join('')}${functions}${folds.join('')}
@compute @workgroup_size(${count})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = min(wg.x + wg.y * groups.x, m(0u) - 1u);
  let n = m(1u);
  ${passes.join('')}
  for (var k = lane; k < n; k += ${count}u) { let i = row * n + k; y[i] = ${element}; }
}`
  return [{ code, meta: [rows, n, ...extra], bind, groups: grid(rows, 1) }]
}

const top = { name: 'top', type: 'u32', start: '0u', step: 'max(total, v)', of: 'key_of(x0[i])' } as const
const mass = { name: 'mass', start: '0.0', step: 'total + v', of: 'share(x0[i], top)' }
const squares = { name: 'squares', start: '0.0', step: 'total + v', of: 'load_x0(i) * load_x0(i)' }

/** Minus infinity masks, and has no share; where the largest is not finite, every share is NaN. No such float is computed with. */
const shares = `${ordered}
fn finite(bits: u32) -> bool { return (bits & 0x7f800000u) != 0x7f800000u; }
fn share(bits: u32, top: u32) -> f32 {
  let most = of_key(top);
  if (!finite(bits) || !finite(most)) { return 0.0; }
  return exp(bitcast<f32>(bits) - bitcast<f32>(most));
}
`

const softmax: Maker = ({ inputs: [x] }) =>
  x!.dtype === 'f32'
    ? rowwise(
        x!,
        ['x0'],
        [top, mass],
        'select(0x7fc00000u, bitcast<u32>(share(x0[i], top) / max(mass, 1.0)), finite(of_key(top)))',
        [input(0), output(0)],
        { functions: shares },
      )
    : undefined

const rmsNorm: Maker = ({ inputs: [x], attrs }) =>
  x!.dtype === 'f32'
    ? rowwise(
        x!,
        ['x0', 'x1'],
        [squares],
        'bitcast<u32>(load_x0(i) * inverseSqrt(squares / f32(n) + bitcast<f32>(m(2u))) * load_x1(k))',
        [input(0), input(1), output(0)],
        { extra: [floatBits(attrs.eps as number)] },
      )
    : undefined

export const reductions: Readonly<Record<string, Maker>> = {
  sum: fold('sum'),
  max: fold('max'),
  argmax,
  cumsum,
  top_k: topK,
  softmax,
  rms_norm: rmsNorm,
}
