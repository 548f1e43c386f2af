/** The page of `browser.test.ts`: on itself, and in a worker of the same script. */
import { everywhere } from './everywhere.js'

declare const WorkerGlobalScope: unknown

const scope = globalThis as unknown as { sampling: () => Promise<unknown>; postMessage(message: unknown): void }
if (typeof WorkerGlobalScope === 'undefined') {
  scope.sampling = async () => {
    const worker = new Worker('/page.js', { type: 'module' })
    const there = await new Promise((resolve, reject) => {
      worker.onmessage = event => resolve(event.data)
      worker.onerror = event => reject(new Error(event.message))
    })
    worker.terminate()
    return [await everywhere(), there]
  }
} else {
  everywhere().then(
    result => scope.postMessage(result),
    error => scope.postMessage({ error: String(error) }),
  )
}
