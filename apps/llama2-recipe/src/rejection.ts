/**
 * Rejection sampling (Llama 2, §3.2.3): the model tells stories and follows orders, the world's checker keeps what holds
 * together, and the model learns from that. The checker stands where a reward model would: it reads, it is not learned.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Device } from '@cria/tensor'
import type { Tokenizer } from '@cria/tokenizer'
import type { Example } from '@cria/train'
import { openModelAt } from '@cria/weights/node'
import { Random } from '@cria/world'
import { balanced } from './balance.js'
import { given, learn, tokenizerOf } from './learn.js'
import { Mistake } from './program.js'
import { type SizeName, sizes } from './sizes.js'
import { studies } from './study.js'
import { questionsHeader } from './tell.js'
import { accepted } from './telling.js'

export interface RejectionOptions {
  /** The GGUF file that pretraining made, and its size. */
  readonly model: string
  readonly size: SizeName
  readonly out: string
  readonly seed: number
  /** How often the model tells and learns; each round begins with what the one before made. */
  readonly rounds: number
  /** Documents told in a round: half of them to order. */
  readonly documents: number
  /** Documents that pretraining has read: what is asked about are others. */
  readonly read: number
  /** Stories of the world in a round that are asked everything. */
  readonly questions: number
  /** Temperature of the telling in the first round; others tell at 1, as the model has become what told. */
  readonly heat: number
  /** The same of the last, where it is not the first. */
  readonly lastHeat: number
  /** Peak learning rate of a round. */
  readonly peak: number
  /** That tell at once. Default: one a core. */
  readonly processes?: number | undefined
  readonly say: (line: string) => void
}

/** @throws Mistake for a model of another shape than that size's, and for one that a round would clear away */
export async function checkModel(model: string, size: SizeName, out: string): Promise<void> {
  if (!relative(join(out, size), model).startsWith('..'))
    throw new Mistake(`got --model ${model} in ${join(out, size)}, which the rounds write anew. Name another --out`)
  const { config: found, close } = await openModelAt(model)
  await close()
  const { config } = sizes[size]
  const got = `${found.layers} blocks of ${found.dim}, vocabulary ${found.vocab}`
  const expected = `${config.numHiddenLayers} blocks of ${config.hiddenSize}, vocabulary ${config.vocabSize}`
  if (got !== expected)
    throw new Mistake(`got --model ${model} of ${got}, expected ${expected}. Name its size with --size`)
}

/** Runs all rounds, from the first; the GGUF file of the last, or `model` where there are none. */
export async function rejection(device: Device, options: RejectionOptions): Promise<string> {
  const { rounds, size, out, seed, documents, processes, read, questions, peak, say } = options
  let gguf = options.model
  for (let round = 1; round <= rounds; round++) {
    const heat = round === 1 ? options.heat : round === rounds ? options.lastHeat : 1
    const folder = join(out, size, `round-${round}`)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const kept = await accepted({ gguf, seed, round, documents, heat, processes })
    say(`round ${round}: ${kept.length} of ${documents} documents hold together`)
    if (kept.length === 0)
      throw new Error(`got no story of ${gguf} that holds together, expected a model that tells some`)
    const made = round === rounds ? join(out, `storyteller-${size}.gguf`) : join(folder, 'model.gguf')
    const tokenizer = await tokenizerOf(gguf)
    const lessons = balanced(kept, new Random(seed, round, 99)).map(({ document, prompt }) =>
      lesson(tokenizer, document, prompt),
    )
    say(`round ${round}: ${lessons.length} lessons of them, as many of each plot and ending as in the world`)
    // Stories of a million each: fewer than that are passed over to find every ending.
    lessons.push(...studies(tokenizer, { seed, from: read + (round - 1) * 1e6, stories: questions }))
    const loss = await learn(device, { from: gguf, to: made, folder, lessons, size, seed: seed + round, peak, heat })
    say(`round ${round}: held-out loss ${loss.toFixed(4)}`)
    gguf = made
  }
  return gguf
}

/**
 * A document as tokens, of which those after the prompt are learned. Of questions after the story only that they come:
 * nobody has checked the answers.
 */
export function lesson(tokenizer: Tokenizer, document: string, prompt: string): Example {
  const at = document.indexOf(questionsHeader)
  const asks = at >= 0
  const tokens = tokenizer.encode(asks ? document.slice(0, at + questionsHeader.length) : document, { eos: !asks })
  return given(tokenizer, prompt, tokens)
}
