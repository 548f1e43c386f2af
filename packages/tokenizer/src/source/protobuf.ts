// Just enough protobuf to read and write a SentencePiece model: fields in order, unknown ones skipped.

import { badFile } from '../errors.js'

/** One field: varints and fixed numbers in `value`, strings, bytes and messages in `bytes`. */
export interface ProtoField {
  readonly number: number
  readonly wire: number
  readonly value: number
  readonly bytes: Uint8Array
}

const none: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

/** Calls `visit` for each field of a message; throws `tokenizer/bad-file` where the bytes are no protobuf. */
export function readMessage(b: Uint8Array, op: string, visit: (field: ProtoField) => void): void {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength)
  let p = 0
  const broken = (): never => {
    throw badFile(op, `bytes that break off at ${p} of ${b.length}`, 'a whole protobuf message')
  }
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (let n = 0; n < 10; n++) {
      if (p >= b.length) broken()
      const c = b[p++]!
      value += (c & 127) * scale
      if (c < 128) return value
      scale *= 128
    }
    return broken()
  }
  while (p < b.length) {
    const key = varint()
    const number = Math.floor(key / 8)
    const wire = key % 8
    let value = 0
    let bytes = none
    if (wire === 0) value = varint()
    else if (wire === 1) {
      if (p + 8 > b.length) broken()
      value = view.getFloat64(p, true)
      p += 8
    } else if (wire === 5) {
      if (p + 4 > b.length) broken()
      value = view.getFloat32(p, true)
      p += 4
    } else if (wire === 2) {
      const length = varint()
      if (length > b.length - p) broken()
      bytes = b.subarray(p, p + length)
      p += length
    } else throw badFile(op, `wire type ${wire} at byte ${p}`, 'a protobuf message (wire types 0, 1, 2, 5)')
    if (number === 0) throw badFile(op, `field number 0 at byte ${p}`, 'a protobuf message')
    visit({ number, wire, value, bytes })
  }
}
