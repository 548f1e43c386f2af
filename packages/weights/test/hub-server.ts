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
  /** Answer the next requests with these, one each; 0 is a good answer. */
  statuses?: number[]
  /** Seconds that refusals ask to wait. */
  retryAfter?: string
  /** List files without size and hashes. */
  nothingKnown?: boolean
  /** Send no content-length. */
  chunked?: boolean
  /** Tag of the content; default `"tag"`. */
  etag?: string
  /** Answer ranges with one that begins this many bytes later. */
  shift?: number
  /** Send files from this server instead. */
  redirect?: string
}

export interface HubServer {
  readonly endpoint: string
  readonly faults: Faults
  /** `METHOD path range`, and whether with a token, of every request. */
  readonly log: string[]
  /** Where a file is sent from. */
  url(file: string): string
  close(): Promise<void>
}

export const commit: string = 'c'.repeat(40)

const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript' }

/** Serves one repository `owner/repo`. `token`: what clients must show. */
export async function hubServer(files: Record<string, Uint8Array>, token?: string): Promise<HubServer> {
  const faults: Faults = {}
  const log: string[] = []
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '')
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const shown = request.headers.authorization ? ' with token' : ''
    log.push(`${request.method} ${url}${range ? ` ${range[0]}` : ''}${shown}`)
    const status = faults.statuses?.shift() || faults.status
    const wait = faults.retryAfter === undefined ? {} : { 'retry-after': faults.retryAfter }
    if (status) return void response.writeHead(status, wait).end()
    if (token && request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end()
    if (url.startsWith('/api/models/owner/repo/revision/')) {
      const siblings = Object.entries(files).map(([rfilename, bytes]) => {
        const large = bytes.length > 100
        const blobId = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
        const lfs = { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }
        if (faults.nothingKnown) return { rfilename }
        return { rfilename, size: bytes.length, blobId, ...(large ? { lfs } : {}) }
      })
      return void response.end(JSON.stringify({ sha: commit, siblings }))
    }
    if (faults.redirect) return void response.writeHead(302, { location: faults.redirect + request.url }).end()
    const name = url.replace(`/owner/repo/resolve/${commit}/`, '')
    const whole = Object.hasOwn(files, name) ? files[name] : undefined
    if (!whole) return void response.writeHead(404).end()
    const bytes = faults.corrupt ? whole.map(b => b ^ 1) : whole
    const etag = faults.etag ?? '"tag"'
    const promised = request.headers['if-range']
    const partial = range && !faults.ignoreRange && (promised === undefined || promised === etag)
    const from = partial ? Number(range[1]) + (faults.shift ?? 0) : 0
    const to = partial && range[2] ? Number(range[2]) + 1 + (faults.shift ?? 0) : bytes.length
    if (from >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
    response.writeHead(partial ? 206 : 200, {
      ...(faults.chunked ? {} : { 'content-length': to - from }),
      etag,
      'content-type': types[name.split('.').at(-1)!] ?? 'application/octet-stream',
      ...(partial ? { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` } : {}),
    })
    const cut = bytes.length > 100 ? faults.cutAfter?.shift() : undefined
    if (cut === undefined) return void response.end(bytes.subarray(from, to))
    response.write(bytes.subarray(from, from + cut), () => setTimeout(() => response.destroy(), 20))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoint,
    url: file => `${endpoint}/owner/repo/resolve/${commit}/${file}`,
    faults,
    log,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
