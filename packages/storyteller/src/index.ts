/** The trained model that Cria carries in the box: one GGUF file with weights and tokenizer. Code is elsewhere. */

/**
 * Where the model lies: a `file:` URL in Node, and in a page what the bundler or server makes of it.
 *
 * @example
 * const file = await openModelAt(storyteller) // of @cria/weights/node
 */
export const storyteller: URL = new URL('../storyteller.gguf', import.meta.url)

/** Tokens that the model was trained to see at once: a story with its questions. */
export const context = 512

/** What stands before an instruction, and between it and the story that the model writes. */
export const instruction = (text: string): string => `Instruction: ${text}\nStory:\n`

/** What stands between a story and the answer that the model writes to a question about it. */
export const question = (story: string, text: string): string => `${story}\n\nQuestion: ${text}\nAnswer:`
