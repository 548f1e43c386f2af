// Hugging Face's tokenizers 0.23 composes, decomposes and orders by Unicode 9. What came later is inert there, where
// JavaScript's own normalisation goes by the engine's Unicode.

/** What Unicode 9 does not know and later versions normalise, in ranges over no mark and nothing else that it does. */
export const LATER_NORMAL: RegExp =
  /([\u1abf-\u1aeb\u1df6-\u1dfa\u07fd\u0897-\u08d3\u09fe\u0c3c\u0d3b\u0d3c\u0eba\u1715\u32ff\ua7f1-\ua7f4\ua82c\uab69\u{105c9}-\u{107ba}\u{10d24}-\u{10f85}\u{11070}\u{1133b}\u{11382}-\u{113d0}\u{1145e}\u{11839}-\u{11a99}\u{11d42}-\u{1612f}\u{16d63}-\u{16d6a}\u{16ff0}\u{16ff1}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e6f5}\u{1f16c}\u{1fbf0}-\u{1fbf9}])/u

/** `text` in one of Unicode's normalisation forms. */
export function normalForm(text: string, form: string): string {
  const normal = text.normalize(form)
  // What is normal stays so without its later characters, so most texts are not searched for any.
  if (normal === text) return text
  return text
    .split(LATER_NORMAL)
    .map((part, i) => (i % 2 === 0 ? part.normalize(form) : part))
    .join('')
}
