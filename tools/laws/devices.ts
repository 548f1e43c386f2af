/** The devices that the laws must hold on, and the files they are tried with. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { native } from '@cria/kernels-cpu'
import { wasm } from '@cria/kernels-cpu/wasm'
import { webgpu } from '@cria/kernels-webgpu'
import { type Device, Unavailable } from '@cria/tensor'
import { reference } from '@cria/tensor/reference'

export interface Named {
  readonly name: string
  readonly open: () => Promise<Device>
}

/** Backends that a model of a hundred million parameters runs on in reasonable time. */
export const fast: readonly Named[] = [...(await nativeDevices()), { name: 'wasm', open: () => wasm({ threads: 2 }) }]

/** Backends whose results are exact enough to hold the golden text. */
export const exact: readonly Named[] = [
  { name: 'reference', open: async () => reference() },
  ...fast,
  { name: 'wasm, 1 thread', open: () => wasm({ threads: 1 }) },
]

/** WebGPU on whatever adapter there is, SwiftShader at the least; undefined where there is none at all. */
export const gpu: Named | undefined = await gpuDevice()

async function gpuDevice(): Promise<Named | undefined> {
  try {
    ;(await webgpu()).dispose()
  } catch (error) {
    if (!(error instanceof Unavailable) || process.env.CI) throw error
    return undefined
  }
  return { name: 'webgpu', open: () => webgpu() }
}

/** Without a compiler there is no addon, and that is legal; CI requires it. */
async function nativeDevices(): Promise<Named[]> {
  try {
    ;(await native({ threads: 1 })).dispose()
  } catch (error) {
    if (!(error instanceof Unavailable) || process.env.CRIA_REQUIRE_NATIVE) throw error
    return []
  }
  return [1, 2].map(threads => ({
    name: `native, ${threads} thread${threads > 1 ? 's' : ''}`,
    open: () => native({ threads }),
  }))
}

/** Model files that lie in a folder `shared` beside the checkout, or where CRIA_SHARED says. */
const folder = process.env.CRIA_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))
export const shared = (...path: string[]): string => join(folder, ...path)
export const hasShared: boolean = existsSync(folder)
