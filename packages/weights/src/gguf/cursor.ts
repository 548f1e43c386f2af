/** Reads little-endian values from a prefix of a file, checking every length before it is believed. */
import { corrupt } from '../errors.js'

/** Thrown (and caught by the reader) when the prefix ends before the header does. */
export class NeedMore extends Error {}

// A token may be U+FEFF, which a decoder swallows unless told.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export class Cursor {
  at = 0
  private readonly view: DataView

  /** @param total length of the whole file, of which `bytes` is the beginning */
  constructor(
    readonly file: string,
    private readonly bytes: Uint8Array,
    private readonly total: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Moves past `length` bytes and returns where they began. */
  private take(length: number): number {
    const from = this.at
    this.claim(1, length)
    if (from + length > this.bytes.length) throw new NeedMore()
    this.at = from + length
    return from
  }

  /** Refuses `count` items of at least `each` bytes when the rest of the file cannot hold them. */
  claim(count: number, each: number): void {
    if (count * each > this.total - this.at) {
      throw corrupt(
        this.file,
        `got ${count} items of at least ${each} bytes at byte ${this.at}, but only ${this.total - this.at} bytes remain. The file is truncated or corrupt`,
      )
    }
  }

  u8 = (): number => this.view.getUint8(this.take(1))
  i8 = (): number => this.view.getInt8(this.take(1))
  u16 = (): number => this.view.getUint16(this.take(2), true)
  i16 = (): number => this.view.getInt16(this.take(2), true)
  u32 = (): number => this.view.getUint32(this.take(4), true)
  i32 = (): number => this.view.getInt32(this.take(4), true)
  f32 = (): number => this.view.getFloat32(this.take(4), true)
  f64 = (): number => this.view.getFloat64(this.take(8), true)
  u64 = (): number | bigint => exact(this.view.getBigUint64(this.take(8), true))
  i64 = (): number | bigint => exact(this.view.getBigInt64(this.take(8), true))

  bool(): boolean {
    const byte = this.u8()
    if (byte > 1) throw corrupt(this.file, `got ${byte} for a boolean at byte ${this.at - 1}, expected 0 or 1`)
    return byte === 1
  }

  /** A 64-bit count, as a number. */
  count(what: string): number {
    const value = this.u64()
    if (typeof value === 'bigint') throw corrupt(this.file, `got ${value} for ${what}, more than any file can hold`)
    return value
  }

  string(): string {
    const length = this.count('the length of a string')
    const from = this.take(length)
    return utf8.decode(this.bytes.subarray(from, from + length))
  }

  /** `count` items of `size` bytes each, copied out so that they are aligned. */
  raw(count: number, size: number): ArrayBuffer {
    this.claim(count, size)
    const from = this.take(count * size)
    const copy = new Uint8Array(count * size)
    copy.set(this.bytes.subarray(from, from + count * size))
    return copy.buffer
  }
}

const exact = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
