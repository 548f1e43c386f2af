/** Which ops of a computation run as kernels, and which by their definition. */
import { createDevice, type Device } from '@cria/tensor'
import { without } from './checks.js'

export interface Coverage {
  /** Ops with a kernel, in order of first use. */
  readonly kernels: readonly string[]
  /** Ops without: their definition ran instead. */
  readonly fallbacks: readonly string[]
}

/**
 * Runs `build` on a device that shares the backend and watches what the core asks of it.
 *
 * @example
 * const { fallbacks } = coverage(device, d => plan(d, inputs, fn).dispose())
 */
export function coverage(device: Device, build: (device: Device) => void): Coverage {
  const kernels = new Set<string>()
  const fallbacks = new Set<string>()
  const { backend } = device
  const watched = createDevice({
    ...without(backend, () => false),
    kernel(call) {
      const kernel = backend.kernel(call)
      ;(kernel === undefined ? fallbacks : kernels).add(call.op)
      return kernel
    },
  })
  try {
    build(watched)
  } finally {
    watched.dispose()
  }
  return { kernels: [...kernels], fallbacks: [...fallbacks] }
}
