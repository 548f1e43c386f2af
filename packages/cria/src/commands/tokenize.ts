/** `cria tokenize`: token ids of standard input. */
import { createInterface } from 'node:readline'
import type { EncodeOptions, Tokenizer } from '@cria/tokenizer'
import { UsageError } from '../errors.js'
import { resolveModel } from '../model.js'
import { print, printJson } from '../output.js'
import { openTokenizer } from '../tokenizer.js'

export interface TokenizeOptions {
  readonly json?: boolean
  readonly jsonl?: boolean
  readonly bos?: boolean
  readonly specials?: boolean
}

export async function tokenize(file: string, options: TokenizeOptions): Promise<void> {
  const tokenizer = await openTokenizer(await resolveModel(file))
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
