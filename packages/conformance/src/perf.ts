/** The cases as a stopwatch: how long each op takes, for before-and-after tables. Not a benchmark of models. */
import type { Device } from '@cria/tensor'
import { type Case, fill } from './case.js'
import { families } from './cases/index.js'

export interface Timing {
  readonly op: string
  readonly title: string
  /** Median of the rounds: microseconds for one call, reading its first result included once a round. */
  readonly microseconds: number
}

export interface PerfOptions {
  /** Which cases. Default: all. */
  readonly filter?: (c: Case) => boolean
  /** Default 5. */
  readonly rounds?: number
  /** Calls between two readings of the clock. Default 20. */
  readonly calls?: number
}

/** Times every case on the device. */
export async function perf(
  device: Device,
  { filter = () => true, rounds = 5, calls = 20 }: PerfOptions = {},
): Promise<Timing[]> {
  const timings: Timing[] = []
  for (const c of Object.values(families).flat().filter(filter)) {
    const bytes = fill(c)
    const inputs = c.inputs.map((input, i) => device.upload(input.spec, bytes[i]!))
    const settle = async (): Promise<void> => {
      const probe = inputs[0]
      if (probe !== undefined) await probe.bytes()
    }
    const once = (): void => {
      // Nothing is returned, so the scope frees every result.
      device.scope(() => void c.run(...inputs))
    }
    once()
    await settle()
    const samples: number[] = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      for (let i = 0; i < calls; i++) once()
      await settle()
      samples.push(((performance.now() - start) * 1000) / calls)
    }
    for (const t of inputs) t.dispose()
    timings.push({ op: c.op, title: c.title, microseconds: samples.sort((a, b) => a - b)[rounds >> 1]! })
  }
  return timings
}
