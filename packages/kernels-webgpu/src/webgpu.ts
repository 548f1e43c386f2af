/** Finding an adapter and making a device, in a browser or in Node, or saying exactly why not. */
/// <reference types="@webgpu/types" />
import { createDevice, type Device, Unavailable } from '@cria/tensor'
import { WebGpuBackend } from './backend.js'
import type { Counters } from './gpu.js'

export interface WebGpuOptions {
  /** The WebGPU entry point, a `GPU`. Default: `navigator.gpu`, else the npm package `webgpu` (Dawn) in Node. */
  readonly gpu?: object
  /** Default: the browser's choice. */
  readonly powerPreference?: 'low-power' | 'high-performance'
  /** Bytes of the largest storage binding to use; larger weights are cut into shards. Default: what the adapter allows. */
  readonly bindingLimit?: number
}

/** What an adapter takes outside a browser, by system. Dawn finds no adapter, without a word, where a library is missing. */
const adapterFix = (): string => {
  if (process.platform !== 'linux')
    return `Install the graphics driver of the GPU (${process.platform === 'win32' ? 'D3D12' : 'Metal'}), or use the cpu backend`
  return (
    "Install the Vulkan loader and the GPU's driver: apt-get install libvulkan1 mesa-vulkan-drivers for AMD and Intel, libvulkan1 and NVIDIA's own driver for NVIDIA (VK_DRIVER_FILES names its nvidia_icd.json where the loader does not look). " +
    'Without a GPU: apt-get install libvulkan1 chromium, and set VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json, a software adapter. Or use the cpu backend'
  )
}

/**
 * A device on WebGPU.
 *
 * @example
 * const device = await webgpu()
 * await add(device.tensor([1, 2]), 1).data() // [2, 3]
 * device.dispose()
 * @throws Unavailable with `reason` and `fix` where there is no WebGPU or no adapter.
 */
export async function webgpu({ gpu, powerPreference, bindingLimit }: WebGpuOptions = {}): Promise<Device> {
  const entry = (gpu as GPU | undefined) ?? (await find())
  const adapter = await entry.requestAdapter(powerPreference === undefined ? {} : { powerPreference })
  if (adapter === null) {
    throw new Unavailable(
      'webgpu',
      'there is no adapter',
      typeof navigator === 'object' && 'gpu' in navigator
        ? 'Turn on hardware acceleration, or use the wasm backend'
        : adapterFix(),
    )
  }
  const { limits } = adapter
  const device = await adapter.requestDevice({
    requiredLimits: {
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
    },
  })
  const { vendor, architecture, description } = adapter.info
  const what = [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed adapter'
  const backend = new WebGpuBackend(device, {
    description: `WebGPU on ${what}`,
    ...(bindingLimit === undefined ? {} : { bindingLimit }),
  })
  return createDevice(backend)
}

/** What a device of this backend did so far: dispatches, submits, bind groups. Undefined for other backends. */
export const countersOf = (device: Device): Counters | undefined =>
  device.backend instanceof WebGpuBackend ? device.backend.counters : undefined

async function find(): Promise<GPU> {
  if (typeof navigator === 'object' && navigator.gpu) return navigator.gpu
  if (typeof process === 'undefined' || !process.versions?.node) {
    throw new Unavailable(
      'webgpu',
      'this browser has no navigator.gpu',
      'Use Chrome or Edge 113, Safari 26, Firefox 141 or newer, over https or localhost; or use the wasm backend',
    )
  }
  return dawn()
}

/** One instance for the process: Dawn keeps Node alive while an instance is referenced. */
let instance: GPU | undefined

async function dawn(): Promise<GPU> {
  if (instance !== undefined) return instance
  // A name that bundlers do not follow: browsers never need this package.
  const name = 'webgpu'
  let bindings: typeof import('webgpu')
  try {
    bindings = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof bindings
  } catch (cause) {
    throw new Unavailable(
      'webgpu',
      'the npm package webgpu does not load',
      'Run npm install webgpu, or use the cpu backend',
      {
        cause,
      },
    )
  }
  Object.assign(globalThis, bindings.globals)
  instance = bindings.create([])
  return instance
}
