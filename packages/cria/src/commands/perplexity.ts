/** `cria perplexity`: how well a model predicts a text. */
import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { type Comparison, compareModels, type Estimate, measurePerplexity, type Perplexity } from '@cria/eval'
import type { Llama } from '@cria/llama'
import { InputError } from '../errors.js'
import { type DeviceOptions, describe, load, loadOn, needTokenizer } from '../model.js'
import { countBar, note, print, printJson } from '../output.js'

export interface PerplexityOptions extends DeviceOptions {
  readonly context?: number
  readonly against?: string
  readonly json?: boolean
}

export async function perplexity(name: string, file: string, options: PerplexityOptions): Promise<void> {
  const bytes = await textOf(file)
  checkUtf8(bytes, file)
  const loaded = await load(name, options)
  try {
    const text = bytes.toString('utf8')
    const tokens = (await needTokenizer(loaded)).encode(text, { bos: false, eos: false })
    if (!options.json) describe(loaded)
    warnOfContext(options.context, loaded.model)
    const measure = {
      bytes: bytes.length,
      ...(options.context !== undefined && { context: options.context }),
      onProgress: countBar('scoring'),
    }
    const begin = performance.now()
    if (options.against === undefined) {
      const result = await measurePerplexity(loaded.model, tokens, measure)
      await (options.json ? printJson(result) : print(lines(result)))
    } else {
      const base = await loadOn(loaded.device, options.against)
      try {
        checkTokens(tokens, (await base.tokenizer())?.encode(text, { bos: false, eos: false }), options.against)
        const result = await compareModels(base.model, loaded.model, tokens, measure)
        await (options.json ? printJson(result) : print(comparison(result)))
      } finally {
        await base.dispose()
      }
    }
    const seconds = (performance.now() - begin) / 1000
    if (!options.json)
      note(`${tokens.length} tokens in ${seconds.toFixed(1)} s · ${(tokens.length / seconds).toFixed(0)} tokens/s`)
  } finally {
    await loaded.dispose()
  }
}

/** Other bytes would be scored as the character that stands for none. */
function checkUtf8(bytes: Buffer, file: string): void {
  if (isUtf8(bytes)) return
  // Written back, the text differs from its bytes first where they are no UTF-8.
  const back = Buffer.from(bytes.toString('utf8'))
  const at = back.findIndex((byte, i) => byte !== bytes[i])
  const got =
    at < bytes.length ? `byte 0x${bytes[at]!.toString(16).padStart(2, '0')}` : 'the end of a character cut short'
  throw new InputError(
    `perplexity: got ${got} at ${at} of ${file === '-' ? 'standard input' : file}, expected UTF-8. Convert the text first, with iconv for instance`,
  )
}

function warnOfContext(context: number | undefined, { config: { maxPositionEmbeddings } }: Llama): void {
  if (context !== undefined && context > maxPositionEmbeddings)
    note(`--context: got ${context}, the model was made for ${maxPositionEmbeddings}: it predicts badly beyond`)
}

/** Predictions can be compared only where both models read the text as the same tokens. */
function checkTokens(own: Uint32Array, other: Uint32Array | undefined, name: string): void {
  if (other === undefined || (own.length === other.length && own.every((id, i) => id === other[i]))) return
  throw new InputError(
    `--against: got ${name}, which reads the text as other tokens, expected a model with the same tokenizer`,
  )
}

const lines = ({ perplexity: ppl, nll, bitsPerByte, scored, tokens }: Perplexity): string =>
  `perplexity     ${ppl.toFixed(4)}
nll            ${nll.toFixed(5)} nats a token, ${scored} of ${tokens} scored
bits per byte  ${bitsPerByte.toFixed(5)}
`

function comparison({ base, other, perplexityRatio, kl, sameTop, probabilityDifference }: Comparison): string {
  const of = ({ mean, stderr }: Estimate, digits: number, scale = 1): string =>
    `${(mean * scale).toFixed(digits)} ± ${(stderr * scale).toFixed(digits)}`
  return `perplexity         ${other.perplexity.toFixed(4)}, of the other model ${base.perplexity.toFixed(4)}
ratio              ${of(perplexityRatio, 5)}
KL divergence      ${of(kl, 5)} nats a token · median ${kl.median.toFixed(5)} · 99 % ${kl.p99.toFixed(5)} · largest ${kl.max.toFixed(3)}
same top token     ${of(sameTop, 2, 100)} %
change of p(token) ${of(probabilityDifference, 3, 100)} %, root mean square ${(probabilityDifference.rms * 100).toFixed(3)} %
`
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
    throw new InputError(
      `perplexity: got ${file}, expected a text file or - for standard input (${(cause as Error).message})`,
    )
  }
}
