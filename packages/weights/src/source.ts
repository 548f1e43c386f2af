/**
 * Byte sources: random access to bytes that may be far larger than memory. Files of Node live in `node.ts`, HTTP
 * ranges in `http.ts`.
 */
import { WeightsError } from './errors.js'

export interface ByteSource {
  /** A short name for messages: a path, a URL, a label. */
  readonly name: string
  /** Length in bytes. */
  readonly size: number
  /** The path when the bytes are a plain file that native code can map. */
  readonly path?: string
  /** Exactly `length` bytes from `offset`; rejects with `WeightsError` when they are not there. */
  read(offset: number, length: number): Promise<Uint8Array>
  close?(): Promise<void>
}

/** Refuses a range outside the source, before anything is allocated. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new WeightsError(
      'format',
      `${source.name}: got bytes ${offset}+${length}, expected a range of whole numbers`,
      {
        file: source.name,
      },
    )
  }
  if (offset + length > source.size) {
    throw new WeightsError(
      'format',
      `${source.name}: got ${source.size} bytes, expected at least ${offset + length}. The file is truncated or corrupt`,
      { file: source.name, got: source.size, expected: offset + length },
    )
  }
}

/** A source over bytes in memory. Reads return views, not copies. */
export function bytesSource(bytes: Uint8Array, name = 'bytes'): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.length,
    async read(offset, length) {
      checkRange(source, offset, length)
      return bytes.subarray(offset, offset + length)
    },
  }
  return source
}

/** A source over a `Blob` or `File`, read in slices. */
export function blobSource(blob: Blob, name: string = blob instanceof File ? blob.name : 'blob'): ByteSource {
  const source: ByteSource = {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(source, offset, length)
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
      } catch (cause) {
        throw new WeightsError(
          'missing',
          `${name}: got ${String(cause)}, expected ${length} bytes from ${offset}. The file was changed, moved or deleted since it was picked: pick it again`,
          { file: name, cause },
        )
      }
    },
  }
  return source
}
