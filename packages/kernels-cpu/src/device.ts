/** Devices over engines, and what tests may ask of them. */
import { createDevice, type Device } from '@cria/tensor'
import { engineBackend } from './backend.js'
import type { Engine } from './engine.js'

const engines = new WeakMap<Device, Engine>()

export function deviceOn(engine: Engine, note = ''): Device {
  const { name, isa, threads } = engine
  const what = name === 'cpu' ? 'native' : 'WebAssembly'
  const device = createDevice(
    engineBackend(engine, `${what} ${isa}, ${threads} thread${threads > 1 ? 's' : ''}${note}`),
  )
  engines.set(device, engine)
  return device
}

export interface CpuStats {
  /** Bytes that the device holds. */
  readonly bytes: number
  /** How many times a plan was replayed by one native call. */
  readonly replays: number
  /** Threads that compute. */
  readonly threads: number
}

/** What a CPU or WASM device says of itself; undefined for other devices. */
export function cpuStats(device: Device): CpuStats | undefined {
  const engine = engines.get(device)
  return engine && { ...engine.stats(), threads: engine.threads }
}
