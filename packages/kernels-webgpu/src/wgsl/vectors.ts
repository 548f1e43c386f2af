/** Products of a matrix with few rows, as in decoding: reading the weights is what takes time. */
import { halves, header, join, loader, loader4, read, written } from './template.js'

/** Threads that share an output of the vector kernel, and outputs of a workgroup. */
const team = 8
export const teams = 8

/** Few rows of x: eight threads an output stride over the inner axis, in steps of four elements where it divides. */
export const vector = (weight: string, four: boolean): string => {
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

/** Four quants of a q8_0 block, and of a q4_0 block: its low nibbles come before its high ones. */
const quants = {
  q8_0: `
      for (var h = 0u; h < 2u; h++) {
        let w = bitcast<vec4<i32>>(x2[2u * b + h]);
        for (var j = 0u; j < 4u; j++) {
          sum += dot(vec4<f32>((vec4(w[j]) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u)), x0[at + 4u * h + j]);
        }
      }`,
  q4_0: `
      let w = x2[b];
      for (var j = 0u; j < 4u; j++) {
        let bytes = vec4(w[j]) >> vec4(0u, 8u, 16u, 24u);
        sum += dot(vec4<f32>(bytes & vec4(15u)) - 8.0, x0[at + j]);
        sum += dot(vec4<f32>((bytes >> vec4(4u)) & vec4(15u)) - 8.0, x0[at + 4u + j]);
      }`,
}

/**
 * The same on a split format, a block at a time: the weights are bound twice, as whole blocks in x2 and as words, for
 * their scales, in x1.
 */
export const blockVector = (dtype: 'q8_0' | 'q4_0'): string => `${header([
  { name: 'x0', type: 'vec4<f32>' },
  read('x1'),
  { name: 'x2', type: 'vec4<u32>' },
  written('y'),
])}${halves}
var<workgroup> parts: array<f32, ${team * teams}>;
@compute @workgroup_size(${team * teams})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let lane = index % ${team}u;
  let col = (wg.x + wg.y * groups.x) * ${teams}u + index / ${team}u;
  let blocks = m(40u);
  let scales = m(41u) + col * ((blocks + 1u) >> 1u);
  var total = 0.0;
  if (col < m(1u)) {
    for (var k = lane; k < blocks; k += ${team}u) {
      let b = col * blocks + k;
      let at = (wg.z * blocks + k) * 8u;
      var sum = 0.0;${quants[dtype]}
      total += from_half((x1[scales + (k >> 1u)] >> ((k & 1u) << 4u)) & 0xffffu) * sum;
    }
  }
  parts[index] = total;
  workgroupBarrier();
  if (lane == 0u && col < m(1u)) {
    for (var k = 1u; k < ${team}u; k++) { total += parts[index + k]; }
    y[wg.z * m(9u) + m(10u) + col] = bitcast<u32>(total);
  }
}`
