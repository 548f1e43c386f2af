// Scratch memory that holds a text as UTF-8 while it is encoded. Reused for short texts; a long text gets its own.

import { writeUtf8 } from './utf8.js'

/** Bytes that may be read past the end of the text. */
const PAD = 16
const KEEP: number = 1 << 20

/** One reusable UTF-8 buffer with a view over it. */
export class TextBuffer {
  bytes: Uint8Array = new Uint8Array(4096)
  view: DataView = new DataView(this.bytes.buffer)

  /** Writes `text` behind `lead` free bytes; returns the position after it. */
  load(text: string, lead: number): number {
    const need = lead + text.length * 3 + PAD
    if (need > this.bytes.length || (this.bytes.length > KEEP && need < KEEP)) {
      this.bytes = new Uint8Array(need <= KEEP ? Math.max(4096, 2 ** Math.ceil(Math.log2(need))) : need)
      this.view = new DataView(this.bytes.buffer)
    }
    return lead + writeUtf8(text, lead === 0 ? this.bytes : this.bytes.subarray(lead))
  }

  /** Lets a very long text's memory go. */
  trim(): void {
    if (this.bytes.length <= KEEP) return
    this.bytes = new Uint8Array(4096)
    this.view = new DataView(this.bytes.buffer)
  }
}
