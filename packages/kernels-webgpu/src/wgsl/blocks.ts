/**
 * Decoding of ggml's block formats in WGSL, one element at a time, from their canonical bytes. q8_0 and q4_0 have a
 * layout of their own (see template.ts); the codebook formats (iq1, iq2, iq3) have no decoder here.
 */
import { type BlockDType, blockFormats } from '@cria/tensor'

/** The nibble of element j: 16 bytes from `at`, low nibbles first. */
const nibble = (at: string): string => `((byte(${at} + (j & 15u)) >> ((j & 16u) >> 2u)) & 15u)`
/** Two bits of element j in runs of 32 bytes. */
const pair = (at: string): string => `((byte(${at} + (j >> 7u) * 32u + (j & 31u)) >> (((j >> 5u) & 3u) << 1u)) & 3u)`
/** The levels of iq4_nl and iq4_xs, and of e2m1 doubled. */
const levels = 'array<f32, 16>(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)'
const e2m1 = 'array<f32, 16>(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)'

/** The eight six-bit scales and minima of q4_k and q5_k. */
const k4 = `
  let g = j >> 5u;
  var scale = byte(at + 4u + g) & 63u;
  var low = byte(at + 8u + g) & 63u;
  if (g >= 4u) {
    scale = (byte(at + 8u + g) & 15u) | ((byte(at + g) >> 6u) << 4u);
    low = (byte(at + 8u + g) >> 4u) | ((byte(at + 4u + g) >> 6u) << 4u);
  }
  let d = half(at) * f32(scale);
  let least = half(at + 2u) * f32(low);`

/** Bodies of `fn load(i)`: element j of the block that begins at byte `at`. */
const bodies: Partial<Record<BlockDType, string>> = {
  q4_1: `return half(at) * f32(${nibble('at + 4u')}) + half(at + 2u);`,
  q5_0: `let fifth = (byte(at + 2u + (j >> 3u)) >> (j & 7u)) & 1u; return half(at) * (f32(${nibble('at + 6u')} | (fifth << 4u)) - 16.0);`,
  q5_1: `let fifth = (byte(at + 4u + (j >> 3u)) >> (j & 7u)) & 1u; return half(at) * f32(${nibble('at + 8u')} | (fifth << 4u)) + half(at + 2u);`,
  q8_1: 'return half(at) * whole(byte(at + 4u + j));',
  q2_k: `let s = byte(at + (j >> 4u)); return half(at + 80u) * f32(s & 15u) * f32(${pair('at + 16u')}) - half(at + 82u) * f32(s >> 4u);`,
  q3_k: `
  let g = j >> 4u;
  var low = byte(at + 96u + (g & 7u));
  low = select(low >> 4u, low & 15u, g < 8u);
  let high = (byte(at + 104u + (g & 3u)) >> ((g >> 2u) << 1u)) & 3u;
  let third = (byte(at + (j & 31u)) >> (j >> 5u)) & 1u;
  return half(at + 108u) * (f32(low | (high << 4u)) - 32.0) * (f32(${pair('at + 32u')}) - select(4.0, 0.0, third == 1u));`,
  q4_k: `${k4}
  return d * f32((byte(at + 16u + (g >> 1u) * 32u + (j & 31u)) >> ((g & 1u) << 2u)) & 15u) - least;`,
  q5_k: `${k4}
  let q = (byte(at + 48u + (g >> 1u) * 32u + (j & 31u)) >> ((g & 1u) << 2u)) & 15u;
  return d * f32(q | (((byte(at + 16u + (j & 31u)) >> g) & 1u) << 4u)) - least;`,
  q6_k: `
  let low = (byte(at + (j >> 7u) * 64u + (j & 63u)) >> (((j >> 6u) & 1u) << 2u)) & 15u;
  let high = ${pair('at + 128u')};
  return half(at + 208u) * whole(byte(at + 192u + (j >> 4u))) * (f32(low | (high << 4u)) - 32.0);`,
  q8_k: 'return bitcast<f32>(word(at >> 2u)) * whole(byte(at + 4u + j));',
  iq4_nl: `var t = ${levels}; return half(at) * t[${nibble('at + 2u')}];`,
  iq4_xs: `
  var t = ${levels};
  let g = j >> 5u;
  let low = (byte(at + 4u + (g >> 1u)) >> ((g & 1u) << 2u)) & 15u;
  let high = (byte(at + 2u + (g >> 2u)) >> ((g & 3u) << 1u)) & 3u;
  return half(at) * (f32(low | (high << 4u)) - 32.0) * t[${nibble('at + 8u + g * 16u')}];`,
  mxfp4: `var t = ${e2m1}; return ldexp(t[${nibble('at + 1u')}], i32(byte(at)) - 128);`,
  nvfp4: `
  var t = ${e2m1};
  let g = j >> 4u;
  let s = byte(at + g);
  let e = (s >> 3u) & 15u;
  var d = select(ldexp(1.0 + f32(s & 7u) * 0.125, i32(e) - 8), f32(s & 7u) * 0.0009765625, e == 0u);
  if (s == 127u) { d = 0.0; }
  return d * t[(byte(at + 4u + g * 8u + (j & 7u)) >> ((j & 8u) >> 1u)) & 15u];`,
  tq1_0: `
  var powers = array<u32, 5>(1, 3, 9, 27, 81);
  var from_ = j & 31u;
  var digit = j >> 5u;
  if (j >= 240u) { from_ = 48u + ((j - 240u) & 3u); digit = (j - 240u) >> 2u; }
  else if (j >= 160u) { from_ = 32u + ((j - 160u) & 15u); digit = (j - 160u) >> 4u; }
  return half(at + 52u) * (f32((((byte(at + from_) * powers[digit]) & 255u) * 3u) >> 8u) - 1.0);`,
  tq2_0: `return half(at + 64u) * (f32(${pair('at')}) - 1.0);`,
  q1_0: 'let d = half(at); return select(-d, d, ((byte(at + 2u + (j >> 3u)) >> (j & 7u)) & 1u) == 1u);',
  q2_0: 'return half(at) * (f32((byte(at + 2u + (j >> 2u)) >> ((j & 3u) << 1u)) & 3u) - 1.0);',
}

/** Four nibbles of a word, one from each byte. */
const nibbles = (word: string, shift: string): string =>
  `vec4<f32>((vec4(${word} >> (${shift})) >> vec4(0u, 8u, 16u, 24u)) & vec4(15u))`

/** The same for elements j … j + 3, j a multiple of 4, in formats whose blocks are whole words: one load, one scale. */
const fours: Partial<Record<BlockDType, string>> = {
  q4_1: `let pair = word(at >> 2u); return from_half(pair & 0xffffu) * ${nibbles('word((at >> 2u) + 1u + ((j & 15u) >> 2u))', '(j & 16u) >> 2u')} + from_half(pair >> 16u);`,
  q4_k: `${k4}
  return d * ${nibbles('word((at >> 2u) + 4u + (g >> 1u) * 8u + ((j & 31u) >> 2u))', '(g & 1u) << 2u')} - least;`,
}

/** Whether a format decodes from its canonical bytes. */
export const decodesRaw = (dtype: string): dtype is BlockDType => dtype in bodies

/** `fn load_NAME(i) -> f32` over canonical bytes; needs `from_half`. */
export function rawBlockLoader(name: string, dtype: BlockDType): string {
  const { block, bytes } = blockFormats[dtype]
  return `fn word_${name}(w: u32) -> u32 { return ${name}[w]; }
fn byte_${name}(at: u32) -> u32 { return (${name}[at >> 2u] >> ((at & 3u) << 3u)) & 255u; }
fn half_${name}(at: u32) -> f32 { return from_half(byte_${name}(at) | (byte_${name}(at + 1u) << 8u)); }
fn whole_${name}(b: u32) -> f32 { return f32(extractBits(bitcast<i32>(b), 0u, 8u)); }
fn load_${name}(i: u32) -> f32 { let j = i % ${block}u; let at = (i / ${block}u) * ${bytes}u; ${named(bodies[dtype]!, name)} }
`
}

/** The body of `load4_NAME` beside it, where the format has one. */
export function rawBlockFour(name: string, dtype: BlockDType): string | undefined {
  const { block, bytes } = blockFormats[dtype]
  const body = fours[dtype]
  return body && `let j = i % ${block}u; let at = (i / ${block}u) * ${bytes}u; ${named(body, name)}`
}

const named = (body: string, name: string): string => body.replace(/\b(byte|half|word|whole)\(/g, `$1_${name}(`)
