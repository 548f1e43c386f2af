// Normalizers by the Unicode of Hugging Face's tokenizers 0.23, whatever the engine knows. What is expected is what that
// library gives.

import { describe, expect, it } from 'vitest'
import { translate } from '../scan/regex.js'
import { fullNormalizer } from './full.js'
import { readNormalizer } from './normalizer.js'

const step = (type: string): ((text: string) => string) =>
  readNormalizer({ type }, 'test', fullNormalizer(translate)).steps[0]!

describe('normalizers', () => {
  it('take what came after Unicode 9 for inert', () => {
    // A mark of Unicode 16 (class 230) is not put behind a cedilla (202), and lets nothing through to what is before.
    expect(step('NFC')('a\u0897\u0327')).toBe('a\u0897\u0327')
    expect(step('NFD')('é\u0897\u0327')).toBe('e\u0301\u0897\u0327')
    // A pair that Unicode 16 composes.
    for (const form of ['NFC', 'NFKC']) expect(step(form)('\u{105d2}\u0307')).toBe('\u{105d2}\u0307')
    expect(step('NFC')('\u{16d63}\u{16d67}')).toBe('\u{16d63}\u{16d67}')
    expect(step('NFKD')('e\u0301ﬁ\u32ff\u{1ccd6}')).toBe('e\u0301fi\u32ff\u{1ccd6}')
  })

  it('normalise all that Unicode 9 knows', () => {
    expect(step('NFC')('e\u0301\u32ffo\u0302\u{1ccd6}\u1100\u1161\u11a8')).toBe('é\u32ffô\u{1ccd6}각')
    expect(step('NFKC')('ﬁ\u0897①')).toBe('fi\u08971')
    expect(step('NFD')('각\ud800é')).toBe('\u1100\u1161\u11a8\ud800e\u0301')
    expect(step('NFC')('a\u0301\u0327')).toBe('a\u0327\u0301'.normalize('NFC'))
  })

  it('drop the accents of Unicode 9', () => {
    expect(step('StripAccents')('e\u0301\u0897x\u1cf2\u{1d165}')).toBe('e\u0897x')
  })

  it('make letters small one by one', () => {
    expect(step('Lowercase')('ΟΔΟΣ ΑΣ. İI')).toBe('οδοσ ασ. i\u0307i')
  })
})
