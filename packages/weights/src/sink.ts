/** Where writers put their bytes: in order, a piece at a time, so that no file is ever whole in memory. */
import { WeightsError } from './errors.js'

export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>
  /** Everything is written; makes it durable. */
  close(): Promise<void>
  /** The work failed; leaves nothing half-written behind. */
  abort?(): Promise<void>
}

/** A sink in memory; `bytes()` after `close()`. */
export function memorySink(): ByteSink & { bytes(): Uint8Array } {
  const parts: Uint8Array[] = []
  let length = 0
  return {
    async write(bytes) {
      parts.push(bytes.slice())
      length += bytes.length
    },
    async close() {},
    bytes() {
      const all = new Uint8Array(length)
      let at = 0
      for (const part of parts) {
        all.set(part, at)
        at += part.length
      }
      return all
    },
  }
}

/** A tensor to be written. `data` is called once, when its turn comes. */
export interface TensorInput {
  readonly name: string
  /** Row-major, outermost axis first. */
  readonly shape: readonly number[]
  readonly dtype: import('./dtype.js').FileDType
  data(): Promise<Uint8Array> | Uint8Array
}

/** Writes one tensor's bytes after checking their number. */
export async function writeTensor(sink: ByteSink, tensor: TensorInput, expected: number): Promise<void> {
  const bytes = await tensor.data()
  if (bytes.length !== expected) {
    throw new WeightsError(
      'argument',
      `write: tensor "${tensor.name}": got ${bytes.length} bytes, expected ${expected} for [${tensor.shape}] ${tensor.dtype}`,
    )
  }
  await sink.write(bytes)
}
