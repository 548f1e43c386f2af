// A growing list of token ids. Plain and public on purpose: the merge loops write into it without a call.

import { withRoom } from './room.js'

/** Where encoders put ids; `ids[0, length)` is the content. */
export class IdSink {
  ids: Uint32Array
  length = 0

  constructor(capacity = 256) {
    this.ids = new Uint32Array(capacity)
  }

  /** Makes room for `more` further ids. */
  reserve(more: number): void {
    const need = this.length + more
    if (need > this.ids.length) this.ids = withRoom(this.ids, need)
  }

  push(id: number): void {
    if (this.length === this.ids.length) this.reserve(1)
    this.ids[this.length++] = id
  }

  /** A copy of the content, exactly as long as needed. */
  take(): Uint32Array {
    return this.ids.slice(0, this.length)
  }
}
