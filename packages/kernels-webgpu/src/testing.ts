/** For tests: points the Vulkan loader at the software adapter that Debian's chromium brings, unless something is set. */
import { existsSync } from 'node:fs'
import { type BlockDType, byteLength, encode, isBlock, type Shape, spec } from '@cria/tensor'

const icd = '/usr/lib/chromium/vk_swiftshader_icd.json'

export function useSoftwareAdapter(): void {
  if (process.env.VK_ICD_FILENAMES === undefined && existsSync(icd)) process.env.VK_ICD_FILENAMES = icd
}

/** True where tests have no adapter to expect: neither a software one nor a driver of the system. CI has one. */
export function gpuMissing(): boolean {
  if (process.env.CI || process.env.VK_ICD_FILENAMES !== undefined || existsSync(icd)) return false
  return process.platform === 'linux' && !existsSync('/usr/share/vulkan/icd.d') && !existsSync('/etc/vulkan/icd.d')
}

/** Bytes of a matrix that every decoder takes: small scales, any codes. */
export function weightBytes(dtype: 'f32' | 'f16' | 'bf16' | BlockDType, shape: Shape): Uint8Array {
  const s = spec(dtype, shape)
  if (!isBlock(dtype))
    return encode(
      s,
      Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => Math.sin(i)),
      'test',
    ).slice()
  const bytes = Uint8Array.from({ length: byteLength(s) }, (_, i) => (i * 37) % 251)
  const size = dtype === 'q8_0' ? 34 : dtype === 'q4_0' ? 18 : 144
  for (let at = 0; at < bytes.length; at += size) {
    bytes[at] = 0
    bytes[at + 1] = 0x20
    if (dtype === 'q4_k') bytes.set([0, 0x20], at + 2)
  }
  return bytes
}
