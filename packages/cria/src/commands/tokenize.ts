/** `cria tokenize`: token ids of standard input. */
import { createInterface } from 'node:readline'
import type { EncodeOptions, Tokenizer } from '@cria/tokenizer'
import { fromGguf, fromLlama2c, fromTokenizerJson } from '@cria/tokenizer'
import { openGguf } from '@cria/weights'
import { directoryFolder, fileSource, locate, openModelAt } from '@cria/weights/node'
import { UsageError } from '../errors.js'
import { resolveModel } from '../model.js'
import { print, printJson } from '../output.js'
import { sentencePieceOrRanks, tokenizerIn, tokenizerOf } from '../tokenizer.js'

export interface TokenizeOptions {
  readonly json?: boolean
  readonly jsonl?: boolean
  readonly bos?: boolean
  readonly specials?: boolean
}

export async function tokenize(file: string, options: TokenizeOptions): Promise<void> {
  const tokenizer = await open(await resolveModel(file))
  const encode: EncodeOptions = {
    bos: options.bos ?? false,
    eos: false,
    allowSpecial: options.specials ? 'all' : 'none',
  }
  if (options.jsonl) return lines(tokenizer, encode)
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  const ids = tokenizer.encode(Buffer.concat(chunks).toString('utf8'), encode)
  if (!options.json) return print(`${ids.join(' ')}\n`)
  await printJson({ ids: [...ids], pieces: Array.from(ids, id => tokenizer.piece(id)) })
}

async function lines(tokenizer: Tokenizer, encode: EncodeOptions): Promise<void> {
  let n = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    n++
    if (line.trim() === '') continue
    let text: unknown
    try {
      text = JSON.parse(line)
    } catch {
      text = undefined
    }
    if (typeof text !== 'string')
      throw new UsageError(`tokenize: line ${n}: got ${line.slice(0, 60)}, expected a JSON string`)
    await print(`[${tokenizer.encode(text, encode).join(',')}]\n`)
  }
}

/** A tokenizer from a tokenizer file, a GGUF, or a folder; weights are not needed. */
async function open(path: string): Promise<Tokenizer> {
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
    const found = (await tokenizerIn(await directoryFolder(path))) ?? (await tokenizerOf(await openModelAt(path)))
    if (found) return found
    throw new UsageError(
      `tokenize: got ${path} without a tokenizer, expected tokenizer.json, tokenizer.model, tokenizer.bin or a GGUF in it`,
    )
  }
  const source = await folder.open(file)
  const bytes = await source.read(0, source.size)
  await source.close?.()
  if (file.endsWith('.json')) return fromTokenizerJson(bytes)
  return file.endsWith('.bin') ? fromLlama2c(bytes) : sentencePieceOrRanks(bytes)
}
