// Seeded texts that are built to hurt: whitespace runs, case, marks, digits, specials, broken UTF-16.

/** A small generator of random numbers in [0, 1), the same everywhere (mulberry32). */
export function random(seed: number): () => number {
  let s = seed >>> 0
  return () => {
    s = (s + 0x6d2b79f5) >>> 0
    let t = Math.imul(s ^ (s >>> 15), 1 | s)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const ATOMS: readonly string[] = [
  ...[
    ' ',
    '  ',
    '   ',
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    '\t',
    ' \n',
    '\n ',
    '\u00a0',
    '\u3000',
    '\u0085',
    '\u200b',
    '\ufeff',
    '\u2028',
  ],
  ...["'s", "'S", "'re", "'VE", "'ll", "'Ll", "'d", "'m", "'\u017f", '’s', "'", "''"],
  ...[
    'a',
    'the',
    'The',
    'THE',
    'Hello',
    'camelCase',
    'XMLHttp',
    'ǅ',
    'é',
    'e\u0301',
    '\u0301',
    'ß',
    'ﬁ',
    'ſ',
    'K',
    'İ',
  ],
  ...[
    'привет',
    'Мир',
    '中文',
    '你好世界',
    '日本語テキスト',
    '한국어',
    'الْعَرَبِيَّة',
    'हिन्दी',
    'ไทย',
    '🦙',
    '👩‍👩‍👧‍👦',
    '🇫🇷',
    '👍🏽',
  ],
  ...[
    '1',
    '12',
    '123',
    '1234',
    '12345',
    '٣',
    '²',
    '½',
    'Ⅷ',
    '0x1F',
    '3.14',
    '1,000',
    '.',
    '..',
    '...',
    '!',
    '?!',
    '—',
    '--',
    '__init__',
  ],
  ...[
    '$',
    '€',
    '+',
    '<s>',
    '</s>',
    '<unk>',
    '<0x0A>',
    '<|eot_id|>',
    '<|im_start|>',
    '[INST]',
    '▁',
    '▁▁',
    'Ġ',
    '/',
    '\\n',
    '();',
    '=>',
  ],
  ...[
    'http://a.b/c?d=e',
    '@',
    '\0',
    '\x7f',
    '\ud800',
    '\udc00',
    '\u{10ffff}',
    '\ufffd',
    '\ue000',
    '𝔸',
    'aaaaaaaaaaaa',
    '======',
    '        ',
  ],
]

/** `count` texts from a seed. */
export function hurtfulTexts(count: number, seed: number): string[] {
  const next = random(seed)
  const codePoint = (): string => {
    const k = next()
    const c = Math.floor(
      k < 0.4 ? 32 + next() * 95 : k < 0.6 ? next() * 0x800 : next() * (k < 0.9 ? 0x10000 : 0x110000),
    )
    return c >= 0xd800 && c < 0xe000 ? 'A' : String.fromCodePoint(c)
  }
  return Array.from({ length: count }, () => {
    const mode = next()
    const length = 1 + Math.floor(next() * next() * 30)
    let text = ''
    for (let i = 0; i < length; i++) {
      text +=
        next() < (mode < 0.6 ? 1 : mode < 0.85 ? 0.5 : 0) ? ATOMS[Math.floor(next() * ATOMS.length)]! : codePoint()
    }
    return text
  })
}
