/** Files that survive a crash: written whole, made durable, and only then given their name. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ByteSink } from '@cria/weights'
import { isCount, isObject } from './shape.js'

export interface FileRecord {
  readonly bytes: number
  readonly sha256: string
}

export const isFileRecord = (value: unknown): value is FileRecord =>
  isObject(value) && isCount(value.bytes) && typeof value.sha256 === 'string'

/** A sink into a file that also says how long it became and its SHA-256. `close` makes it durable. */
export async function hashedFile(path: string): Promise<ByteSink & { record(): FileRecord }> {
  const handle = await open(path, 'w')
  const hash = createHash('sha256')
  let bytes = 0
  let record: FileRecord | undefined
  return {
    async write(piece) {
      hash.update(piece)
      for (let at = 0; at < piece.length; ) {
        const { bytesWritten } = await handle.write(piece, at, Math.min(2 ** 30, piece.length - at))
        at += bytesWritten
      }
      bytes += piece.length
    },
    async close() {
      await handle.sync()
      await handle.close()
      record = { bytes, sha256: hash.digest('hex') }
    },
    async abort() {
      await handle.close().catch(() => {})
    },
    record: () => record!,
  }
}

/** Writes a whole file; `begun` is called when there is one that may have to be removed. */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  begun?: () => void,
): Promise<FileRecord> {
  const sink = await hashedFile(path)
  begun?.()
  try {
    await sink.write(typeof content === 'string' ? new TextEncoder().encode(content) : content)
    await sink.close()
  } catch (error) {
    await sink.abort?.()
    throw error
  }
  return sink.record()
}

/** Length and SHA-256 of a file, read in pieces. */
export async function recordOf(path: string): Promise<FileRecord> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    hash.update(piece as Uint8Array)
    bytes += (piece as Uint8Array).length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Makes the names in a folder durable. Windows has no such call and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Replaces a folder by another in two renames; a crash between them leaves the new one, whole, under its old name. */
export async function moveFolder(from: string, to: string): Promise<void> {
  const doomed = await hideFolder(to)
  await rename(from, to)
  await syncFolder(dirname(to))
  if (doomed !== undefined) await rm(doomed, { recursive: true, force: true })
}

/** Takes a folder out of sight first, so that a crash while deleting never leaves half of one under its name. */
export async function removeFolder(path: string): Promise<void> {
  const doomed = await hideFolder(path)
  if (doomed !== undefined) await rm(doomed, { recursive: true, force: true })
}

async function hideFolder(path: string): Promise<string | undefined> {
  const doomed = `${path}.deleting`
  await rm(doomed, { recursive: true, force: true })
  try {
    await rename(path, doomed)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return doomed
}
