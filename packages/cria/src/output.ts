/** What people see: results on stdout, everything else on stderr. */
import colors from 'picocolors'
import Progress from 'progress'
import { UsageError } from './errors.js'

/** One grey line of information. */
export const note = (text: string): void => {
  process.stderr.write(`${colors.dim(text)}\n`)
}

/** Writes and waits where the reader is slow. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, error => (error ? reject(error) : resolve()))
  })
}

export const printJson = (value: unknown): Promise<void> => print(`${JSON.stringify(value)}\n`)

/** Prints an error as one line (its stack with `verbose`) and gives the exit code. */
export function report(error: unknown, verbose: boolean): number {
  const e = error instanceof Error ? error : new Error(String(error))
  if ((e as NodeJS.ErrnoException).code === 'EPIPE') return 0
  if (e.name === 'AbortError') return 130
  const known = Symbol.for('cria.error') in e
  const text = verbose
    ? (e.stack ?? e.message)
    : known
      ? e.message
      : `${e.message} (an error of cria's own: --verbose shows where)`
  process.stderr.write(`${colors.red('error')} ${verbose ? text : text.replaceAll('\n', ' ')}\n`)
  return e instanceof UsageError ? 2 : 1
}

type Bar = (done: number, total: number) => void

/** A progress bar on stderr, where that is a terminal; it disappears when done. */
function bar(format: string, scale: number): Bar {
  let shown: Progress | undefined
  return (done, total) => {
    if (!process.stderr.isTTY || total === 0) return
    shown ??= new Progress(format, { total: total / scale, width: 24, clear: true, stream: process.stderr })
    shown.tick(done / scale - shown.curr)
  }
}

export const byteBar = (title: string): Bar => bar(`${title} [:bar] :percent :rate MB/s`, 1e6)
export const countBar = (title: string): Bar => bar(`${title} [:bar] :current/:total`, 1)

export const bytes = (n: number): string =>
  n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`
