/** Numbers from JavaScript to canonical bytes. */
import { ArgumentError, DTypeError, ShapeError } from './errors.js'
import { f32ToBf16, f32ToF16 } from './half.js'
import { byteLength, format, isBlock, type Spec, sizeOf } from './spec.js'

/** What people hand in: a number for scalars, arrays or typed arrays otherwise. */
export type Values = number | ArrayLike<number>

/** Canonical bytes of `values` for `spec`. Never copies where the typed array already is the layout. */
export function encode(spec: Spec, values: Values, what: string): Uint8Array {
  const list = typeof values === 'number' ? [values] : values
  const { dtype } = spec
  if (isBlock(dtype)) {
    if (list instanceof Uint8Array && list.byteLength === byteLength(spec)) return list
    throw new DTypeError(
      `${what}: got numbers for ${format(spec)}, expected its ${byteLength(spec)} bytes as Uint8Array. Quantise with @cria/weights`,
      { op: what },
    )
  }
  const n = sizeOf(spec.shape)
  if (list.length !== n) {
    throw new ShapeError(`${what}: got ${list.length} values, expected ${n} for ${format(spec)}`, {
      op: what,
      got: list.length,
      expected: n,
    })
  }
  switch (dtype) {
    case 'f32':
      return view(list instanceof Float32Array ? list : Float32Array.from(list))
    case 'f16':
      return view(Uint16Array.from(list, f32ToF16))
    case 'bf16':
      return view(Uint16Array.from(list, f32ToBf16))
    case 'i32':
      return view(list instanceof Int32Array ? list : Int32Array.from(list, whole(what, -(2 ** 31), 2 ** 31 - 1)))
    case 'u32':
      return view(list instanceof Uint32Array ? list : Uint32Array.from(list, whole(what, 0, 2 ** 32 - 1)))
    case 'i8':
      return view(list instanceof Int8Array ? list : Int8Array.from(list, whole(what, -128, 127)))
    case 'u8':
      return list instanceof Uint8Array ? list : Uint8Array.from(list, whole(what, 0, 255))
  }
}

const view = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength)

/** A typed array would wrap or truncate silently; a token id of 1.5 or -1 must not. */
const whole =
  (what: string, min: number, max: number) =>
  (x: number): number => {
    if (Number.isInteger(x) && x >= min && x <= max) return x
    throw new ArgumentError(`${what}: got ${x}, expected a whole number in ${min} … ${max}`, { op: what, got: x })
  }
