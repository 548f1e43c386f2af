/** The loss on documents of held-out combinations, one window a document. */
import { measurePerplexity } from '@cria/eval'
import type { Llama } from '@cria/llama'
import type { Tokenizer } from '@cria/tokenizer'
import { document } from '@cria/world'
import { context } from './sizes.js'

const documents = 200

export interface HeldOutLoss {
  /** Nats a token. */
  readonly nll: number
  readonly perplexity: number
  readonly bitsPerByte: number
}

export async function heldOutLoss(model: Llama, tokenizer: Tokenizer, seed: number): Promise<HeldOutLoss> {
  let [nll, scored, bytes] = [0, 0, 0]
  for (let i = 0; i < documents; i++) {
    const { text } = document(seed + 1000, i, { split: 'heldout' })
    const measured = await measurePerplexity(model, tokenizer.encode(text, { eos: true }), { context })
    nll += measured.nll * measured.scored
    scored += measured.scored
    bytes += Buffer.byteLength(text)
  }
  return { nll: nll / scored, perplexity: Math.exp(nll / scored), bitsPerByte: nll / Math.LN2 / bytes }
}
