// Scratch memory that holds a text as UTF-8 while it is encoded. Reused for short texts; a long text gets its own.

import { writeUtf8 } from './utf8.js'

/** Bytes that may be read past the end of the text. */
const PAD = 16
const KEEP: number = 1 << 20

/** One reusable UTF-8 buffer with a view over it. */
export class TextBuffer {
  bytes: Uint8Array = new Uint8Array(4096)
  view: DataView = new DataView(this.bytes.buffer)

  /** Writes `text`; returns the position after it. */
  load(text: string): number {
    const need = text.length * 3 + PAD
    if (need > this.bytes.length || (this.bytes.length > KEEP && need < KEEP)) {
      this.#hold(Math.max(need, Math.min(2 * need, KEEP)))
    }
    return writeUtf8(text, this.bytes)
  }

  /** Lets a very long text's memory go. */
  trim(): void {
    if (this.bytes.length > KEEP) this.#hold(4096)
  }

  #hold(size: number): void {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
  }
}
