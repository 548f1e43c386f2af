/** The tokens a sampler can look back on: the prompt, then what was generated. Owned by the chain, read by its stages. */
export class SamplingContext {
  #buffer: Int32Array = new Int32Array(256)
  #length = 0
  #promptLength = 0
  #view: Int32Array | undefined
  /** Number of tokens in the vocabulary; 0 until the first logits. */
  vocabSize = 0

  /** All tokens so far, prompt first. A view: valid until the next accept. */
  get tokens(): Int32Array {
    return (this.#view ??= this.#buffer.subarray(0, this.#length))
  }

  get length(): number {
    return this.#length
  }

  /** How many of the tokens are the prompt. */
  get promptLength(): number {
    return this.#promptLength
  }

  /** How many tokens were generated. */
  get generated(): number {
    return this.#length - this.#promptLength
  }

  /** The token at `index`; negative counts from the end. `undefined` outside. */
  at(index: number): number | undefined {
    const i = index < 0 ? this.#length + index : index
    return i >= 0 && i < this.#length ? this.#buffer[i] : undefined
  }

  /** Appends a token; of the prompt when `prompt` is set. */
  push(token: number, prompt: boolean = false): void {
    if (this.#length === this.#buffer.length) {
      const grown = new Int32Array(this.#length * 2)
      grown.set(this.#buffer)
      this.#buffer = grown
    }
    this.#buffer[this.#length++] = token
    if (prompt) this.#promptLength = this.#length
    this.#view = undefined
  }

  clear(): void {
    this.#length = 0
    this.#promptLength = 0
    this.#view = undefined
  }

  clone(): SamplingContext {
    const copy = new SamplingContext()
    copy.#buffer = this.#buffer.slice()
    copy.#length = this.#length
    copy.#promptLength = this.#promptLength
    copy.vocabSize = this.vocabSize
    return copy
  }
}
