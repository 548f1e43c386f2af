// Everything that any reader may meet, for the main entry.

import { fullNormalizer } from '../normalize/full.js'
import { splitByRegex, translate } from '../scan/regex.js'
import type { Abilities } from '../source/assemble.js'
import { fullPreTokenizer } from '../source/full-pre-tokenizer.js'
import { metaspace, metaspaceBehind } from '../source/metaspace.js'
import { splits } from '../source/splits.js'
import { byteLevel } from './byte-level.js'
import { listedCharacters } from './characters.js'
import { unigram } from './unigram.js'

const known = /* @__PURE__ */ splits(splitByRegex)

export const every: Abilities = {
  families: [byteLevel, listedCharacters, unigram],
  preTokenizer: (section, out, op) =>
    known(section, out, op) ||
    metaspaceBehind(section, out, op) ||
    metaspace(section, out, op) ||
    fullPreTokenizer(section, out, op),
  normalizer: /* @__PURE__ */ fullNormalizer(translate),
}
