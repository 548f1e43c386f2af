// Hugging Face's tokenizers 0.23 composes, decomposes and orders by Unicode 9, and drops its accents. What came later is
// inert there, where JavaScript's own normalisation goes by the engine's Unicode.

/** What Unicode 9 does not know and later versions normalise or call marks, in ranges over nothing that it does. */
const LATER =
  /([\u1abf-\u1aeb\u1df6-\u1dfa\u180f\u180f\u07fd\u0897-\u08d3\u09fe\u0afa-\u0aff\u0b55\u0c04-\u0c3c\u0cf3-\u0d00\u0d3b\u0d3c\u0d81\u0eba\u0ece\u1715\u1cf7\u32ff\ua7f1-\ua7f4\ua82c\ua8ff\uab69\u{105c9}-\u{107ba}\u{10d24}-\u{10f85}\u{11070}-\u{11074}\u{110c2}\u{11145}\u{11146}\u{111c9}\u{111ce}\u{111cf}\u{11241}\u{1133b}\u{11382}-\u{113e2}\u{1145e}\u{1182c}-\u{11b67}\u{11d31}-\u{1612f}\u{16d63}-\u{16f4f}\u{16f7f}-\u{16f87}\u{16fe4}-\u{16ff1}\u{1ccd6}-\u{1cf46}\u{1e030}-\u{1e6f5}\u{1f16c}\u{1fbf0}-\u{1fbf9}])/u

/** `text` in one of Unicode's normalisation forms. */
export function normalForm(text: string, form: string): string {
  const normal = text.normalize(form)
  // What is normal stays so without its later characters, so most texts are not searched for any.
  if (normal === text) return text
  return text
    .split(LATER)
    .map((part, i) => (i % 2 === 0 ? part.normalize(form) : part))
    .join('')
}

/** Finds the marks that Unicode 9 knows; two of them became letters later. */
export const marks = (): RegExp => new RegExp(`(?!${LATER.source})[\\p{M}\u1cf2\u1cf3]`, 'gu')
