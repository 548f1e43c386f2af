/** Bytes over HTTP range requests: reads a header or a tensor without downloading the file. */
import { WeightsError } from './errors.js'
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
 * @throws WeightsError `network` when the server fails or does not honour ranges
 * @example const source = await httpSource('https://example.com/model.gguf')
 */
export async function httpSource(url: string, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const { headers = {}, signal, attempts = 3, fetch: get = globalThis.fetch } = options
  const name = url.replace(/[?#].*$/, '')
  let etag: string | null = null

  async function range(offset: number, length: number): Promise<{ bytes: Uint8Array; total: number }> {
    const response = await get(url, {
      headers: { ...headers, Range: `bytes=${offset}-${offset + length - 1}` },
      ...(signal ? { signal } : {}),
    })
    if (response.status !== 206) {
      await response.body?.cancel()
      throw new WeightsError(
        'network',
        response.ok
          ? `${name}: the server ignored the byte range (status ${response.status}). Download the file instead`
          : `${name}: got status ${response.status} ${response.statusText}, expected 206`,
        { file: name, got: response.status },
      )
    }
    const total = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get('content-range') ?? '')
    if (!total || Number(total[1]) !== offset) {
      await response.body?.cancel()
      throw new WeightsError('network', `${name}: got content-range "${response.headers.get('content-range')}"`, {
        file: name,
      })
    }
    const tag = response.headers.get('etag')
    if (etag !== null && tag !== null && tag !== etag) {
      await response.body?.cancel()
      throw new WeightsError('network', `${name}: the file changed while it was read. Open it again`, { file: name })
    }
    etag ??= tag
    return { bytes: new Uint8Array(await response.arrayBuffer()), total: Number(total[3]) }
  }

  async function retried(offset: number, length: number): Promise<{ bytes: Uint8Array; total: number }> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await range(offset, length)
      } catch (error) {
        if (signal?.aborted) throw new WeightsError('aborted', `${name}: aborted`, { file: name, cause: error })
        const status = error instanceof WeightsError ? Number(error.got) : 500
        if (attempt >= attempts || status < 500) {
          if (error instanceof WeightsError) throw error
          throw new WeightsError('network', `${name}: ${String(error)}`, { file: name, cause: error })
        }
        await new Promise(resolve => setTimeout(resolve, 100 * 2 ** attempt))
      }
    }
  }

  const size = (await retried(0, 1)).total
  const source: ByteSource = {
    name,
    size,
    async read(offset, length) {
      checkRange(source, offset, length)
      if (length === 0) return new Uint8Array(0)
      const { bytes } = await retried(offset, length)
      if (bytes.length !== length) {
        throw new WeightsError('network', `${name}: got ${bytes.length} bytes, expected ${length}`, { file: name })
      }
      return bytes
    },
  }
  return source
}
