/** The numbers of the GGUF format: value types, tensor types, typed metadata values. */
import type { FileDType } from '../dtype.js'

/** Metadata value types, in the order of their ids. */
export const valueTypes = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const

export type GgufScalarType = Exclude<(typeof valueTypes)[number], 'array'>

/** A metadata value with its type, as needed to write it back. 64-bit integers are numbers where that is exact. */
export type GgufValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: Exclude<GgufScalarType, 'string' | 'bool'>; readonly value: number | bigint }
  | { readonly type: 'array'; readonly of: GgufScalarType; readonly value: GgufArray }
  | { readonly type: 'array'; readonly of: 'array'; readonly value: readonly GgufValue[] }

/** Strings, booleans, 64-bit integers as plain arrays; other numbers as the typed array of their type. */
export type GgufArray =
  | readonly string[]
  | readonly boolean[]
  | readonly (number | bigint)[]
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

/** Bytes of a scalar; a string takes at least its length word. */
export const valueBytes: Readonly<Record<(typeof valueTypes)[number], number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  string: 8,
  array: 12,
  u64: 8,
  i64: 8,
  f64: 8,
}

/** Tensor types by ggml's ids. The gaps are types that llama.cpp removed. */
export const tensorTypes: readonly (FileDType | undefined)[] = [
  'f32',
  'f16',
  'q4_0',
  'q4_1',
  undefined,
  undefined,
  'q5_0',
  'q5_1',
  'q8_0',
  'q8_1',
  'q2_k',
  'q3_k',
  'q4_k',
  'q5_k',
  'q6_k',
  'q8_k',
  'iq2_xxs',
  'iq2_xs',
  'iq3_xxs',
  'iq1_s',
  'iq4_nl',
  'iq3_s',
  'iq2_s',
  'iq4_xs',
  'i8',
  'i16',
  'i32',
  'i64',
  'f64',
  'iq1_m',
  'bf16',
  undefined,
  undefined,
  undefined,
  'tq1_0',
  'tq2_0',
  undefined,
  undefined,
  undefined,
  'mxfp4',
  'nvfp4',
  'q1_0',
  'q2_0',
]

export const removedTypes: Readonly<Record<number, string>> = {
  4: 'Q4_2',
  5: 'Q4_3',
  31: 'Q4_0_4_4',
  32: 'Q4_0_4_8',
  33: 'Q4_0_8_8',
  36: 'IQ4_NL_4_4',
  37: 'IQ4_NL_4_8',
  38: 'IQ4_NL_8_8',
}

export const magic = 0x46554747 // "GGUF", little-endian
export const defaultAlignment = 32
