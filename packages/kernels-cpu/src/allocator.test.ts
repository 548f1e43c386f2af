import { expect, test } from 'vitest'
import { Allocator } from './allocator.js'

test('what does not fit in the 4 GiB of WebAssembly is a typed error, and what does still fits afterwards', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
  const allocator = new Allocator(memory, 64)
  allocator.alloc(1 << 20)
  const before = memory.buffer.byteLength
  for (const bytes of [2 ** 32 - 65536, 2 ** 32, 2 ** 33])
    expect(() => allocator.alloc(bytes)).toThrow(/^wasm: got no memory for \d+ bytes \(WebAssembly has 4 GiB at most\)/)
  expect(memory.buffer.byteLength).toBe(before)
  expect(allocator.alloc(1 << 16)).toBeGreaterThan(0)
})
