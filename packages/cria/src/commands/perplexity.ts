/** `cria perplexity`: how well a model predicts a text. */
import { readFile } from 'node:fs/promises'
import { measurePerplexity } from '@cria/eval'
import { UsageError } from '../errors.js'
import { type DeviceOptions, describe, load, needTokenizer } from '../model.js'
import { countBar, note, print, printJson } from '../output.js'

export interface PerplexityOptions extends DeviceOptions {
  readonly context?: number
  readonly json?: boolean
}

export async function perplexity(name: string, file: string, options: PerplexityOptions): Promise<void> {
  const bytes = await textOf(file)
  const loaded = await load(name, options)
  try {
    const tokens = needTokenizer(loaded).encode(bytes.toString('utf8'), { bos: false, eos: false })
    if (!options.json) describe(loaded)
    const begin = performance.now()
    const bar = countBar('scoring')
    const result = await measurePerplexity(loaded.model, tokens, {
      bytes: bytes.length,
      ...(options.context !== undefined && { context: options.context }),
      onProgress: bar,
    })
    if (options.json) return await printJson(result)
    const seconds = (performance.now() - begin) / 1000
    await print(
      `perplexity     ${result.perplexity.toFixed(4)}\nnll            ${result.nll.toFixed(5)} nats a token\nbits per byte  ${result.bitsPerByte.toFixed(5)}\n`,
    )
    note(
      `${result.scored} of ${result.tokens} tokens scored in ${seconds.toFixed(1)} s · ${(result.tokens / seconds).toFixed(0)} tokens/s`,
    )
  } finally {
    await loaded.dispose()
  }
}

/** The bytes of a file, or of standard input. */
async function textOf(file: string): Promise<Buffer> {
  if (file === '-') {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }
  try {
    return await readFile(file)
  } catch (cause) {
    throw new UsageError(
      `perplexity: got ${file}, expected a text file or - for standard input (${(cause as Error).message})`,
    )
  }
}
