// llama.cpp's names for pre-tokenizer splits (`tokenizer.ggml.pre`) and what each means.

import { NUMBER } from '../scan/classes.js'
import { Cl100kScanner, ClassRunScanner, Gpt2Scanner, O200kScanner } from '../scan/patterns.js'
import { RegexScanner, translate } from '../scan/regex.js'
import { chain, type Scanner } from '../scan/scanner.js'

/** One split: its scanner, and what llama.cpp switches on with it. */
export interface GgufSplit {
  readonly scanner: () => Scanner
  /** A word that is a token as a whole is not merged. */
  readonly whole?: boolean
  /** BOS is added when the file does not say. */
  readonly addBos?: boolean
}

const OP = 'fromGguf'

const isolate = (pattern: string): Scanner => new RegexScanner(translate(pattern, OP), 'Isolated')
const digitsThenGpt2 = (): Scanner => chain([new ClassRunScanner(NUMBER, 1), new Gpt2Scanner()])
const punctuationThenGpt2 = (punctuation: string, digitRuns: boolean): Scanner =>
  chain([
    isolate(punctuation),
    new Gpt2Scanner(),
    ...(digitRuns ? [isolate('\\p{N}+')] : []),
    isolate('[0-9][0-9][0-9]'),
  ])

// The cased letters, as DeepSeek's own file lists them.
const CASED =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃'
const SUFFIXES = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const TAIL = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const WORD = '[^\\r\\n\\p{L}\\p{N}]?'
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const PHRASE = ' ?[^(\\s|.,!?…。，、।۔،)]+'

const llama3: GgufSplit = { scanner: () => new Cl100kScanner(3), whole: true, addBos: true }
const gpt2: GgufSplit = { scanner: () => new Gpt2Scanner() }
const qwen2: GgufSplit = { scanner: () => new Cl100kScanner(1) }
const digits: GgufSplit = { scanner: digitsThenGpt2 }
const o200k: GgufSplit = { scanner: () => new O200kScanner() }
const fallback: GgufSplit = { scanner: () => punctuationThenGpt2('[\\p{P}\\$\\+<=>\\^~\\|]+', true) }

const byName: ReadonlyMap<string, GgufSplit> = /* @__PURE__ */ new Map<string, GgufSplit>([
  ['default', fallback],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['llama-bpe', llama3],
  ['falcon3', llama3],
  ['falcon-h1', llama3],
  ['pixtral', llama3],
  ['midm-2.0', llama3],
  ['lfm2', llama3],
  ['dbrx', { scanner: llama3.scanner }],
  ['smaug-bpe', { scanner: llama3.scanner }],
  ['glm4', { scanner: llama3.scanner }],
  ['chatglm-bpe', { scanner: llama3.scanner }],
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  ['mpt', gpt2],
  ['olmo', gpt2],
  ['jais', gpt2],
  ['trillion', gpt2],
  ['gigachat', gpt2],
  ['exaone4', gpt2],
  ['a.x-4.0', gpt2],
  ['granite-docling', gpt2],
  ['roberta-bpe', gpt2],
  ['qwen2', qwen2],
  ['stablelm2', qwen2],
  ['deepseek-r1-qwen', qwen2],
  ['hunyuan', qwen2],
  ['megrez', qwen2],
  ['grok-2', qwen2],
  [
    'qwen35',
    {
      scanner: () => isolate(`${SUFFIXES}|${WORD}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${TAIL}`),
    },
  ],
  [
    'tekken',
    {
      scanner: () =>
        isolate(`${WORD}${UPPER}*${LOWER}+|${WORD}${UPPER}+${LOWER}*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${TAIL}`),
      whole: true,
      addBos: true,
    },
  ],
  ['seed-coder', { scanner: () => isolate(`${SUFFIXES}|${WORD}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${TAIL}`) }],
  ['poro-chat', { scanner: () => isolate(PHRASE) }],
  ['bloom', { scanner: () => isolate(PHRASE) }],
  ['gpt3-finnish', { scanner: () => isolate(PHRASE) }],
  ['viking', { scanner: () => chain([isolate(PHRASE), new ClassRunScanner(NUMBER, 1)]) }],
  ['smollm', digits],
  ['starcoder', digits],
  ['refact', digits],
  ['command-r', digits],
  ['codeshell', digits],
  ['exaone', digits],
  ['minerva-7b', digits],
  ['gpt-4o', o200k],
  ['llama4', o200k],
  ['falcon', { scanner: () => punctuationThenGpt2('[\\p{P}\\$\\+<=>\\^~\\|`]+', false) }],
  [
    'deepseek-v3',
    {
      scanner: () =>
        chain([
          new ClassRunScanner(NUMBER, 3),
          isolate('[一-龥぀-ゟ゠-ヿ]+'),
          isolate(
            '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
          ),
        ]),
    },
  ],
  [
    'deepseek-llm',
    {
      scanner: () =>
        chain([
          isolate('[\\r\\n]'),
          isolate(`\\s?[${CASED}]+`),
          isolate('\\s?[!-/:-~！-／：-～‘-‟　-。]+'),
          isolate('\\s+$'),
          isolate('[一-龥ࠀ-一가-퟿]+'),
          new ClassRunScanner(NUMBER, Number.POSITIVE_INFINITY),
        ]),
    },
  ],
  [
    'deepseek-coder',
    {
      scanner: () =>
        chain([
          isolate('[\\r\\n]'),
          isolate('\\s?\\p{L}+'),
          isolate('\\s?\\p{P}+'),
          isolate('[一-龥ࠀ-一가-퟿]+'),
          new ClassRunScanner(NUMBER, 1),
        ]),
    },
  ],
])

/** The split of this name, or undefined. */
export function ggufSplit(name: string): GgufSplit | undefined {
  return byName.get(name)
}

/** Every name that is known. */
export function ggufSplitNames(): string[] {
  return [...byName.keys()]
}
