/** For tests: points the Vulkan loader at the software adapter that Debian's chromium brings, unless something is set. */
import { existsSync } from 'node:fs'

const icd = '/usr/lib/chromium/vk_swiftshader_icd.json'

export function useSoftwareAdapter(): void {
  if (process.env.VK_ICD_FILENAMES === undefined && existsSync(icd)) process.env.VK_ICD_FILENAMES = icd
}
