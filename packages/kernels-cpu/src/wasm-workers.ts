/** Threads of a WebAssembly module: workers that run its loop on shared memory, in Node and in browsers. */

/** What a worker runs. Plain JavaScript in a string: it needs no file of its own, and no bundler has to find one. */
const body = `
const start = async ({ module, memory, pool, thread, stack }, send) => {
  const instance = await WebAssembly.instantiate(module, { env: { memory, finished: () => send('finished') } })
  instance.exports.__stack_pointer.value = stack
  send('ready')
  instance.exports.pool_work(pool, thread)
}
`
const nodeBody = `${body}
const { parentPort, workerData } = require('node:worker_threads')
start(workerData, message => parentPort.postMessage(message))
`
const webBody = `${body}
self.onmessage = event => start(event.data, message => self.postMessage(message))
`

export interface WorkerStart {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly pool: number
  readonly thread: number
  readonly stack: number
}

export interface Thread {
  stop(): void
  /** Keeps Node alive while work is under way, and not otherwise. */
  hold(busy: boolean): void
}

export const inNode: boolean = typeof process !== 'undefined' && process.versions?.node !== undefined

/** Starts a worker and waits until it is in its loop. */
export async function startWorker(start: WorkerStart, finished: () => void): Promise<Thread> {
  if (inNode) {
    // Not a literal: bundlers for browsers must not look for Node's modules.
    const builtin = 'node:worker_threads'
    const { Worker } = (await import(/* @vite-ignore */ builtin)) as typeof import('node:worker_threads')
    const worker = new Worker(nodeBody, { eval: true, workerData: start })
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.on('message', message => (message === 'ready' ? resolve() : finished()))
    })
    worker.unref()
    return {
      stop: () => void worker.terminate(),
      hold: busy => (busy ? worker.ref() : worker.unref()),
    }
  }
  const url = URL.createObjectURL(new Blob([webBody], { type: 'text/javascript' }))
  const worker = new Worker(url)
  await new Promise<void>((resolve, reject) => {
    worker.onerror = event => reject(new Error(event.message))
    worker.onmessage = event => (event.data === 'ready' ? resolve() : finished())
    worker.postMessage(start)
  })
  URL.revokeObjectURL(url)
  return { stop: () => worker.terminate(), hold() {} }
}

/** Whether memory can be shared with workers: always in Node, in browsers on isolated pages (COOP and COEP headers). */
export const canShare = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' &&
  (inNode || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true)

/** Whether this thread may sleep on shared memory; the main thread of a page may not. */
export const maySleep = (): boolean => inNode || typeof (globalThis as { document?: unknown }).document === 'undefined'
