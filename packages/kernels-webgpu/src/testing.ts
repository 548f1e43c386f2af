/** For tests: points the Vulkan loader at the software adapter that Debian's chromium brings, unless something is set. */
import { existsSync } from 'node:fs'

const icd = '/usr/lib/chromium/vk_swiftshader_icd.json'

export function useSoftwareAdapter(): void {
  if (process.env.VK_ICD_FILENAMES === undefined && existsSync(icd)) process.env.VK_ICD_FILENAMES = icd
}

/** True where tests have no adapter to expect: neither a software one nor a driver of the system. CI has one. */
export function gpuMissing(): boolean {
  if (process.env.CI || process.env.VK_ICD_FILENAMES !== undefined || existsSync(icd)) return false
  return process.platform === 'linux' && !existsSync('/usr/share/vulkan/icd.d') && !existsSync('/etc/vulkan/icd.d')
}

/** The browser for the tests in a page, or undefined. */
export function browserPath(): string | undefined {
  return [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(p => p && existsSync(p))
}
