/** Log-probabilities of the raw logits, position by position, as `cria run --logprobs N --json` prints them. */
import { type Chain, logprobs } from '@cria/sampling'
import type { Tokenizer } from '@cria/tokenizer'

interface Alternative {
  readonly token: number
  readonly piece: string
  readonly logprob: number
}

export interface Position extends Alternative {
  /** Place among all tokens, 1 for the likeliest. */
  readonly rank: number
  /** Of the whole distribution, in nats. */
  readonly entropy: number
  readonly top: readonly Alternative[]
}

/** Notes what a run sees; nothing is computed twice. */
export class LogprobRecorder {
  readonly #tokenizer: Tokenizer
  readonly #top: number
  /** One entry per prompt token; nothing comes before the first. */
  readonly prompt: (Position | null)[] = [null]
  readonly generated: Position[] = []

  constructor(tokenizer: Tokenizer, top: number) {
    this.#tokenizer = tokenizer
    this.#top = top
  }

  /** The logits that a token was chosen from, and the token. */
  position(logits: Float32Array, token: number): Position {
    const { top, entropy, of, rank } = logprobs(logits, { top: this.#top })
    const alternatives = top.map(({ token: id, logprob }) => this.#alternative(id, logprob))
    return { ...this.#alternative(token, of(token)), rank: rank(token), entropy, top: alternatives }
  }

  #alternative(token: number, logprob: number): Alternative {
    // a padded vocabulary has ids that the tokenizer does not know
    return { token, piece: token < this.#tokenizer.vocabSize ? this.#tokenizer.piece(token) : '', logprob }
  }

  /** The chain, noting every token that it picks. */
  watch(chain: Chain): Chain {
    const sample = (logits: Float32Array): number => {
      const token = chain.sample(logits)
      this.generated.push(this.position(logits, token))
      return token
    }
    return { ...chain, sample }
  }
}
