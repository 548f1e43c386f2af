/** Products of a matrix with few rows, as in decoding: reading the weights is what takes time. */
import { halves, header, join, loader, loader4, read, type Variable, written } from './template.js'

/** Threads that share an output, so that they read neighbouring words, and teams of a workgroup. */
const team = 32
const teams = 4
/** Outputs that a team makes at a time: more reads on their way at once, and each x serves all. */
const outputs = 2

/** Outputs of a workgroup. */
export const outputsOfGroup: number = teams * outputs

/**
 * Few rows of x: the threads of a team stride over the inner axis together. `step` adds to `sum` what lies at `k` of row
 * `row` of the weights; each thread begins at k = lane · `by`.
 */
const few = (
  variables: readonly Variable[],
  parts: string,
  end: string,
  by: number,
  each: string,
  step: string,
): string => {
  const all = Array.from({ length: outputs }, (_, c) => c)
  return `${header([...variables, written('y')])}${parts}
var<workgroup> sums: array<f32, ${team * outputsOfGroup}>;
@compute @workgroup_size(${team * teams})
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let lane = index % ${team}u;
  let col = ((wg.x + wg.y * groups.x) * ${teams}u + index / ${team}u) * ${outputs}u;
  let last = m(1u) - 1u;
  ${all.map(c => `let row${c} = min(col + ${c}u, last); var sum${c} = 0.0;`).join(' ')}
  for (var k = lane * ${by}u; k < ${end}; k += ${team * by}u) {
    ${each}
    ${all.map(c => `{ let row = row${c}; ${step.replaceAll('SUM', `sum${c}`)} }`).join('\n    ')}
  }
  ${all.map(c => `sums[index + ${c * team * teams}u] = sum${c};`).join(' ')}
  workgroupBarrier();
  // In two steps, as one thread after another would take as long as the reading.
  if (lane < 8u) {
    ${all.map(c => `{ let i = index + ${c * team * teams}u; sums[i] += sums[i + 8u] + sums[i + 16u] + sums[i + 24u]; }`).join(' ')}
  }
  workgroupBarrier();
  if (lane < ${outputs}u && col + lane <= last) {
    var total = 0.0;
    for (var k = 0u; k < 8u; k++) { total += sums[index - lane + lane * ${team * teams}u + k]; }
    y[wg.z * m(9u) + m(10u) + col + lane] = bitcast<u32>(total);
  }
}`
}

/** On any weights, in steps of four elements where the inner axis divides. */
export const vector = (weight: string, four: boolean): string => {
  const [load, type] = four ? ['load4', 'dot'] : ['load', '']
  return few(
    [read('x0'), read('x1')],
    join(loader('x0', 'f32'), loader4('x0', 'f32'), weight),
    'm(2u)',
    four ? 4 : 1,
    `let x = ${load}_x0(wg.z * m(2u) + k);`,
    type === 'dot' ? 'SUM += dot(x, load4_x1(row * m(2u) + k));' : 'SUM += x * load_x1(row * m(2u) + k);',
  )
}

/** A word of quants: four of q8_0, or eight of q4_0, whose low nibbles come sixteen before its high ones. */
const words = {
  q8_0: {
    shift: 3,
    each: 'let x = x0[wg.z * (blocks << 3u) + k];',
    sum: 'dot(x, vec4<f32>((vec4(bitcast<i32>(w)) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u)))',
  },
  q4_0: {
    shift: 2,
    each: `let at = ((wg.z * blocks + (k >> 2u)) << 3u) + (k & 3u);
    let x = x0[at];
    let z = x0[at + 4u];`,
    sum: 'dot(x, vec4<f32>(n & vec4(15u)) - 8.0) + dot(z, vec4<f32>((n >> vec4(4u)) & vec4(15u)) - 8.0)',
  },
}

/** On a split format, a word at a time: neighbouring threads read neighbouring words of the weights and of x. */
export const wordVector = (dtype: 'q8_0' | 'q4_0'): string => {
  const { shift, each, sum } = words[dtype]
  return few(
    [{ name: 'x0', type: 'vec4<f32>' }, read('x1')],
    halves,
    `(m(40u) << ${shift}u)`,
    1,
    `let blocks = m(40u);
    let b = k >> ${shift}u;
    ${each}`,
    `let w = x1[row * (blocks << ${shift}u) + k]; let pair = x1[m(41u) + row * ((blocks + 1u) >> 1u) + (b >> 1u)]; ${
      dtype === 'q4_0' ? 'let n = vec4(w) >> vec4(0u, 8u, 16u, 24u); ' : ''
    }SUM += from_half((pair >> ((b & 1u) << 4u)) & 0xffffu) * (${sum});`,
  )
}
