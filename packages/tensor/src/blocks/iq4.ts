/** Four-bit formats with a non-linear table of 16 levels. */
import { type BlockDecoder, f16, u16 } from './decoder.js'

/** The levels of iq4_nl and iq4_xs. */
export const iq4Levels: readonly number[] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

/** 32 values: f16 d, 16 bytes of nibbles, low nibbles first. */
export const iq4_nl: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 2 + i]!
    out[o + i] = d * iq4Levels[q & 15]!
    out[o + 16 + i] = d * iq4Levels[q >> 4]!
  }
}

/** 8 groups of 32: f16 d, 16 bits of high scale pairs, 4 bytes of low scale nibbles, 128 bytes of nibbles. */
export const iq4_xs: BlockDecoder = (bytes, at, out, o) => {
  const d = f16(bytes, at)
  const high = u16(bytes, at + 2)
  for (let group = 0; group < 8; group++) {
    const low = (bytes[at + 4 + (group >> 1)]! >> ((group & 1) * 4)) & 15
    const scale = d * ((low | (((high >> (group * 2)) & 3) << 4)) - 32)
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 8 + group * 16 + i]!
      out[o + group * 32 + i] = scale * iq4Levels[q & 15]!
      out[o + group * 32 + 16 + i] = scale * iq4Levels[q >> 4]!
    }
  }
}
