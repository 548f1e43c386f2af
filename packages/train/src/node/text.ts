/** Text files as a stream of UTF-8, and what is said where a file cannot be read or written. */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { DataError } from '../errors.js'

/**
 * The text of a file in pieces that end between characters.
 *
 * @throws DataError for a file that cannot be read, and for bytes that are no UTF-8, with their place: a decoder would
 * put U+FFFD there, and a model would learn it.
 */
export async function* textPieces(path: string): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  let at = 0
  for await (const piece of bytesOf(path)) {
    const all = rest.length > 0 ? Buffer.concat([rest, piece]) : piece
    const end = all.length - unfinished(all)
    rest = all.subarray(end)
    yield decoded(path, all.subarray(0, end), at)
    at += end
  }
  if (rest.length > 0) yield decoded(path, rest, at)
}

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) yield piece as Buffer
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function decoded(path: string, bytes: Buffer, at: number): string {
  const text = bytes.toString('utf8')
  if (isUtf8(bytes)) return text
  // What is written back differs first where U+FFFD was put.
  const again = Buffer.from(text, 'utf8')
  const found = bytes.findIndex((byte, i) => byte !== again[i])
  const bad = at + (found < 0 ? bytes.length : found)
  throw new DataError(
    `${path}: got bytes that are no UTF-8 at byte ${bad}, expected UTF-8 text. Convert the file, or leave these bytes out`,
    { got: bad },
  )
}

/** Bytes at the end that begin a character and do not end it. */
function unfinished(bytes: Buffer): number {
  for (let n = 1; n <= Math.min(3, bytes.length); n++) {
    const byte = bytes[bytes.length - n]!
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return n < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? n : 0
  }
  return 0
}

export const unreadable = (path: string, cause: unknown): DataError =>
  new DataError(`${path}: cannot be read (${(cause as Error).message}). Check the path`, {
    got: (cause as NodeJS.ErrnoException).code,
  })

/** The error of a call of the system as one of ours; another one as it is. */
export const unwritten = (path: string, cause: unknown): unknown =>
  (cause as NodeJS.ErrnoException).syscall === undefined
    ? cause
    : new DataError(`${path}: cannot be written (${(cause as Error).message}). Make room, or give another path`, {
        got: (cause as NodeJS.ErrnoException).code,
      })
