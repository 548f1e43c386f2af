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

/** Bytes that a CPU or WASM device holds, and how many times a plan was replayed by one native call. */
export function cpuStats(device: Device): { readonly bytes: number; readonly replays: number } | undefined {
  return engines.get(device)?.stats()
}
