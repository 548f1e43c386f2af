// The LLaMA 2 chat format as Meta's own code writes it. It has no special tokens for roles, only tags in plain text, so
// a message that contains a tag is refused: it could pass for the system's or the user's words.

import { show, TokenizerError } from './errors.js'
import type { Tokenizer } from './tokenizer.js'

/** A message of the LLaMA 2 format. */
export interface Llama2Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

const OP = 'renderLlama2Chat'
const TAGS: readonly string[] = ['[INST]', '[/INST]', '<<SYS>>', '<</SYS>>']

/**
 * Renders a conversation in the LLaMA 2 format: an optional system message, then user and assistant in turn, the user
 * last. Each exchange begins with BOS and ends with EOS; the open one at the end has no EOS.
 *
 * @throws TokenizerError `tokenizer/chat-template` for roles in another order and for messages that contain one of the
 * tags `[INST]`, `[/INST]`, `<<SYS>>`, `<</SYS>>`.
 * @example
 * renderLlama2Chat(tokenizer, [{ role: 'user', content: 'Hello' }]).text // '<s>[INST] Hello [/INST]'
 */
export function renderLlama2Chat(
  tokenizer: Tokenizer,
  messages: readonly Llama2Message[],
): { readonly text: string; readonly ids: Uint32Array } {
  const refuse = (got: string, expected: string, fix?: string): never => {
    throw new TokenizerError('tokenizer/chat-template', {
      op: OP,
      got,
      expected,
      ...(fix === undefined ? {} : { fix }),
    })
  }
  const { bosId, eosId } = tokenizer
  if (bosId === undefined || eosId === undefined) return refuse('a tokenizer without BOS or EOS', 'both')
  for (const message of messages) {
    const tag = TAGS.find(t => message.content.includes(t))
    if (tag !== undefined) refuse(`a message that contains ${tag}`, 'messages without tags', 'Remove or rephrase it.')
  }
  let turns = [...messages]
  const [first, second] = turns
  if (first?.role === 'system') {
    if (second?.role !== 'user') refuse('a system message without a user message behind it', 'system, then user')
    const content = `<<SYS>>\n${first.content}\n<</SYS>>\n\n${second!.content}`
    turns = [{ role: 'user', content }, ...turns.slice(2)]
  }
  turns.forEach(({ role }, i) => {
    if (role !== (i % 2 === 0 ? 'user' : 'assistant'))
      refuse(`role ${show(role)} in place ${i}`, 'user and assistant in turn')
  })
  if (turns.length % 2 === 0) refuse(`${turns.length} turns`, 'a user message last')
  const parts: (string | number)[] = []
  let text = ''
  const bos = tokenizer.piece(bosId)
  const eos = tokenizer.piece(eosId)
  for (let i = 0; i < turns.length; i += 2) {
    const prompt = `[INST] ${turns[i]!.content.trim()} [/INST]`
    const answer = turns[i + 1]
    const part = answer === undefined ? prompt : `${prompt} ${answer.content.trim()} `
    parts.push(bosId, part)
    text += bos + part
    if (answer !== undefined) {
      parts.push(eosId)
      text += eos
    }
  }
  return { text, ids: tokenizer.encodeParts(parts) }
}
