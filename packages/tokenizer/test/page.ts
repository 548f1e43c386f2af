// The page of `browser.test.ts`: on itself, and in a worker of the same script.

import { everywhere } from './everywhere.js'

declare const WorkerGlobalScope: unknown

const scope = globalThis as unknown as { tokenizers: () => Promise<unknown>; postMessage(message: unknown): void }
const read = async (file: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(`/files/${file}`)).arrayBuffer())

if (typeof WorkerGlobalScope === 'undefined') {
  scope.tokenizers = async () => {
    const worker = new Worker('/page.js', { type: 'module' })
    const there = await new Promise((resolve, reject) => {
      worker.onmessage = event => resolve(event.data)
      worker.onerror = event => reject(new Error(event.message))
    })
    worker.terminate()
    return [await everywhere(read), there]
  }
} else {
  everywhere(read).then(
    result => scope.postMessage(result),
    error => scope.postMessage({ error: String(error) }),
  )
}
