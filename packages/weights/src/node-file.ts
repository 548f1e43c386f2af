/** Files of Node as byte sources and sinks: positioned reads, nothing buffered, sizes beyond 4 GiB. */
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { WeightsError } from './errors.js'
import type { ByteSink } from './sink.js'
import { type ByteSource, checkRange } from './source.js'

/** Node refuses single reads of 2 GiB and more. */
const chunk = 2 ** 30

/**
 * Opens a file for positioned reads.
 *
 * @throws WeightsError `missing` when it cannot be opened or is not a file
 * @example const source = await fileSource('model.gguf')
 */
export async function fileSource(path: string): Promise<ByteSource> {
  let handle: FileHandle
  let size: number
  try {
    handle = await open(path, constants.O_RDONLY)
  } catch (cause) {
    throw new WeightsError('missing', `${path}: cannot be opened: ${(cause as Error).message}`, { file: path, cause })
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile())
      throw new WeightsError('missing', `${path}: got something else, expected a file`, { file: path })
    size = stat.size
  } catch (error) {
    await handle.close()
    throw error
  }
  const source: ByteSource = {
    name: path,
    size,
    path,
    async read(offset, length) {
      checkRange(source, offset, length)
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; ) {
        const { bytesRead } = await handle.read(bytes, at, Math.min(chunk, length - at), offset + at)
        if (bytesRead === 0)
          throw new WeightsError('format', `${path}: the file shrank while it was read`, { file: path })
        at += bytesRead
      }
      return bytes
    },
    close: () => handle.close(),
  }
  return source
}

/** Writes a file through a temporary name beside it, so that a failed write leaves nothing under the real name. */
export async function fileSink(path: string): Promise<ByteSink> {
  const temporary = `${path}.${process.pid}.partial`
  let handle: FileHandle
  try {
    handle = await open(temporary, 'w')
  } catch (cause) {
    throw new WeightsError('argument', `${path}: cannot be written: ${(cause as Error).message}`, { file: path, cause })
  }
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, Math.min(chunk, bytes.length - at))
        at += bytesWritten
      }
    },
    async close() {
      await handle.sync()
      await handle.close()
      await rename(temporary, path)
    },
    async abort() {
      await handle.close()
      await rm(temporary, { force: true })
    },
  }
}
