/** Bytes over HTTP range requests: reads a header or a tensor without downloading the file. */
import { WeightsError } from './errors.js'
import { retried, waitOf } from './retry.js'
import { type ByteSource, checkRange } from './source.js'

export interface HttpSourceOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Attempts for one range; default 3. */
  readonly attempts?: number
  readonly fetch?: typeof fetch
}

/**
 * Opens a URL as a byte source.
 *
 * @throws WeightsError `network` when the server fails, `missing` when it has no such file, `unsupported` when it does not honour ranges, `checksum` when the
 *   file changes between two reads
 * @example const source = await httpSource('https://example.com/model.gguf')
 */
export async function httpSource(url: string, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const { headers = {}, signal, attempts = 3, fetch: get = globalThis.fetch } = options
  const name = url.replace(/[?#].*$/, '')
  let etag: string | null = null
  let size: number | undefined

  async function range(offset: number, length: number): Promise<Uint8Array> {
    const response = await get(url, {
      headers: { ...headers, Range: `bytes=${offset}-${offset + length - 1}` },
      ...(signal ? { signal } : {}),
    })
    const refused = refusal(response, offset, length)
    if (refused) {
      await response.body?.cancel()
      throw refused
    }
    return new Uint8Array(await response.arrayBuffer())
  }

  /** Why an answer does not hold the bytes asked for, or bytes of another file than the ones before. */
  function refusal(response: Response, offset: number, length: number): WeightsError | undefined {
    const detail = { file: name, got: response.status, ...waitOf(response) }
    if (response.ok && response.status !== 206)
      return new WeightsError(
        'unsupported',
        `${name}: the server ignored the byte range (status ${response.status}). Download the file instead`,
        detail,
      )
    if (!response.ok)
      return new WeightsError(
        response.status === 404 ? 'missing' : 'network',
        `${name}: got status ${response.status} ${response.statusText}, expected 206`,
        detail,
      )
    const header = response.headers.get('content-range')
    const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '')?.map(Number) ?? []
    // Of another origin, a page sees this header only where the server allows it.
    const exposed = header === null ? '. Let the server send Access-Control-Expose-Headers: Content-Range, ETag' : ''
    if (from !== offset || to !== offset + length - 1)
      return new WeightsError(
        'network',
        `${name}: got range "${header}", expected ${length} bytes from ${offset}${exposed}`,
        {
          file: name,
        },
      )
    const tag = response.headers.get('etag')
    if ((etag !== null && tag !== null && tag !== etag) || (size !== undefined && total !== size))
      return new WeightsError('checksum', `${name}: the file changed while it was read. Open it again`, { file: name })
    etag ??= tag
    size = total
    return undefined
  }

  const fetched = (offset: number, length: number): Promise<Uint8Array> =>
    retried({ attempts, ...(signal && { signal }) }, async () => {
      try {
        return await range(offset, length)
      } catch (error) {
        if (signal?.aborted) throw new WeightsError('aborted', `${name}: aborted`, { file: name, cause: error })
        if (error instanceof WeightsError) throw error
        throw new WeightsError('network', `${name}: ${String(error)}`, { file: name, cause: error })
      }
    })

  await fetched(0, 1)
  const source: ByteSource = {
    name,
    size: size!,
    async read(offset, length) {
      checkRange(source, offset, length)
      if (length === 0) return new Uint8Array(0)
      const bytes = await fetched(offset, length)
      if (bytes.length !== length) {
        throw new WeightsError('network', `${name}: got ${bytes.length} bytes, expected ${length}`, { file: name })
      }
      return bytes
    },
  }
  return source
}
