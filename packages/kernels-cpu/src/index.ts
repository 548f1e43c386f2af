/** The CPU device: the native addon where there is one, WebAssembly everywhere else. */
import { createDevice, type Device } from '@cria/tensor'
import { engineBackend } from './backend.js'
import type { Engine } from './engine.js'
import { type NativeOptions, nativeEngine } from './native.js'

export type { NativeOptions } from './native.js'

const counters = new WeakMap<Device, Engine>()

/**
 * A device on the native addon.
 *
 * @throws Unavailable when there is no addon for this machine, with the reason and what to do.
 * @example
 * const device = await native({ threads: 2 })
 */
export async function native(options: NativeOptions = {}): Promise<Device> {
  const engine = await nativeEngine(options)
  return deviceOn(engine, `native ${engine.isa}, ${engine.threads} thread${engine.threads > 1 ? 's' : ''}`)
}

function deviceOn(engine: Engine, description: string): Device {
  const device = createDevice(engineBackend(engine, description))
  counters.set(device, engine)
  return device
}

/** Bytes that a CPU device holds, and how many times a plan was replayed by one native call. For tests and tools. */
export function cpuStats(device: Device): { readonly bytes: number; readonly replays: number } | undefined {
  return counters.get(device)?.stats()
}

export type CpuOptions = NativeOptions

export const cpu = (options: CpuOptions = {}): Promise<Device> => native(options)
