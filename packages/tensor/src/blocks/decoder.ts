/**
 * What a block decoder is, and the little-endian reads all of them share.
 *
 * Decoders compute in doubles and round once, when the value is stored as float32. That is exact: a product of a
 * binary16 scale and integers of a few bits fits a double, so the only rounding is the one ggml's float arithmetic
 * makes in its last step.
 */
import { f16ToF32 } from '../half.js'

/** Decodes one block that starts at `bytes[at]` into `out` from `o` on. */
export type BlockDecoder = (bytes: Uint8Array, at: number, out: Float32Array, o: number) => void

export const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8)

export const u32 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0

export const i8 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 24) >> 24

export const f16 = (bytes: Uint8Array, at: number): number => f16ToF32(u16(bytes, at))
