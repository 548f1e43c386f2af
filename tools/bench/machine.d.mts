// Types of machine.mjs.
export function machine(root: string): Promise<{
  date: string
  machine: { cpu: string; cores: number; memoryGiB: number }
  system: { platform: string; arch: string; release: string; node: string }
  cria: { version: string; commit: string }
}>
