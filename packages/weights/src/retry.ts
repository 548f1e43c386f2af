/** Trying again what may work later: broken connections, servers that are busy or ask for patience. */
import { WeightsError } from './errors.js'

/** Longest wait that a server may ask for; beyond it the caller is told at once. */
const patience = 60_000

/** What the server says of when to come back, for an error's detail. */
export function waitOf(response: Response): { retryAfter?: number } {
  const header = response.headers.get('retry-after')
  if (header === null) return {}
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isFinite(seconds) ? { retryAfter: Math.max(0, seconds * 1000) } : {}
}

/** No answer at all, or one that says nothing against asking again. */
export function isPassing(error: unknown): error is WeightsError {
  if (!(error instanceof WeightsError) || error.code !== 'network') return false
  const status = error.got
  return typeof status !== 'number' || status >= 500 || status === 408 || status === 429
}

/** Runs `work` until it succeeds, fails for good, or has had its attempts. */
export async function retried<T>(
  { attempts = 5, signal }: { readonly attempts?: number; readonly signal?: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isPassing(error) || attempt >= attempts) throw error
      const wait = error.retryAfter ?? Math.min(100 * 2 ** attempt, 10_000)
      if (wait > patience) throw error
      await pause(wait, signal)
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(new WeightsError('aborted', 'network: aborted between two attempts'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
