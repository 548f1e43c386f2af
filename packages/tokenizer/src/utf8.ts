// UTF-8 in typed arrays: writing strings, reading code points, and turning token bytes back into text without ever
// cutting a character. Not a general codec: readers here trust bytes that TextEncoder made.

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder()
// ignoreBOM: a token may be U+FEFF, and a decoder that swallows it would not round-trip.
const lossy: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true })

/** UTF-8 bytes of `text`; lone surrogates become U+FFFD, as in every reference implementation. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Writes `text` into `out`; the caller leaves room for three bytes per UTF-16 unit. Returns the bytes written. */
export function writeUtf8(text: string, out: Uint8Array): number {
  return encoder.encodeInto(text, out).written
}

/** The code point at byte `i` of valid UTF-8. */
export function codePointAt(b: Uint8Array, i: number): number {
  const c = b[i]!
  if (c < 0x80) return c
  if (c < 0xe0) return ((c & 31) << 6) | (b[i + 1]! & 63)
  if (c < 0xf0) return ((c & 15) << 12) | ((b[i + 1]! & 63) << 6) | (b[i + 2]! & 63)
  return ((c & 7) << 18) | ((b[i + 1]! & 63) << 12) | ((b[i + 2]! & 63) << 6) | (b[i + 3]! & 63)
}

/** Bytes in the character whose first byte is `lead`, in valid UTF-8. */
export function sizeOf(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** Length of the well-formed character at `i`, 0 when it is malformed, -1 when the bytes end before it can be told. */
export function validSize(b: Uint8Array, i: number, end: number): number {
  const c = b[i]!
  if (c < 0x80) return 1
  if (c < 0xc2 || c > 0xf4) return 0
  const size = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4
  if (i + 1 >= end) return -1
  const c1 = b[i + 1]!
  const low = c === 0xe0 ? 0xa0 : c === 0xf0 ? 0x90 : 0x80
  const high = c === 0xed ? 0x9f : c === 0xf4 ? 0x8f : 0xbf
  if (c1 < low || c1 > high) return 0
  for (let k = 2; k < size; k++) {
    if (i + k >= end) return -1
    if ((b[i + k]! & 0xc0) !== 0x80) return 0
  }
  return size
}

/** How many bytes at the end of `b[0, end)` begin a character that is not complete yet, or look so (0 to 3). */
export function incompleteTail(b: Uint8Array, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const c = b[end - back]!
    if (c >= 0xc0) return sizeOf(c) > back ? back : 0
    if (c < 0x80) return 0
  }
  return 0
}

/** Reads bytes as text. */
export type ReadText = (b: Uint8Array, start: number, end: number) => string

/** Text of `b[start, end)`, each maximal broken sequence as one U+FFFD (the rule of Rust, Python and browsers). */
export const textOf: ReadText = (b, start, end) => lossy.decode(b.subarray(start, end))

/** Text of `b[start, end)`, each malformed byte as one U+FFFD (SentencePiece's rule). */
export const textPerByte: ReadText = (b, start, end) => {
  let out = ''
  let from = start
  for (let i = start; i < end; ) {
    const size = validSize(b, i, end)
    if (size > 0) {
      i += size
      continue
    }
    out += `${textOf(b, from, i)}\ufffd`
    i += 1
    from = i
  }
  return out + textOf(b, from, end)
}
