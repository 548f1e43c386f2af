/** Memory of a WebAssembly module: blocks by address, first fit, neighbours merged when they are freed. */

import { DeviceError } from '@cria/tensor'

const line = 64
const page = 65536
/** 4 GiB, what an address of 32 bits reaches. */
const mostPages = 65536

export class Allocator {
  /** Free ranges by address, in order. */
  private free: { at: number; bytes: number }[] = []
  private readonly taken = new Map<number, number>()
  private end: number
  /** Bytes of live blocks. */
  live = 0

  constructor(
    private readonly memory: WebAssembly.Memory,
    start: number,
  ) {
    this.end = Math.ceil(start / line) * line
  }

  /** Zeroed memory at a cache line. */
  alloc(bytes: number): number {
    const size = Math.ceil(bytes / line) * line + line // vectors may read one line past the end
    const found = this.free.findIndex(f => f.bytes >= size)
    let at: number
    if (found >= 0) {
      const range = this.free[found]!
      at = range.at
      if (range.bytes === size) this.free.splice(found, 1)
      else this.free[found] = { at: at + size, bytes: range.bytes - size }
    } else {
      at = this.end
      this.grow(at + size)
      this.end = at + size
    }
    new Uint8Array(this.memory.buffer, at, size).fill(0)
    this.taken.set(at, size)
    this.live += size
    return at
  }

  private grow(needed: number): void {
    const missing = Math.ceil((needed - this.memory.buffer.byteLength) / page)
    if (missing <= 0) return
    const left = mostPages - this.memory.buffer.byteLength / page
    if (missing <= left) {
      // A quarter more, so that loading a model does not grow for every tensor; exactly what is needed near the limit.
      const generous = Math.min(missing + Math.ceil(this.memory.buffer.byteLength / page / 4), left)
      for (const pages of [generous, missing]) {
        try {
          this.memory.grow(pages)
          return
        } catch {
          // The next try is smaller; the last one's failure is reported below.
        }
      }
    }
    throw new DeviceError(
      `wasm: got no memory for ${needed} bytes (WebAssembly has 4 GiB at most). Free tensors, or use a smaller model or cache`,
    )
  }

  release(at: number): void {
    const bytes = this.taken.get(at)
    if (bytes === undefined) return
    this.taken.delete(at)
    this.live -= bytes
    let low = 0
    let high = this.free.length
    while (low < high) {
      const mid = (low + high) >> 1
      if (this.free[mid]!.at < at) low = mid + 1
      else high = mid
    }
    this.free.splice(low, 0, { at, bytes })
    for (const i of [low, low - 1]) {
      const a = this.free[i]
      const b = this.free[i + 1]
      if (a !== undefined && b !== undefined && a.at + a.bytes === b.at)
        this.free.splice(i, 2, { at: a.at, bytes: a.bytes + b.bytes })
    }
    const last = this.free.at(-1)
    if (last !== undefined && last.at + last.bytes === this.end) {
      this.end = last.at
      this.free.pop()
    }
  }
}
