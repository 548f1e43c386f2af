/** A hub in miniature: repositories in memory, with ranges, redirects, gates and faults to order. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Faults {
  /** Cut the connection after this many bytes of a file, once each. */
  cutAfter?: number[]
  /** Answer ranges with the whole file. */
  ignoreRange?: boolean
  /** Change the bytes on the way. */
  corrupt?: boolean
  /** Answer with this status. */
  status?: number
}

export interface HubServer {
  readonly endpoint: string
  readonly faults: Faults
  /** `METHOD path range` of every request. */
  readonly log: string[]
  close(): Promise<void>
}

export const commit: string = 'c'.repeat(40)

/** Serves one repository `owner/repo`. `token`: what clients must show. */
export async function hubServer(files: Record<string, Uint8Array>, token?: string): Promise<HubServer> {
  const faults: Faults = {}
  const log: string[] = []
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '')
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    log.push(`${request.method} ${url}${range ? ` ${range[0]}` : ''}`)
    if (faults.status) return void response.writeHead(faults.status).end()
    if (token && request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end()
    if (url.startsWith('/api/models/owner/repo/revision/')) {
      const siblings = Object.entries(files).map(([rfilename, bytes]) => {
        const large = bytes.length > 100
        const blobId = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
        const lfs = { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }
        return { rfilename, size: bytes.length, blobId, ...(large ? { lfs } : {}) }
      })
      return void response.end(JSON.stringify({ sha: commit, siblings }))
    }
    const name = url.replace(`/owner/repo/resolve/${commit}/`, '')
    const whole = Object.hasOwn(files, name) ? files[name] : undefined
    if (!whole) return void response.writeHead(404).end()
    const bytes = faults.corrupt ? whole.map(b => b ^ 1) : whole
    const from = range && !faults.ignoreRange ? Number(range[1]) : 0
    const to = range?.[2] && !faults.ignoreRange ? Number(range[2]) + 1 : bytes.length
    const partial = range && !faults.ignoreRange
    response.writeHead(partial ? 206 : 200, {
      'content-length': to - from,
      etag: '"tag"',
      ...(partial ? { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` } : {}),
    })
    const cut = bytes.length > 100 ? faults.cutAfter?.shift() : undefined
    if (cut === undefined) return void response.end(bytes.subarray(from, to))
    response.write(bytes.subarray(from, from + cut), () => setTimeout(() => response.destroy(), 20))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    log,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
