/**
 * Element types as they occur in files: everything a tensor may hold (`DType` of @cria/tensor) and a few that only
 * storage formats have. Sizes, and decoding of any of them to float32.
 */

import {
  type BlockDType,
  bf16ToF32,
  blockFormats,
  type DType,
  decodeBlocks,
  f16ToF32,
  f32ToBf16,
  f32ToF16,
} from '@cria/tensor'
import { WeightsError } from './errors.js'

/** Types found in files only; models take them after `decodeTensor`. */
export type StorageDType = 'f64' | 'i64' | 'u64' | 'i16' | 'u16' | 'bool' | 'f8_e4m3' | 'f8_e5m2'

export type FileDType = DType | StorageDType

const plainBytes: Readonly<Partial<Record<FileDType, number>>> = {
  f64: 8,
  i64: 8,
  u64: 8,
  f32: 4,
  i32: 4,
  u32: 4,
  f16: 2,
  bf16: 2,
  i16: 2,
  u16: 2,
  i8: 1,
  u8: 1,
  bool: 1,
  f8_e4m3: 1,
  f8_e5m2: 1,
}

export const isBlockDType = (dtype: FileDType): dtype is BlockDType => Object.hasOwn(blockFormats, dtype)

/** Elements and bytes of the smallest unit: `{ block: 1, bytes: 2 }` for f16, `{ block: 32, bytes: 18 }` for q4_0. */
export function unitOf(dtype: FileDType): { readonly block: number; readonly bytes: number } {
  return isBlockDType(dtype) ? blockFormats[dtype] : { block: 1, bytes: plainBytes[dtype]! }
}

export const elementCount = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** Bytes of a tensor; `undefined` when the shape does not fit the type or the number is not exact. */
export function tensorBytes(dtype: FileDType, shape: readonly number[]): number | undefined {
  const { block, bytes } = unitOf(dtype)
  const count = elementCount(shape)
  if (!Number.isSafeInteger(count * bytes)) return undefined
  if (block > 1 && (shape.length === 0 || shape.at(-1)! % block !== 0)) return undefined
  return (count / block) * bytes
}

/** The bytes as a typed array of that type, without a copy where they are aligned. */
function viewed<T>(
  bytes: Uint8Array,
  type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
): T {
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice()
  return new type(aligned.buffer, aligned.byteOffset, aligned.length / type.BYTES_PER_ELEMENT)
}

/**
 * Decodes any element type to float32 (float64 and 64-bit integers are rounded).
 *
 * @param out exactly the number of elements in `bytes`
 */
export function decodeTensor(dtype: FileDType, bytes: Uint8Array, out: Float32Array): void {
  if (isBlockDType(dtype)) {
    decodeBlocks(dtype, bytes, out)
    return
  }
  if (bytes.length !== out.length * plainBytes[dtype]!) {
    throw new WeightsError(
      'argument',
      `decodeTensor: got ${bytes.length} bytes of ${dtype} for ${out.length} values, expected ${out.length * plainBytes[dtype]!}`,
    )
  }
  switch (dtype) {
    case 'f32':
      out.set(viewed(bytes, Float32Array))
      return
    case 'f16':
      viewed(bytes, Uint16Array).forEach((v, i) => {
        out[i] = f16ToF32(v)
      })
      return
    case 'bf16':
      viewed(bytes, Uint16Array).forEach((v, i) => {
        out[i] = bf16ToF32(v)
      })
      return
    case 'f64':
      out.set(viewed(bytes, Float64Array))
      return
    case 'i32':
      out.set(viewed(bytes, Int32Array))
      return
    case 'u32':
      out.set(viewed(bytes, Uint32Array))
      return
    case 'i16':
      out.set(viewed(bytes, Int16Array))
      return
    case 'u16':
      out.set(viewed(bytes, Uint16Array))
      return
    case 'i8':
      out.set(viewed(bytes, Int8Array))
      return
    case 'u8':
    case 'bool':
      out.set(bytes)
      return
    case 'i64':
      viewed(bytes, BigInt64Array).forEach((v, i) => {
        out[i] = Number(v)
      })
      return
    case 'u64':
      viewed(bytes, BigUint64Array).forEach((v, i) => {
        out[i] = Number(v)
      })
      return
    case 'f8_e4m3':
      bytes.forEach((b, i) => {
        out[i] = float8(b, 4, 3)
      })
      return
    case 'f8_e5m2':
      bytes.forEach((b, i) => {
        out[i] = float8(b, 5, 2)
      })
      return
  }
}

/** Encodes float32 values as a dense float type; halves round to nearest even. */
export function encodeFloats(dtype: 'f32' | 'f16' | 'bf16', values: Float32Array): Uint8Array {
  if (dtype === 'f32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const out = new Uint16Array(values.length)
  const narrow = dtype === 'f16' ? f32ToF16 : f32ToBf16
  for (let i = 0; i < values.length; i++) out[i] = narrow(values[i]!)
  return new Uint8Array(out.buffer)
}

/** OCP 8-bit floats; e4m3 has no infinity and one NaN, e5m2 follows IEEE. */
function float8(bits: number, exponentBits: 4 | 5, fractionBits: 2 | 3): number {
  const sign = bits & 0x80 ? -1 : 1
  const top = (1 << exponentBits) - 1
  const exponent = (bits >> fractionBits) & top
  const fraction = bits & ((1 << fractionBits) - 1)
  const bias = (1 << (exponentBits - 1)) - 1
  if (exponentBits === 5 && exponent === top) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponentBits === 4 && (bits & 0x7f) === 0x7f) return Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits)
  return sign * (1 + fraction / (1 << fractionBits)) * 2 ** (exponent - bias)
}
