/** `cria tokenizer train`: a new vocabulary from text files. */
import { closeSync, openSync, readSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Tokenizer, toTokenizerJson, trainBpe } from '@cria/tokenizer'
import { InputError } from '../errors.js'
import { countBar, note, printJson } from '../output.js'

export interface TokenizerTrainOptions {
  readonly vocab: number
  readonly out: string
  readonly kind: 'byte-level' | 'sentencepiece'
  readonly pattern?: string
  readonly special?: readonly string[]
  readonly minFrequency?: number
  readonly json?: boolean
}

const CHUNK: number = 1 << 20

export async function tokenizerTrain(files: readonly string[], options: TokenizerTrainOptions): Promise<void> {
  const { vocab, out, kind, pattern, minFrequency } = options
  const special =
    options.special ?? (kind === 'byte-level' ? ['<|begin_of_text|>', '<|end_of_text|>'] : ['<unk>', '<s>', '</s>'])
  const named = (names: readonly string[]): string | undefined => special.find(token => names.includes(token))
  const bos = named(['<s>', '<bos>', '<|begin_of_text|>'])
  const eos = named(['</s>', '<eos>', '<|end_of_text|>', '<|endoftext|>'])
  const begin = performance.now()
  const bar = countBar('merges')
  let bytes = 0
  const tokenizer = trainBpe(lines(files), {
    vocabSize: vocab,
    kind,
    special,
    ...(pattern !== undefined && { pattern }),
    ...(bos !== undefined && { bos }),
    ...(eos !== undefined && { eos }),
    ...(minFrequency !== undefined && { minFrequency }),
    onProgress(progress) {
      if (progress.phase === 'count') bytes = progress.bytes
      else bar(progress.done, progress.total)
    },
  })
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'tokenizer.json'), JSON.stringify(toTokenizerJson(tokenizer)))
  await writeFile(join(out, 'tokenizer_config.json'), `${JSON.stringify(configOf(tokenizer), null, 2)}\n`)
  const seconds = (performance.now() - begin) / 1000
  if (options.json) return printJson({ out, vocab: tokenizer.vocabSize, bytes, seconds })
  note(`${out} · ${tokenizer.vocabSize} tokens from ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`)
  if (tokenizer.vocabSize < vocab) note(`no more pairs occur often enough for ${vocab} tokens`)
}

/** The lines of the files, a megabyte in memory at a time; a line of more than that comes in parts. */
function* lines(files: readonly string[]): Generator<string> {
  const buffer = Buffer.alloc(CHUNK)
  for (const file of files) {
    let handle: number
    try {
      handle = openSync(file, 'r')
    } catch (cause) {
      throw new InputError(`tokenizer train: got ${file} (${(cause as Error).message}), expected a file of text`)
    }
    try {
      let held = 0
      for (;;) {
        const read = readSync(handle, buffer, held, CHUNK - held, null)
        const end = held + read
        if (end === 0) break
        const line = buffer.lastIndexOf(10, end - 1)
        // Not inside a character: continuation bytes wait for the next read.
        let cut = line >= 0 ? line + 1 : end
        if (line < 0 && read > 0) while (cut > 0 && cut > end - 4 && ((buffer[cut - 1] ?? 0) & 0x80) !== 0) cut--
        if (read === 0 || cut === 0) cut = end
        let from = 0
        for (let at = buffer.indexOf(10); at >= 0 && at < cut; at = buffer.indexOf(10, from)) {
          yield buffer.toString('utf8', from, at + 1)
          from = at + 1
        }
        if (from < cut) yield buffer.toString('utf8', from, cut)
        buffer.copyWithin(0, cut, end)
        held = end - cut
        if (read === 0 && held === 0) break
      }
    } finally {
      closeSync(handle)
    }
  }
}

/** What Hugging Face's AutoTokenizer wants to know beside the `tokenizer.json`. */
function configOf(tokenizer: Tokenizer): Record<string, unknown> {
  const name = (id: number | undefined): string | null => (id === undefined ? null : tokenizer.piece(id))
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: name(tokenizer.bosId),
    eos_token: name(tokenizer.eosId),
    unk_token: name(tokenizer.unkId),
    add_bos_token: tokenizer.addBos,
    add_eos_token: tokenizer.addEos,
    clean_up_tokenization_spaces: false,
    model_max_length: 1e30,
  }
}
