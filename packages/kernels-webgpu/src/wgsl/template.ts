/**
 * WGSL as small typed pieces. Shapes and strides travel in a uniform, never in the text, so one pipeline serves every
 * shape of an op. Storage is `array<u32>` unless a kernel says otherwise; loads and stores translate.
 */
import { type DType, isBlock, type Spec, sizeOf } from '@cria/tensor'
import { decodesRaw, rawBlockFour, rawBlockLoader } from './blocks.js'

/** The type that WGSL computes a dtype in. */
export type Scalar = 'f32' | 'i32' | 'u32'

export const scalarOf = (dtype: DType): Scalar =>
  dtype === 'i32' || dtype === 'i8' ? 'i32' : dtype === 'u32' || dtype === 'u8' ? 'u32' : 'f32'

/** Bits of an element of a dense dtype. */
export const widthOf = (dtype: DType): 8 | 16 | 32 =>
  dtype === 'i8' || dtype === 'u8' ? 8 : dtype === 'f16' || dtype === 'bf16' ? 16 : 32

/** One compute dispatch of a kernel. */
export interface Dispatch {
  /** The pipeline: its text is its key. */
  readonly code: string
  /** Numbers of the uniform `p`, read by `m(i)`. */
  readonly meta: readonly number[]
  readonly bind: readonly Bind[]
  readonly groups: readonly [number, number, number]
}

/** Which operand a storage binding shows. Shards are parts of tensors that exceed one binding. */
export interface Bind {
  readonly from: 'input' | 'output'
  readonly index: number
  readonly shard?: number
}

export const input = (index: number, shard = 0): Bind => ({ from: 'input', index, shard })
export const output = (index: number, shard = 0): Bind => ({ from: 'output', index, shard })

/** Numbers that fit the uniform. */
export const metaWords = 48

/** A storage variable of a shader. */
export interface Variable {
  readonly name: string
  readonly write?: boolean
  /** Of its elements; default u32. */
  readonly type?: string
}

export const read = (name: string): Variable => ({ name })
export const written = (name: string): Variable => ({ name, write: true })

/** Workgroups for `count` items in groups of `size`, spread over two axes where one is too short (65535). */
export function grid(count: number, size: number, z = 1): readonly [number, number, number] {
  const groups = Math.ceil(count / size)
  if (groups <= 65535) return [groups, 1, z]
  const rows = Math.ceil(groups / 65535)
  return [Math.ceil(groups / rows), rows, z]
}

/** Declarations that every shader shares: the uniform, the storage, and the flat item index over two axes. */
export function header(variables: readonly Variable[]): string {
  const storage = variables.map(
    ({ name, write, type = 'u32' }, i) =>
      `@group(0) @binding(${i + 1}) var<storage, ${write ? 'read_write' : 'read'}> ${name}: array<${type}>;`,
  )
  return `@group(0) @binding(0) var<uniform> p: array<vec4<u32>, ${metaWords / 4}>;
fn m(i: u32) -> u32 { return p[i >> 2u][i & 3u]; }
${storage.join('\n')}
`
}

/** Half floats by their bits: WGSL's own unpack may flush subnormals, and its pack may round either way. */
export const halves: string = `
fn from_half(h: u32) -> f32 {
  let sign = (h & 0x8000u) << 16u;
  let e = (h >> 10u) & 31u;
  let f = h & 1023u;
  if (e == 0u) { return bitcast<f32>(sign | bitcast<u32>(f32(f) * 5.9604644775390625e-8)); }
  return bitcast<f32>(sign | select(((e + 112u) << 23u) | (f << 13u), 0x7f800000u | (f << 13u), e == 31u));
}
fn to_half(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let sign = (bits >> 16u) & 0x8000u;
  let a = bits & 0x7fffffffu;
  if (a > 0x7f800000u) { return sign | 0x7e00u; }
  if (a >= 0x477ff000u) { return sign | 0x7c00u; }
  if (a < 0x38800000u) { return sign | u32(round(bitcast<f32>(a) * 16777216.0)); }
  return sign | ((a - 0x38000000u + 0xfffu + ((a >> 13u) & 1u)) >> 13u);
}
fn from_brain(h: u32) -> f32 { return bitcast<f32>(h << 16u); }
fn to_brain(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return (bits >> 16u) | 64u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}
`

/**
 * The order of floats over their bits: NaN last, zeros equal. WGSL may take floats for finite, so a comparison of floats
 * or `max` may drop NaN and infinities; one of integers may not.
 */
export const ordered: string = `
fn key_of(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0xffffffffu; }
  if (bits == 0x80000000u) { return bits; }
  return bits ^ select(0x80000000u, 0xffffffffu, (bits >> 31u) == 1u);
}
fn of_key(key: u32) -> u32 {
  if (key == 0xffffffffu) { return 0x7fc00000u; }
  return key ^ select(0xffffffffu, 0x80000000u, (key >> 31u) == 1u);
}
`

/** `fn load_NAME(i) -> u32`: element i of an f32 variable as a key. */
export const keyLoader = (name: string): string => `fn load_${name}(i: u32) -> u32 { return key_of(${name}[i]); }\n`

/** `fn load_NAME(i) -> T`: element i of a dense variable, as the type it computes in. */
export function loader(name: string, dtype: DType): string {
  const word = `${name}[i]`
  const half = `(${name}[i >> 1u] >> ((i & 1u) << 4u)) & 0xffffu`
  const byte = `(${name}[i >> 2u] >> ((i & 3u) << 3u))`
  const expressions: Partial<Record<DType, string>> = {
    f32: `bitcast<f32>(${word})`,
    i32: `bitcast<i32>(${word})`,
    u32: word,
    f16: `from_half(${half})`,
    bf16: `from_brain(${half})`,
    i8: `extractBits(bitcast<i32>(${byte}), 0u, 8u)`,
    u8: `${byte} & 255u`,
  }
  if (decodesRaw(dtype)) return halves + rawBlockLoader(name, dtype)
  if (isBlock(dtype)) return blockLoader(name, dtype)
  return `${usesHalves(dtype) ? halves : ''}fn load_${name}(i: u32) -> ${scalarOf(dtype)} { return ${expressions[dtype]}; }\n`
}

/**
 * `fn load4_NAME(i) -> vec4<f32>`: elements i … i + 3 of a float or block variable, i a multiple of 4. Beside `loader`, whose
 * function it falls back on.
 */
export function loader4(name: string, dtype: DType): string {
  const bodies: Partial<Record<DType, string>> = {
    f32: `return bitcast<vec4<f32>>(vec4(${name}[i], ${name}[i + 1u], ${name}[i + 2u], ${name}[i + 3u]));`,
    f16: `let a = ${name}[i >> 1u]; let b = ${name}[(i >> 1u) + 1u];
  return vec4(from_half(a & 0xffffu), from_half(a >> 16u), from_half(b & 0xffffu), from_half(b >> 16u));`,
    bf16: `let a = ${name}[i >> 1u]; let b = ${name}[(i >> 1u) + 1u];
  return bitcast<vec4<f32>>(vec4(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));`,
    q8_0: `let w = vec4(bitcast<i32>(${name}[i >> 2u]));
  return scale_${name}(i) * vec4<f32>((w << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));`,
    q4_0: `let w = vec4(${name}[((i >> 5u) << 2u) + ((i & 15u) >> 2u)] >> ((i & 16u) >> 2u));
  return scale_${name}(i) * (vec4<f32>((w >> vec4(0u, 8u, 16u, 24u)) & vec4(15u)) - 8.0);`,
  }
  const four = decodesRaw(dtype) ? rawBlockFour(name, dtype) : undefined
  const each = [0, 1, 2, 3].map(k => `load_${name}(i + ${k}u)`).join(', ')
  return `fn load4_${name}(i: u32) -> vec4<f32> { ${bodies[dtype] ?? four ?? `return vec4(${each});`} }\n`
}

const usesHalves = (dtype: DType): boolean => dtype === 'f16' || dtype === 'bf16'

/** Joins pieces of WGSL, each shared piece once. */
export function join(...parts: readonly string[]): string {
  const text = parts.join('')
  return text.includes(halves) ? halves + text.replaceAll(halves, '') : text
}

/** `fn load_NAME(i) -> u32`: the bits of element i, for kernels that only move. */
export function rawLoader(name: string, width: 8 | 16 | 32): string {
  const bits =
    width === 32
      ? `${name}[i]`
      : width === 16
        ? `(${name}[i >> 1u] >> ((i & 1u) << 4u)) & 0xffffu`
        : `(${name}[i >> 2u] >> ((i & 3u) << 3u)) & 255u`
  return `fn load_${name}(i: u32) -> u32 { return ${bits}; }\n`
}

/** The bits of a computed value in a dtype. */
function toBits(dtype: DType, value: string): string {
  const forms: Partial<Record<DType, string>> = {
    f32: `bitcast<u32>(${value})`,
    i32: `bitcast<u32>(${value})`,
    u32: value,
    f16: `to_half(${value})`,
    bf16: `to_brain(${value})`,
    i8: `(bitcast<u32>(${value}) & 255u)`,
    u8: `(${value} & 255u)`,
  }
  return forms[dtype]!
}

/** Elements a thread packs into one word of a dtype. */
export const wordsOf = (s: Spec): number => Math.ceil((sizeOf(s.shape) * widthOf(s.dtype)) / 32)

/**
 * A kernel that computes each output element from its index: `body` defines `fn value(i: u32) -> T`. A thread makes a
 * whole 32-bit word, so that packed dtypes need no atomics. `m(0)` is the number of words, `m(1)` of elements.
 */
export function elements(variables: readonly Variable[], out: DType | 8 | 16 | 32, body: string): string {
  const width = typeof out === 'number' ? out : widthOf(out)
  const bits = (i: string): string => (typeof out === 'number' ? `value(${i})` : toBits(out, `value(${i})`))
  const per = 32 / width
  const lanes = Array.from(
    { length: per },
    (_, k) => `if (${per}u * w + ${k}u < m(1)) { word |= ${bits(`${per}u * w + ${k}u`)} << ${k * width}u; }`,
  )
  const store = per === 1 ? `y[w] = ${bits('w')};` : `var word = 0u; ${lanes.join(' ')} y[w] = word;`
  const needs = typeof out !== 'number' && usesHalves(out) ? halves : ''
  return `${header([...variables, written('y')])}${join(needs, body)}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let w = id.x + id.y * n.x * 64u;
  if (w >= m(0)) { return; }
  ${store}
}`
}

/** Threads of a workgroup that work on one line together, and where lines are few and long. */
export const lanes: number = 64
export const manyLanes: number = 256

/**
 * `fn NAME(lane, mine) -> T`: folds the values of all lanes into one that every lane gets, in two barriers. Call it where
 * control flow is uniform; `step` combines `total` and `v`.
 */
export function together(name: string, type: Scalar, step: string, count: number = lanes): string {
  const few = 2 ** Math.ceil(Math.log2(count) / 2)
  return `
var<workgroup> ${name}_all: array<${type}, ${count}>;
var<workgroup> ${name}_few: array<${type}, ${few}>;
fn ${name}(lane: u32, mine: ${type}) -> ${type} {
  ${name}_all[lane] = mine;
  workgroupBarrier();
  if (lane < ${few}u) {
    var total = ${name}_all[lane];
    for (var k = lane + ${few}u; k < ${count}u; k += ${few}u) { let v = ${name}_all[k]; total = ${step}; }
    ${name}_few[lane] = total;
  }
  workgroupBarrier();
  var total = ${name}_few[0];
  for (var k = 1u; k < ${few}u; k++) { let v = ${name}_few[k]; total = ${step}; }
  return total;
}
`
}

/** The dispatch of an `elements` kernel; `rest` fills `m(2)` and on. */
export function elementsDispatch(
  code: string,
  out: Spec,
  bind: readonly Bind[],
  rest: readonly number[] = [],
): Dispatch {
  const words = wordsOf(out)
  return { code, meta: [words, sizeOf(out.shape), ...rest], bind, groups: grid(words, 64) }
}

/**
 * Decoding of block formats in this backend's layout: all quants first (whole words), then f16 scales, two a word, each
 * row of the last axis padded to a whole word. `m(40)` is blocks a row, `m(41)` the word where scales begin.
 */
function blockLoader(name: string, dtype: DType): string {
  const quant =
    dtype === 'q8_0'
      ? `f32(extractBits(bitcast<i32>(${name}[i >> 2u]), (i & 3u) << 3u, 8u))`
      : `f32((${name}[(b << 2u) + ((i & 15u) >> 2u)] >> (((i & 3u) << 3u) + ((i & 16u) >> 2u))) & 15u) - 8.0`
  return `${halves}fn scale_${name}(i: u32) -> f32 {
  let b = i >> 5u;
  let row = b / m(40u);
  let at = b - row * m(40u);
  let pair = ${name}[m(41u) + row * ((m(40u) + 1u) >> 1u) + (at >> 1u)];
  return from_half((pair >> ((at & 1u) << 4u)) & 0xffffu);
}
fn load_${name}(i: u32) -> f32 { let b = i >> 5u; return scale_${name}(i) * (${quant}); }
`
}

/** Meta of a kernel whose variable holds a block format: pads to 40 and adds what `blockLoader` reads. */
export function blockMeta(meta: readonly number[], blocksPerRow: number, scalesAt: number): number[] {
  return [...meta, ...new Array<number>(40 - meta.length).fill(0), blocksPerRow, scalesAt]
}

/** f32 as the u32 that carries it in the uniform. */
export function floatBits(x: number): number {
  return new Uint32Array(new Float32Array([x]).buffer)[0]!
}

/** Strides of a shape seen under a broadcast shape: 0 where an axis is stretched. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = new Array<number>(to.length).fill(0)
  let step = 1
  for (let i = 1; i <= from.length; i++) {
    const n = from[from.length - i]!
    if (n !== 1) strides[to.length - i] = step
    step *= n
  }
  return strides
}

/** Axes that walk together become one: most calls end with rank 1. */
export function collapse(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
): { dims: number[]; strides: number[][] } {
  const kept: number[] = []
  const out: number[][] = strides.map(() => [])
  dims.forEach((n, axis) => {
    if (n === 1) return
    const last = kept.length - 1
    if (last >= 0 && strides.every((s, k) => out[k]![last] === s[axis]! * n)) {
      kept[last]! *= n
      strides.forEach((s, k) => {
        out[k]![last] = s[axis]!
      })
    } else {
      kept.push(n)
      strides.forEach((s, k) => {
        out[k]!.push(s[axis]!)
      })
    }
  })
  return { dims: kept, strides: out }
}

/** Axes that a strided kernel takes after collapsing. */
export const maxAxes = 8

/**
 * Meta from `m(2)` of a strided kernel: the number of axes, the axes, then strides for each input. Undefined where more
 * axes are left than fit.
 */
export function stridedMeta(shape: readonly number[], strides: readonly (readonly number[])[]): number[] | undefined {
  const { dims, strides: s } = collapse(shape, strides)
  if (dims.length > maxAxes) return undefined
  const pad = (list: readonly number[]): number[] => [...list, ...new Array<number>(maxAxes - list.length).fill(0)]
  return [dims.length, ...pad(dims), ...s.flatMap(pad)]
}

/** WGSL of `at(i, k)`: the offset of element i in input k of a strided kernel. */
export const strided: string = `
fn at(i: u32, k: u32) -> u32 {
  var rest = i;
  var offset = 0u;
  for (var axis = m(2u); axis > 0u; axis--) {
    let n = m(2u + axis);
    offset += (rest % n) * m(2u + ${maxAxes}u * (k + 1u) + axis);
    rest /= n;
  }
  return offset;
}
`
