/**
 * What the model reads: documents of the world, tokenised once into a folder and reused by every run of the same seed, as
 * long as the world tells the same.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromTokenizerJson, type Tokenizer, toTokenizerJson, trainBpe } from '@cria/tokenizer'
import type { DocumentTokens } from '@cria/train'
import { tokenFolder, tokenize } from '@cria/train/node'
import { document, references, type Split } from '@cria/world'
import { vocabSize } from './sizes.js'

/** Documents that the vocabulary is made from: more would find the same words. */
const sample = 20_000

/** A document has about this many tokens. */
const documentTokens = 220

/** Documents for so many tokens and the settling after them, so that none is seen twice. */
export const documentsFor = (tokens: number): number => Math.ceil((tokens / documentTokens) * 1.1)

export function* texts(seed: number, count: number, split: Split): Generator<string> {
  for (let i = 0; i < count; i++) yield document(seed, i, { split }).text
}

/** Documents of each split that an edition goes by: a hundred have only half of the topics. */
const known = 2500
const editions = new Map<number, string>()

/** Names the text of a seed by its first documents: another version of the world tells other ones. */
export function edition(seed: number): string {
  const found = editions.get(seed)
  if (found !== undefined) return found
  const hash = createHash('sha256')
  for (const split of ['train', 'heldout'] as const) for (const text of texts(seed, known, split)) hash.update(text)
  const made = `${seed}-${hash.digest('hex').slice(0, 8)}`
  editions.set(seed, made)
  return made
}

/** The vocabulary, trained as LLaMA's was: SentencePiece BPE with byte fallback, and saved: another seed has another. */
export async function vocabulary(folder: string, seed: number, documents: number = sample): Promise<Tokenizer> {
  const path = join(folder, `tokenizer-${edition(seed)}.json`)
  if (!existsSync(path)) {
    const tokenizer = trainBpe(texts(seed, documents, 'train'), { vocabSize, kind: 'sentencepiece' })
    await writeFile(path, JSON.stringify(toTokenizerJson(tokenizer)))
  }
  return fromTokenizerJson(JSON.parse(await readFile(path, 'utf8')))
}

/** The first `count` documents of a split as tokens. */
export async function corpus(
  folder: string,
  tokenizer: Tokenizer,
  options: {
    readonly seed: number
    readonly count: number
    readonly split: Split
    readonly onProgress?: (documents: number, tokens: number) => void
  },
): Promise<DocumentTokens> {
  const { seed, count, split, onProgress } = options
  const path = join(folder, `${split}-${edition(seed)}-${count}`)
  if (!existsSync(join(path, 'dataset.json')))
    await tokenize(texts(seed, count, split), path, {
      tokenizer,
      ...(onProgress && { onProgress: ({ documents, tokens }) => onProgress(documents, tokens) }),
    })
  return tokenFolder(path)
}

/**
 * How much more than others a token counts in most of the training: names by 3, other words for persons by 1. Which person
 * is meant follows from the story, most other words are free: counted alike, their noise hides what can be learned.
 */
export function stressOf(tokenizer: Tokenizer): Float32Array {
  const extra = new Float32Array(tokenizer.vocabSize)
  const before = tokenizer.encode('a', { bos: false }).length
  for (const [words, more] of [[references.names, 3] as const, [references.others, 1] as const])
    for (const word of words) {
      const ids = tokenizer.encode(`a ${word}`, { bos: false })
      // A word of several pieces shares them with other words.
      if (ids.length === before + 1) extra[ids.at(-1)!] = more
    }
  return extra
}
