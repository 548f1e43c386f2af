// Everything that any reader may meet, for the main entry.

import { charsMapOf } from '../normalize/charsmap.js'
import { fullNormalizer } from '../normalize/full.js'
import { splitByRegex } from '../scan/regex.js'
import type { Abilities } from '../source/assemble.js'
import { fullPreTokenizer } from '../source/full-pre-tokenizer.js'
import { byteLevel } from './byte-level.js'
import { characters } from './characters.js'
import { unigram } from './unigram.js'

export const every: Abilities = {
  families: [byteLevel, characters, unigram],
  split: splitByRegex,
  preTokenizer: fullPreTokenizer,
  normalizer: fullNormalizer,
  charsMap: charsMapOf,
}
