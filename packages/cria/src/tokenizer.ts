/** Finds the tokenizer that belongs to a model: inside a GGUF, or in the files beside the weights. */
import type { Tokenizer } from '@cria/tokenizer'
import { fromCompact, fromGguf, fromLlama2c, fromSentencePiece, fromTiktoken, fromTokenizerJson } from '@cria/tokenizer'
import { type Folder, type Model, openGguf } from '@cria/weights'
import { directoryFolder, fileSource, locate, openModelAt } from '@cria/weights/node'
import { InputError } from './errors.js'

export const tokenizerOf = async ({ weights, folder, config }: Model): Promise<Tokenizer | undefined> =>
  'tokenizer.ggml.tokens' in weights.metadata ? fromGguf(weights.metadata) : tokenizerIn(folder, config.vocab)

/** By preference: tokenizer.json, tokenizer.model (SentencePiece or tiktoken ranks), llama2.c's vocabulary. */
export async function tokenizerIn(folder: Folder, vocab?: number): Promise<Tokenizer | undefined> {
  const has = (file: string): boolean => folder.files.includes(file)
  if (has('tokenizer.json')) {
    const config = has('tokenizer_config.json') && (await bytesOf(folder, 'tokenizer_config.json'))
    const chatTemplate =
      has('chat_template.jinja') && new TextDecoder().decode(await bytesOf(folder, 'chat_template.jinja'))
    return fromTokenizerJson(await bytesOf(folder, 'tokenizer.json'), {
      ...(config && { config }),
      ...(chatTemplate && { chatTemplate }),
    })
  }
  if (has('tokenizer.model')) return sentencePieceOrRanks(await bytesOf(folder, 'tokenizer.model'))
  const llama2c = ['tokenizer.bin', `tok${vocab}.bin`].find(has)
  return llama2c === undefined ? undefined : fromLlama2c(await bytesOf(folder, llama2c))
}

/** A tokenizer from a tokenizer file, a GGUF, or a folder; weights are not needed. */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  if (path.endsWith('.gguf')) {
    const source = await fileSource(path)
    try {
      return fromGguf((await openGguf(source)).metadata)
    } finally {
      await source.close?.()
    }
  }
  const { folder, file } = await locate(path)
  if (file === undefined) {
    const beside = await tokenizerIn(await directoryFolder(path))
    if (beside) return beside
    const model = await openModelAt(path)
    try {
      const inside = await tokenizerOf(model)
      if (inside) return inside
    } finally {
      await model.close()
    }
    throw new InputError(
      `tokenizer: got ${path} without one, expected tokenizer.json, tokenizer.model, tokenizer.bin or a GGUF in it`,
    )
  }
  // With the files that belong to it, which name its chat template and its BOS.
  if (file === 'tokenizer.json') return (await tokenizerIn(folder))!
  const bytes = await bytesOf(folder, file)
  if (file.endsWith('.json')) return fromTokenizerJson(bytes)
  if (new TextDecoder().decode(bytes.subarray(0, 7)) === 'CRIATOK') return fromCompact(bytes)
  return file.endsWith('.bin') ? fromLlama2c(bytes) : sentencePieceOrRanks(bytes)
}

/** Meta calls both kinds tokenizer.model: Llama 3's is lines of base64 and rank. */
export const sentencePieceOrRanks = (bytes: Uint8Array): Tokenizer =>
  /^[A-Za-z0-9+/=]+ \d+\n/.test(new TextDecoder().decode(bytes.subarray(0, 200)))
    ? fromTiktoken(bytes)
    : fromSentencePiece(bytes)

export async function bytesOf(folder: Folder, file: string): Promise<Uint8Array> {
  const source = await folder.open(file)
  try {
    return await source.read(0, source.size)
  } finally {
    await source.close?.()
  }
}
