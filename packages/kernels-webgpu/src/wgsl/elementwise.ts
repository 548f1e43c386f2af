/** One element in, one element out, with broadcasting by strides. */
import { type DType, isFloat, type OpCall } from '@cria/tensor'
import { math } from './math.js'
import {
  broadcastStrides,
  type Dispatch,
  elements,
  elementsDispatch,
  input,
  join,
  keyLoader,
  loader,
  ordered,
  output,
  rawLoader,
  read,
  scalarOf,
  strided,
  stridedMeta,
  widthOf,
} from './template.js'

export type Maker = (call: OpCall, limit: number) => readonly Dispatch[] | undefined

/** Expressions of x. Integers take the ones marked so. */
const unaries: Readonly<Record<string, { expression: string; ints?: boolean }>> = {
  neg: { expression: '-x', ints: true },
  abs: { expression: 'abs(x)', ints: true },
  exp: { expression: 'exp(x)' },
  log: { expression: 'log(x)' },
  sqrt: { expression: 'sqrt(x)' },
  sin: { expression: 'sine(x)' },
  cos: { expression: 'cosine(x)' },
  tanh: { expression: 'tangent(x)' },
  erf: { expression: 'error_function(x)' },
  floor: { expression: 'floor(x)' },
  square: { expression: 'x * x', ints: true },
  rsqrt: { expression: 'inverseSqrt(x)' },
  sigmoid: { expression: 'logistic(x)' },
  silu: { expression: 'x * logistic(x)' },
  relu: { expression: 'max(x, 0.0)' },
  softplus: { expression: 'max(x, 0.0) + log(1.0 + exp(-abs(x)))' },
  gelu_tanh: { expression: '0.5 * x * (1.0 + tangent(0.7978845608 * (x + 0.044715 * x * x * x)))' },
  gelu_erf: { expression: '0.5 * x * (1.0 + error_function(x * 0.7071067812))' },
}

/**
 * What works on the bits of f32, `v`, since WGSL may take floats for finite: NaN and infinities pass through these.
 */
const bitwise: Readonly<Record<string, string>> = {
  neg: 'v ^ 0x80000000u',
  abs: 'v & 0x7fffffffu',
  exp: 'exponential(v)',
  log: 'logarithm(v)',
}

/** Binaries of f32 over keys, in which NaN is the largest: `a` and `b` for what is stored. */
const keyed: Readonly<Record<string, string>> = {
  maximum: 'of_key(max(a, b))',
  minimum: 'of_key(select(min(a, b), max(a, b), max(a, b) == 0xffffffffu))',
  equal: 'u32(a == b && b != 0xffffffffu)',
  less: 'u32(a < b && b != 0xffffffffu)',
  less_equal: 'u32(a <= b && b != 0xffffffffu)',
}

const binaries: Readonly<Record<string, string>> = {
  add: 'a + b',
  sub: 'a - b',
  mul: 'a * b',
  div: 'a / b',
  pow: 'power(a, b)',
  maximum: 'max(a, b)',
  minimum: 'min(a, b)',
  swiglu: 'a * logistic(a) * b',
  equal: 'i32(a == b)',
  less: 'i32(a < b)',
  less_equal: 'i32(a <= b)',
}

const floatOnly = new Set(['pow', 'swiglu'])
const half = (dtype: DType): boolean => dtype === 'f16' || dtype === 'bf16'

const unary =
  (name: string): Maker =>
  ({ inputs: [x], outputs: [y] }) => {
    const { expression, ints = false } = unaries[name]!
    const unsignedNoOp = scalarOf(x!.dtype) === 'u32' && name !== 'square'
    if (half(x!.dtype) || (!isFloat(x!.dtype) && (!ints || unsignedNoOp))) return undefined
    const t = scalarOf(x!.dtype)
    const bits = isFloat(x!.dtype) ? bitwise[name] : undefined
    if (bits) {
      const body = `${math}fn value(i: u32) -> u32 { let v = x0[i]; return ${bits}; }`
      return [elementsDispatch(elements([read('x0')], 32, body), y!, [input(0), output(0)])]
    }
    const body = `${isFloat(x!.dtype) ? math : ''}${loader('x0', x!.dtype)}fn value(i: u32) -> ${t} { let x = load_x0(i); return ${expression}; }`
    return [elementsDispatch(elements([read('x0')], y!.dtype, body), y!, [input(0), output(0)])]
  }

const binary =
  (name: string): Maker =>
  ({ inputs: [a, b], outputs: [y] }) => {
    const t = scalarOf(a!.dtype)
    if (half(a!.dtype) || (t !== 'f32' && floatOnly.has(name))) return undefined
    const meta = stridedMeta(y!.shape, [broadcastStrides(a!.shape, y!.shape), broadcastStrides(b!.shape, y!.shape)])
    if (meta === undefined) return undefined
    const bind = [input(0), input(1), output(0)]
    const key = t === 'f32' ? keyed[name] : undefined
    if (key) {
      const value = `fn value(i: u32) -> u32 { let a = load_x0(at(i, 0u)); let b = load_x1(at(i, 1u)); return ${key}; }`
      const body = [strided, ordered, keyLoader('x0'), keyLoader('x1'), value].join('')
      return [elementsDispatch(elements([read('x0'), read('x1')], 32, body), y!, bind, meta)]
    }
    const expression = name === 'div' && t !== 'f32' ? `select(a / max(b, 1u), ${t}(0), b == 0u)` : binaries[name]!
    // Signed division: WGSL truncates too; only the divisor 0 needs care.
    const safe = name === 'div' && t === 'i32' ? 'select(a / select(b, 1, b == 0), 0, b == 0)' : expression
    const body = join(
      t === 'f32' ? math : '',
      strided,
      loader('x0', a!.dtype),
      loader('x1', b!.dtype),
      `fn value(i: u32) -> ${scalarOf(y!.dtype)} { let a = load_x0(at(i, 0u)); let b = load_x1(at(i, 1u)); return ${safe}; }`,
    )
    return [elementsDispatch(elements([read('x0'), read('x1')], y!.dtype, body), y!, bind, meta)]
  }

/** Moves bits, so every dense dtype works. */
const select: Maker = ({ inputs: [c, a, b], outputs: [y] }) => {
  const meta = stridedMeta(
    y!.shape,
    [c, a, b].map(s => broadcastStrides(s!.shape, y!.shape)),
  )
  if (meta === undefined) return undefined
  const width = widthOf(y!.dtype)
  const body = join(
    strided,
    loader('x0', 'i32'),
    rawLoader('x1', width),
    rawLoader('x2', width),
    'fn value(i: u32) -> u32 { if (load_x0(at(i, 0u)) != 0) { return load_x1(at(i, 1u)); } return load_x2(at(i, 2u)); }',
  )
  const code = elements([read('x0'), read('x1'), read('x2')], width, body)
  return [elementsDispatch(code, y!, [input(0), input(1), input(2), output(0)], meta)]
}

/** Conversions truncate towards zero and saturate. */
function convert(from: DType, to: DType): string {
  const [s, t] = [scalarOf(from), scalarOf(to)]
  const narrow: Partial<Record<DType, string>> = { i8: 'clamp(v, -128, 127)', u8: 'min(v, 255u)' }
  const steps: Record<string, string> = {
    'f32 i32': 'select(select(i32(clamp(x, -2147483648.0, 2147483520.0)), 2147483647, x >= 2147483648.0), 0, x != x)',
    'f32 u32': 'select(select(u32(clamp(x, 0.0, 4294967040.0)), 4294967295u, x >= 4294967296.0), 0u, x != x)',
    'i32 u32': 'u32(max(x, 0))',
    'u32 i32': 'i32(min(x, 2147483647u))',
    'i32 f32': 'f32(x)',
    'u32 f32': 'f32(x)',
  }
  return `let v = ${s === t ? 'x' : steps[`${s} ${t}`]!}; return ${narrow[to] ?? 'v'};`
}

const cast: Maker = ({ inputs: [x], outputs: [y] }) => {
  const body = join(
    loader('x0', x!.dtype),
    `fn value(i: u32) -> ${scalarOf(y!.dtype)} { let x = load_x0(i); ${convert(x!.dtype, y!.dtype)} }`,
  )
  return [elementsDispatch(elements([read('x0')], y!.dtype, body), y!, [input(0), output(0)])]
}

export const elementwise: Readonly<Record<string, Maker>> = {
  ...Object.fromEntries(Object.keys(unaries).map(name => [name, unary(name)])),
  ...Object.fromEntries(Object.keys(binaries).map(name => [name, binary(name)])),
  select,
  cast,
}
