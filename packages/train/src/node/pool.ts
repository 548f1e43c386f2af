/** Worker threads that encode batches of documents, and what is said when one of them ends. */
import type { Worker } from 'node:worker_threads'
import { DataError } from '../errors.js'
import type { Form } from './documents.js'
import type { Encoded } from './encode.js'

type Reply = { id: number; encoded: Encoded } | { id: number; error: string }

export class Pool {
  private readonly threads: Worker[]
  private readonly waiting = new Map<number, { resolve(e: Encoded): void; reject(e: Error): void }>()
  private next = 0
  /** Why a worker ended before `close`: nobody would answer for it. */
  private failure: DataError | undefined
  private closing = false

  constructor(count: number, start: () => Worker) {
    this.threads = Array.from({ length: count }, () => {
      const thread = start()
      thread.on('message', (reply: Reply) => this.receive(reply))
      thread.on('error', error => this.fail(error.message))
      thread.on('exit', code => this.fail(`exit code ${code}`))
      return thread
    })
  }

  /** @throws DataError where the batch cannot be encoded, and from then on when a worker has ended. */
  run(documents: readonly Form[]): Promise<Encoded> {
    const id = this.next++
    return new Promise((resolve, reject) => {
      if (this.failure) throw this.failure
      this.threads[id % this.threads.length]!.postMessage({ id, documents })
      this.waiting.set(id, { resolve, reject })
    })
  }

  private receive(reply: Reply): void {
    const waiting = this.waiting.get(reply.id)
    this.waiting.delete(reply.id)
    if ('error' in reply) waiting?.reject(new DataError(`tokenize: ${reply.error}`))
    else waiting?.resolve(reply.encoded)
  }

  private fail(reason: string): void {
    if (this.closing) return
    // An error is followed by an exit: the first says why.
    this.failure ??= new DataError(
      `tokenize: a worker ended (${reason}), expected it to work until all is done. Use fewer workers if memory is short, or workers: 0 to see where it fails`,
    )
    for (const { reject } of this.waiting.values()) reject(this.failure)
    this.waiting.clear()
  }

  async close(): Promise<void> {
    this.closing = true
    await Promise.all(this.threads.map(t => t.terminate()))
  }
}
