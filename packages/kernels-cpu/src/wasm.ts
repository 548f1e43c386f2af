/** The CPU device on WebAssembly: for browsers, and for machines without the native addon. */
import type { Device } from '@cria/tensor'
import { deviceOn } from './device.js'
import { type WasmOptions, wasmEngine } from './wasm-engine.js'

export { type CpuStats, cpuStats } from './device.js'
export type { WasmOptions } from './wasm-engine.js'

/**
 * A device on WebAssembly SIMD: relaxed SIMD where the engine has it, threads in Node and on pages that are
 * cross-origin isolated, one thread elsewhere.
 *
 * @throws Unavailable when the engine lacks SIMD or the module cannot be read.
 * @example
 * const device = await wasm({ threads: 2 })
 */
export const wasm = async (options: WasmOptions = {}): Promise<Device> => deviceOn(await wasmEngine(options))
