/** Elements moved by index: transpose, slice, concat, gather; elements made: full, iota, random_bits; state written. */
import { encode, isBlock, type OpCall, type Spec, sizeOf, spec } from '@cria/tensor'
import { blockLayout, isSplit } from '../layout.js'
import { decodesRaw } from './blocks.js'
import type { Maker } from './elementwise.js'
import {
  blockMeta,
  type Dispatch,
  elements,
  elementsDispatch,
  grid,
  header,
  input,
  join,
  loader,
  output,
  rawLoader,
  read,
  scalarOf,
  strided,
  stridedMeta,
  widthOf,
  written,
} from './template.js'

const contiguous = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
const rowOf = (shape: readonly number[]): number => sizeOf(shape.slice(1))

/** A copy of x through strides, starting at an element. */
function stridedCopy(x: Spec, y: Spec, strides: readonly number[], start = 0): readonly Dispatch[] | undefined {
  const meta = stridedMeta(y.shape, [strides])
  if (meta === undefined) return undefined
  const width = widthOf(x.dtype)
  const body = `${strided}${rawLoader('x0', width)}fn value(i: u32) -> u32 { return load_x0(at(i, 0u) + m(20u)); }`
  // m(2 … 18) hold the strides.
  return [elementsDispatch(elements([read('x0')], width, body), y, [input(0), output(0)], [...meta, 0, start])]
}

const transpose: Maker = ({ inputs: [x], outputs: [y], attrs }) => {
  const strides = contiguous(x!.shape)
  return stridedCopy(
    x!,
    y!,
    (attrs.perm as readonly number[]).map(p => strides[p]!),
  )
}

const slice: Maker = ({ inputs: [x], outputs: [y], attrs }) => {
  const strides = contiguous(x!.shape)
  return stridedCopy(x!, y!, strides, (attrs.start as number) * strides[attrs.axis as number]!)
}

const concat: Maker = ({ inputs: [a, b], outputs: [y], attrs }) => {
  const width = widthOf(y!.dtype)
  const inner = (s: Spec): number => sizeOf(s.shape.slice(attrs.axis as number))
  const body = `${rawLoader('x0', width)}${rawLoader('x1', width)}
fn value(i: u32) -> u32 {
  let row = i / (m(2u) + m(3u));
  let at = i % (m(2u) + m(3u));
  if (at < m(2u)) { return load_x0(row * m(2u) + at); }
  return load_x1(row * m(3u) + at - m(2u));
}`
  const code = elements([read('x0'), read('x1')], width, body)
  return [elementsDispatch(code, y!, [input(0), input(1), output(0)], [inner(a!), inner(b!)])]
}

const gather: Maker = ({ inputs: [x], outputs: [y] }) => {
  const width = widthOf(x!.dtype)
  const body = `${rawLoader('x0', width)}
fn value(i: u32) -> u32 {
  let row = x1[i / m(2u)];
  if (row >= m(3u)) { return 0u; }
  return load_x0(row * m(2u) + i % m(2u));
}`
  const code = elements([read('x0'), read('x1')], width, body)
  return [elementsDispatch(code, y!, [input(0), input(1), output(0)], [rowOf(x!.shape), x!.shape[0]!])]
}

/** Each target element looks for its updates, in order: the same sum on every run. */
const scatterAdd: Maker = ({ inputs: [x, index], outputs: [y] }) => {
  if (widthOf(x!.dtype) !== 32) return undefined
  const t = scalarOf(x!.dtype)
  const body = `${loader('x0', x!.dtype)}${loader('x2', x!.dtype)}
fn value(i: u32) -> ${t} {
  let row = i / m(2u);
  let column = i % m(2u);
  var total = load_x0(i);
  for (var k = 0u; k < m(3u); k++) {
    if (x1[k] == row) { total += load_x2(k * m(2u) + column); }
  }
  return total;
}`
  const code = elements([read('x0'), read('x1'), read('x2')], y!.dtype, body)
  return [
    elementsDispatch(code, y!, [input(0), input(1), input(2), output(0)], [rowOf(x!.shape), sizeOf(index!.shape)]),
  ]
}

/** One word repeated: packed dtypes fill all lanes of it. */
const full: Maker = ({ outputs: [y], attrs }) => {
  const bytes = encode(spec(y!.dtype, []), attrs.value as number, 'full')
  const word = new Uint8Array(4)
  for (let i = 0; i < 4; i++) word[i] = bytes[i % bytes.length]!
  const code = elements([], 32, 'fn value(i: u32) -> u32 { return m(2u); }')
  const words = Math.ceil((sizeOf(y!.shape) * widthOf(y!.dtype)) / 32)
  const meta = [words, words, new DataView(word.buffer).getUint32(0, true)]
  return [{ code, meta, bind: [output(0)], groups: grid(words, 64) }]
}

const iota: Maker = ({ outputs: [y] }) => {
  const code = elements([], y!.dtype, `fn value(i: u32) -> ${scalarOf(y!.dtype)} { return ${scalarOf(y!.dtype)}(i); }`)
  return [elementsDispatch(code, y!, [output(0)])]
}

/** Threefry-2x32 with 20 rounds. */
const randomBits: Maker = ({ outputs: [y] }) => {
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24]
  const rounds = Array.from({ length: 20 }, (_, round) => {
    const r = rotations[round % 8]!
    const mix = `a += b; b = ((b << ${r}u) | (b >> ${32 - r}u)) ^ a;`
    const group = (round + 1) / 4
    return round % 4 === 3 ? `${mix} a += k[${group % 3}]; b += k[${(group + 1) % 3}] + ${group}u;` : mix
  })
  const body = `
fn value(i: u32) -> u32 {
  var k = array<u32, 3>(x0[0], x0[1], x0[0] ^ x0[1] ^ 0x1bd11bdau);
  var a = (i >> 1u) + k[0];
  var b = k[1];
  ${rounds.join('\n  ')}
  return select(a, b, (i & 1u) == 1u);
}`
  return [elementsDispatch(elements([read('x0')], 'u32', body), y!, [input(0), output(0)])]
}

const copyWords = `${header([written('y'), read('x0')])}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let w = id.x + id.y * n.x * 64u;
  if (w < m(0u)) { y[w] = x0[w]; }
}`

const assign: Maker = ({ inputs: [target] }) => {
  if (isBlock(target!.dtype)) return undefined
  const words = Math.ceil((sizeOf(target!.shape) * widthOf(target!.dtype)) / 32)
  return [{ code: copyWords, meta: [words], bind: [input(0), input(1)], groups: grid(words, 64) }]
}

/** Words of the target that one source row fills: a thread writes one, so no two threads share a word. */
function writeRowsPacked({ inputs: [target, , index] }: OpCall): readonly Dispatch[] {
  const width = widthOf(target!.dtype)
  const row = rowOf(target!.shape)
  const per = 32 / width
  const count = (sizeOf(index!.shape) * row) / per
  const bits = (i: string): string =>
    target!.dtype === 'f16'
      ? `to_half(load_x0(${i}))`
      : target!.dtype === 'bf16'
        ? `to_brain(load_x0(${i}))`
        : `x0[${i}]`
  const word = per === 1 ? bits('w') : `${bits('2u * w')} | (${bits('2u * w + 1u')} << 16u)`
  const code = `${header([written('y'), read('x0'), read('x1')])}${join(loader('h', 'f16').replace(/fn load_h.*\n/, ''), loader('x0', 'f32'))}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let w = id.x + id.y * n.x * 64u;
  if (w >= m(0u)) { return; }
  let row = x1[w / m(1u)];
  if (row < m(2u)) { y[row * m(1u) + w % m(1u)] = ${word}; }
}`
  return [
    {
      code,
      meta: [count, row / per, target!.shape[0]!],
      bind: [input(0), input(1), input(2)],
      groups: grid(count, 64),
    },
  ]
}

/** Rows of odd width share words with their neighbours: each word of the target looks for the rows that touch it. */
function writeRowsOdd({ inputs: [target, , index] }: OpCall): readonly Dispatch[] {
  const to = target!.dtype === 'f16' ? 'to_half' : 'to_brain'
  const words = Math.ceil(sizeOf(target!.shape) / 2)
  const code = `${header([written('y'), read('x0'), read('x1')])}${join(loader('h', 'f16').replace(/fn load_h.*\n/, ''), loader('x0', 'f32'))}
fn lane(i: u32, old: u32) -> u32 {
  var bits = old;
  for (var k = 0u; k < m(3u); k++) {
    if (x1[k] == i / m(1u)) { bits = ${to}(load_x0(k * m(1u) + i % m(1u))); }
  }
  return bits;
}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let w = id.x + id.y * n.x * 64u;
  if (w >= m(0u)) { return; }
  y[w] = lane(2u * w, y[w] & 0xffffu) | (lane(2u * w + 1u, y[w] >> 16u) << 16u);
}`
  return [
    {
      code,
      meta: [words, rowOf(target!.shape), target!.shape[0]!, sizeOf(index!.shape)],
      bind: [input(0), input(1), input(2)],
      groups: grid(words, 64),
    },
  ]
}

/** ggml's q8_0 rounding; a thread writes the pair of blocks whose scales share a word. */
function writeRowsQ8({ inputs: [target, , index] }: OpCall): readonly Dispatch[] {
  const { blocksPerRow, scalesAt } = blockLayout(target!)
  const row = rowOf(target!.shape)
  const lines = row / (blocksPerRow * 32)
  const pairs = Math.ceil(blocksPerRow / 2)
  const count = sizeOf(index!.shape) * lines * pairs
  const code = `${header([written('y'), read('x0'), read('x1')])}${join(loader('h', 'f16').replace(/fn load_h.*\n/, ''), loader('x0', 'f32'))}
fn block(source: u32, target_block: u32) -> u32 {
  // Bits without a sign are in the order of their floats, NaN last: the scale carries NaN on.
  var most = 0u;
  for (var j = 0u; j < 32u; j++) { most = max(most, x0[source + j] & 0x7fffffffu); }
  let scale = bitcast<f32>(most) / 127.0;
  let inverse = select(0.0, 1.0 / scale, scale > 0.0);
  for (var w = 0u; w < 8u; w++) {
    var word = 0u;
    for (var j = 0u; j < 4u; j++) {
      let q = load_x0(source + 4u * w + j) * inverse;
      let rounded = i32(sign(q) * floor(abs(q) + 0.5));
      word |= (bitcast<u32>(rounded) & 255u) << (8u * j);
    }
    y[target_block * 8u + w] = word;
  }
  return select(to_half(scale), 0x7e00u, most > 0x7f800000u);
}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
  let i = id.x + id.y * n.x * 64u;
  if (i >= m(0u)) { return; }
  let per_row = m(1u) * m(4u);
  let k = i / per_row;
  let row = x1[k];
  if (row >= m(2u)) { return; }
  let line = (i % per_row) / m(4u);
  let pair = i % m(4u);
  let target_line = row * m(1u) + line;
  let source = (k * m(1u) + line) * m(3u) * 32u;
  let first = 2u * pair;
  var scales = block(source + first * 32u, target_line * m(3u) + first);
  if (first + 1u < m(3u)) { scales |= block(source + (first + 1u) * 32u, target_line * m(3u) + first + 1u) << 16u; }
  y[m(5u) + target_line * m(4u) + pair] = scales;
}`
  return [
    {
      code,
      meta: [count, lines, target!.shape[0]!, blocksPerRow, pairs, scalesAt],
      bind: [input(0), input(1), input(2)],
      groups: grid(count, 64),
    },
  ]
}

const writeRows: Maker = call => {
  const [target] = call.inputs
  if (target!.dtype === 'q8_0') return writeRowsQ8(call)
  if (!['f32', 'f16', 'bf16'].includes(target!.dtype)) return undefined
  return widthOf(target!.dtype) === 16 && rowOf(target!.shape) % 2 === 1 ? writeRowsOdd(call) : writeRowsPacked(call)
}

const dequantize: Maker = ({ inputs: [x], outputs: [y] }) => {
  if (!isSplit(x!) && !decodesRaw(x!.dtype)) return undefined
  const body = `${loader('x0', x!.dtype)}fn value(i: u32) -> f32 { return load_x0(i); }`
  const d = elementsDispatch(elements([read('x0')], 'f32', body), y!, [input(0), output(0)])
  if (!isSplit(x!)) return [d]
  const { blocksPerRow, scalesAt } = blockLayout(x!)
  return [{ ...d, meta: blockMeta(d.meta, blocksPerRow, scalesAt) }]
}

export const moves: Readonly<Record<string, Maker>> = {
  transpose,
  slice,
  concat,
  gather,
  scatter_add: scatterAdd,
  full,
  iota,
  random_bits: randomBits,
  assign,
  write_rows: writeRows,
  dequantize,
}
