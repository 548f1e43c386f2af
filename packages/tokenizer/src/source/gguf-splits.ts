// llama.cpp's names for pre-tokenizer splits (`tokenizer.ggml.pre`) and what each means.

import { CL100K, GPT2, O200K, QWEN2 } from '../scan/known.js'

/** One split: its patterns, one inside the other, and what llama.cpp switches on with it. */
export interface GgufSplit {
  readonly patterns: readonly string[]
  /** A word that is a token as a whole is not merged. */
  readonly whole?: boolean
  /** BOS is added when the file does not say. */
  readonly addBos?: boolean
}

const punctuation = (marks: string): string => `[\\p{P}\\$\\+<=>\\^~\\|${marks}]+`
const TRIPLES = '[0-9][0-9][0-9]'

// The cased letters, as DeepSeek's own file lists them.
const CASED =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃'
const SUFFIXES = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const TAIL = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const WORD = '[^\\r\\n\\p{L}\\p{N}]?'
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
// `[一-龥ࠀ-一가-퟿]+` as llama.cpp reads it, in which no character is a space.
const ASIAN = '[一-龥\u0800-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-一가-\ud7ff]+'
const PHRASE = ' ?[^(\\s|.,!?…。，、।۔،)]+'

/** Made when asked for, so that a bundle without GGUF is without it. */
function byName(): ReadonlyMap<string, GgufSplit> {
  const llama3: GgufSplit = { patterns: [CL100K], whole: true, addBos: true }
  const cl100k: GgufSplit = { patterns: [CL100K] }
  const gpt2: GgufSplit = { patterns: [GPT2] }
  const qwen2: GgufSplit = { patterns: [QWEN2] }
  const digits: GgufSplit = { patterns: ['\\p{N}', GPT2] }
  const o200k: GgufSplit = { patterns: [O200K] }
  const fallback: GgufSplit = { patterns: [punctuation(''), GPT2, '\\p{N}+', TRIPLES] }

  return new Map<string, GgufSplit>([
    ['default', fallback],
    ['llama3', llama3],
    ['llama-v3', llama3],
    ['llama-bpe', llama3],
    ['falcon3', llama3],
    ['falcon-h1', llama3],
    ['pixtral', llama3],
    ['midm-2.0', llama3],
    ['lfm2', llama3],
    ['dbrx', cl100k],
    ['smaug-bpe', cl100k],
    ['glm4', cl100k],
    ['chatglm-bpe', cl100k],
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
        patterns: [`${SUFFIXES}|${WORD}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${TAIL}`],
      },
    ],
    [
      'tekken',
      {
        patterns: [
          `${WORD}${UPPER}*${LOWER}+|${WORD}${UPPER}+${LOWER}*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${TAIL}`,
        ],
        whole: true,
        addBos: true,
      },
    ],
    ['seed-coder', { patterns: [`${SUFFIXES}|${WORD}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${TAIL}`] }],
    ['poro-chat', { patterns: [PHRASE] }],
    ['bloom', { patterns: [PHRASE] }],
    ['gpt3-finnish', { patterns: [PHRASE] }],
    ['viking', { patterns: [PHRASE, '\\p{N}'] }],
    ['smollm', digits],
    ['starcoder', digits],
    ['refact', digits],
    ['command-r', digits],
    ['codeshell', digits],
    ['exaone', digits],
    ['minerva-7b', digits],
    ['gpt-4o', o200k],
    ['llama4', o200k],
    ['falcon', { patterns: [punctuation('`'), GPT2, TRIPLES] }],
    [
      'deepseek-v3',
      {
        patterns: [
          '\\p{N}{1,3}',
          '[一-龥぀-ゟ゠-ヿ]+',
          '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
        ],
      },
    ],
    [
      'deepseek-llm',
      {
        patterns: [
          '[\\r\\n]',
          `\\s?[${CASED}]+`,
          // The file's list begins with the ideographic space, which llama.cpp takes for a space and nothing else.
          '\\s?[!-/:-~！-／：-～‘-‟、-。]+',
          '\\s+$',
          ASIAN,
          '\\p{N}+',
        ],
      },
    ],
    [
      'deepseek-coder',
      {
        patterns: ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', ASIAN, '\\p{N}'],
      },
    ],
  ])
}

/** The split of this name, or undefined. */
export function ggufSplit(name: string): GgufSplit | undefined {
  return byName().get(name)
}

/** Every name that is known. */
export function ggufSplitNames(): string[] {
  return [...byName().keys()]
}
