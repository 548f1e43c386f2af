/** Fused layers: rotary embedding, attention over a cache, AdamW. */
import { type DType, isBlock, sizeOf } from '@cria/tensor'
import { blockLayout } from '../layout.js'
import type { Maker } from './elementwise.js'
import { math } from './math.js'
import {
  blockMeta,
  elements,
  elementsDispatch,
  floatBits,
  grid,
  header,
  input,
  join,
  lanes,
  loader,
  loader4,
  manyLanes,
  output,
  read,
  together,
  written,
} from './template.js'

const rope: Maker = ({ inputs: [x, positions, frequencies], outputs: [y], attrs }) => {
  const [heads, width] = x!.shape.slice(-2) as [number, number]
  const half = frequencies!.shape[0]!
  const body = join(
    math,
    loader('x0', 'f32'),
    loader('x2', 'f32'),
    `
fn value(i: u32) -> f32 {
  let c = i % m(3u);
  let x = load_x0(i);
  if (c >= 2u * m(4u)) { return x; }
  let position = f32(bitcast<i32>(x1[(i / (m(2u) * m(3u))) % m(5u)]));
  let pairs = m(6u) == 1u;
  let second = select(c >= m(4u), (c & 1u) == 1u, pairs);
  let f = select(select(c, c - m(4u), second), c >> 1u, pairs);
  let step = select(m(4u), 1u, pairs);
  let other = load_x0(select(i + step, i - step, second));
  let angle = position * load_x2(f);
  let sn = sine(angle) * bitcast<f32>(m(8u));
  return bitcast<f32>(m(7u)) * (x * cosine(angle) + select(-other, other, second) * sn);
}`,
  )
  const code = elements([read('x0'), read('x1'), read('x2')], 'f32', body)
  const rest = [
    heads,
    width,
    half,
    sizeOf(positions!.shape),
    attrs.interleaved ? 1 : 0,
    floatBits(attrs.scale as number),
    floatBits(attrs.inverse ? -1 : 1),
  ]
  return [elementsDispatch(code, y!, [input(0), input(1), input(2), output(0)], rest)]
}

/** Widest head of the kernel. */
const widest = 256

const keys: readonly DType[] = ['f32', 'f16', 'bf16', 'q8_0']

/**
 * A workgroup for each query and head walks the visible keys with a running maximum and sum (online softmax): a key for
 * each thread when it scores, a column of the values when it mixes; threads that are left take every other key there.
 */
const attention: Maker = ({ inputs: [q, k, , positions, start], outputs: [y], attrs }) => {
  const [t, heads, d] = q!.shape.slice(-3) as [number, number, number]
  const [s, groups] = k!.shape.slice(-3) as [number, number]
  if (!keys.includes(k!.dtype) || d > widest || attrs.halves === true) return undefined
  const variables = ['x0', 'x1', 'x2', 'x3', ...(start === undefined ? [] : ['x4'])]
  const first = start === undefined ? '' : 'low = max(low, bitcast<i32>(x4[query % m(9u)]));'
  // Few workgroups need many threads each to fill a GPU, where there are keys for all of them.
  const threads = sizeOf(q!.shape.slice(0, -2)) <= 4 && s > manyLanes ? manyLanes : lanes
  const width = d <= 64 ? 64 : d <= 128 ? 128 : widest
  const spread = Math.max(1, width / threads)
  const teams = Math.max(1, threads / width)
  const four = d % 4 === 0
  const score = four
    ? 'for (var j = 0u; j < d; j += 4u) { score += dot(asked[j >> 2u], load4_x1(at + j)); }'
    : 'for (var j = 0u; j < d; j++) { score += load_x0(item * d + j) * load_x1(at + j); }'
  const fetch = four
    ? `for (var j = lane; 4u * j < d; j += ${threads}u) { asked[j] = load4_x0(item * d + 4u * j); }`
    : ''
  const code = `${header([...variables.map(read), written('y')])}${join(loader('x0', 'f32'), loader4('x0', 'f32'), loader('x1', k!.dtype), loader4('x1', k!.dtype), loader('x2', k!.dtype))}
${together('largest', 'f32', 'max(total, v)', threads)}
var<workgroup> asked: array<vec4<f32>, ${widest / 4}>;
var<workgroup> weights: array<f32, ${threads}>;
var<workgroup> sums: array<f32, ${teams * width}>;
var<workgroup> masses: array<f32, ${teams}>;
var<workgroup> first_key: i32;
var<workgroup> last_key: i32;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = min(wg.x + wg.y * groups.x, m(0u) - 1u);
  let query = item / m(2u);
  let head = item % m(2u);
  let d = m(3u);
  let key_head = head / (m(2u) / m(4u));
  if (lane == 0u) {
    let position = bitcast<i32>(x3[query % m(6u)]);
    last_key = min(position, i32(m(5u)) - 1);
    var low = 0;
    if (m(7u) > 0u) { low = max(low, position - i32(m(7u)) + 1); }
    ${first}
    first_key = low;
  }
  ${fetch}
  // Loaded uniformly, so that loops over the visible keys may hold barriers.
  let low = workgroupUniformLoad(&first_key);
  let high = workgroupUniformLoad(&last_key);
  let base = (query / m(1u)) * m(5u);
  let team = lane / ${width}u;
  var top = -3.0e38;
  var mass = 0.0;
  var mixed: array<f32, ${spread}>;
  for (var turn = low; turn <= high; turn += ${threads}) {
    let key = turn + i32(lane);
    let visible = key <= high;
    var score = -3.0e38;
    if (visible) {
      score = 0.0;
      let at = ((base + u32(key)) * m(4u) + key_head) * d;
      ${score}
      score *= bitcast<f32>(m(8u));
    }
    let next = max(top, largest(lane, score));
    let fade = exp(top - next);
    weights[lane] = select(0.0, exp(score - next), visible);
    workgroupBarrier();
    top = next;
    mass *= fade;
    for (var c = 0u; c < ${spread}u; c++) { mixed[c] *= fade; }
    let count = u32(min(high - turn + 1, ${threads}));
    for (var j = team; j < count; j += ${teams}u) {
      let at = ((base + u32(turn) + j) * m(4u) + key_head) * d;
      mass += weights[j];
      for (var c = 0u; c < ${spread}u; c++) {
        let column = lane % ${width}u + c * ${threads}u;
        if (column < d) { mixed[c] += weights[j] * load_x2(at + column); }
      }
    }
    workgroupBarrier();
  }
  for (var c = 0u; c < ${spread}u; c++) { sums[lane + c * ${threads}u] = mixed[c]; }
  if (lane % ${width}u == 0u) { masses[team] = mass; }
  workgroupBarrier();
  var all = masses[0];
  for (var k = 1u; k < ${teams}u; k++) { all += masses[k]; }
  for (var column = lane; column < d; column += ${threads}u) {
    var total = sums[column];
    for (var k = 1u; k < ${teams}u; k++) { total += sums[column + k * ${width}u]; }
    y[item * d + column] = bitcast<u32>(total / max(all, 1e-30));
  }
}`
  const items = sizeOf(q!.shape.slice(0, -1))
  const meta = [
    items,
    t,
    heads,
    d,
    groups,
    s,
    sizeOf(positions!.shape),
    attrs.window as number,
    floatBits(attrs.scale as number),
    // Rows of a batch may share their positions and not their starts, as packed documents do.
    start === undefined ? 1 : sizeOf(start.shape),
  ]
  const layout = isBlock(k!.dtype) ? blockLayout(k!) : undefined
  return [
    {
      code,
      meta: layout ? blockMeta(meta, layout.blocksPerRow, layout.scalesAt) : meta,
      bind: [...variables.map((_, i) => input(i)), output(0)],
      groups: y!.shape.includes(0) ? [0, 1, 1] : grid(items, 1),
    },
  ]
}

/** In place on the parameter and its moments. */
const adamw: Maker = ({ inputs, attrs }) => {
  if (inputs.some(s => s.dtype !== 'f32')) return undefined
  const n = sizeOf(inputs[0]!.shape)
  const code = `${header([written('p0'), read('x1'), written('p2'), written('p3'), read('x4'), read('x5'), read('x6')])}${math}
fn number(bits: u32) -> f32 { return bitcast<f32>(bits); }
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= m(0u) || number(x6[0]) == 0.0) { return; }
  let lr = number(x4[0]);
  let t = number(x5[0]);
  let g = number(x1[i]) * number(x6[0]);
  let beta1 = number(m(1u));
  let beta2 = number(m(2u));
  let first = number(p2[i]) * beta1 + g * number(m(5u));
  let second = number(p3[i]) * beta2 + g * g * number(m(6u));
  let mean = first / (1.0 - power(beta1, t));
  let spread = second / (1.0 - power(beta2, t));
  let old = number(p0[i]);
  p0[i] = bitcast<u32>(old * (1.0 - lr * number(m(4u))) - lr * mean / (sqrt(spread) + number(m(3u))));
  p2[i] = bitcast<u32>(first);
  p3[i] = bitcast<u32>(second);
}`
  const { beta1, beta2, eps, weightDecay } = attrs as Record<string, number>
  const meta = [n, ...[beta1!, beta2!, eps!, weightDecay!, 1 - beta1!, 1 - beta2!].map(floatBits)]
  return [{ code, meta, bind: inputs.map((_, i) => input(i)), groups: grid(n, 64) }]
}

export const layers: Readonly<Record<string, Maker>> = { rope, attention, adamw }
