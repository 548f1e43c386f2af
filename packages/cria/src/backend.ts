/** The one place where a name becomes hardware. */
import type { Device } from '@cria/tensor'
import { InputError, UsageError } from './errors.js'

export const backends = ['auto', 'cpu', 'wasm', 'webgpu', 'reference'] as const
export type BackendName = (typeof backends)[number]

/** `auto` is `cpu`: the native addon, or WebAssembly where that does not load; its description says which and why. */
export async function openDevice(name: BackendName = 'auto', threads?: number): Promise<Device> {
  if (threads !== undefined && (name === 'webgpu' || name === 'reference'))
    throw new UsageError(
      `--threads: got ${threads} with --backend ${name}, expected it with auto, cpu or wasm alone. Leave it out`,
    )
  const options = threads === undefined ? {} : { threads }
  switch (name) {
    case 'auto':
    case 'cpu':
      return (await import('@cria/kernels-cpu')).cpu(options)
    case 'wasm':
      return (await import('@cria/kernels-cpu/wasm')).wasm(options)
    case 'webgpu':
      return (await webgpuPackage()).webgpu()
    case 'reference':
      return (await import('@cria/tensor/reference')).reference()
  }
}

/** Threads that a device computes with; null where that is not a matter of threads. */
export async function threadsOf(device: Device): Promise<number | null> {
  if (device.name === 'reference') return 1
  return (await import('@cria/kernels-cpu')).cpuStats(device)?.threads ?? null
}

async function webgpuPackage(): Promise<typeof import('@cria/kernels-webgpu')> {
  try {
    return await import('@cria/kernels-webgpu')
  } catch (cause) {
    throw new InputError(
      `--backend webgpu: got no @cria/kernels-webgpu, expected it installed. npm install @cria/kernels-webgpu webgpu (${(cause as Error).message})`,
    )
  }
}
