/** The CPU device: the native addon where there is one, WebAssembly everywhere else. */
import { type Device, Unavailable } from '@cria/tensor'
import { deviceOn } from './device.js'
import { type NativeOptions, nativeEngine } from './native.js'
import { wasmEngine } from './wasm-engine.js'

export { type CpuStats, cpuStats } from './device.js'
export type { CallTime, Profile } from './engine.js'
export type { NativeOptions } from './native.js'

/**
 * A device on the native addon.
 *
 * @throws Unavailable when there is no addon for this machine, with the reason and what to do.
 * @example
 * const device = await native({ threads: 2 })
 */
export const native = async (options: NativeOptions = {}): Promise<Device> => deviceOn(await nativeEngine(options))

export interface CpuOptions {
  /** Threads that compute. Default: the physical cores that this process may use. */
  readonly threads?: number
}

/**
 * A device on the CPU: native where the addon loads, else WebAssembly; its `description` says which, and why not the
 * other.
 *
 * @throws Unavailable with both reasons when neither works.
 * @example
 * const device = await cpu()
 * console.log(device.description) // native avx512, 2 threads
 */
export async function cpu(options: CpuOptions = {}): Promise<Device> {
  let why: Unavailable
  try {
    return await native(options)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    why = error
  }
  try {
    return deviceOn(await wasmEngine(options), ` (${why.reason}. ${why.fix})`)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    throw new Unavailable('cpu', `${why.reason}; ${error.reason}`, `${why.fix}. ${error.fix}`, { cause: error })
  }
}
