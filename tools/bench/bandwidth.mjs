// How fast memory can be read: what bounds decoding. `node tools/bench/bandwidth.mjs [threads]`
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const bytes = 384 * 2 ** 20
const passes = 4

/** Looks for a byte that is not there: the C library's memchr, which reads a vector a cycle and writes nothing. */
const read = part => {
  if (part.indexOf(1) !== -1) throw new Error('bandwidth: found a byte that was not written')
}

/** GB/s that `threads` threads read together, each its own part of a buffer larger than any cache; the best pass. */
export async function readBandwidth(threads = 1) {
  const shared = new SharedArrayBuffer(bytes)
  new Uint8Array(shared).fill(2)
  const workers = Array.from({ length: threads }, (_, i) => {
    const size = Math.floor(bytes / threads)
    return new Worker(fileURLToPath(import.meta.url), { workerData: { shared, offset: i * size, size } })
  })
  const pass = () =>
    Promise.all(
      workers.map(worker => {
        const done = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
        worker.postMessage('read')
        return done
      }),
    )
  await pass()
  let best = 0
  for (let i = 0; i < passes; i++) {
    const begin = performance.now()
    await pass()
    best = Math.max(best, bytes / (performance.now() - begin) / 1e6)
  }
  await Promise.all(workers.map(worker => worker.terminate()))
  return best
}

if (!isMainThread) {
  const { shared, offset, size } = workerData
  const part = Buffer.from(shared, offset, size)
  parentPort.on('message', () => {
    read(part)
    parentPort.postMessage('done')
  })
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${(await readBandwidth(Number(process.argv[2] ?? 1))).toFixed(1)} GB/s\n`)
}
