/** `cria render`: what a model's chat template makes of a conversation on standard input. */
import { readFile } from 'node:fs/promises'
import { type Llama2Message, renderLlama2Chat, type Tokenizer } from '@cria/tokenizer'
import { type ChatMessage, renderChat } from '@cria/tokenizer/chat'
import { InputError } from '../errors.js'
import { print, printJson } from '../output.js'
import { resolveModel } from '../resolve.js'
import { openTokenizer } from '../tokenizer.js'

export interface RenderOptions {
  readonly json?: boolean
  readonly tools?: string
  readonly template?: string
  readonly llama2?: boolean
  /** False for `--no-generation-prompt`. */
  readonly generationPrompt: boolean
}

export async function render(model: string, options: RenderOptions): Promise<void> {
  const tokenizer = await openTokenizer(await resolveModel(model))
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  const messages = listOf(Buffer.concat(chunks).toString('utf8'), 'standard input', 'messages [{ role, content }, …]')
  const { text, ids } = options.llama2
    ? renderLlama2Chat(tokenizer, messages as unknown as Llama2Message[])
    : await templated(tokenizer, messages as unknown as ChatMessage[], options)
  if (!options.json) return print(`${text}\n`)
  await printJson({ text, ids: [...ids] })
}

async function templated(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: RenderOptions,
): Promise<{ readonly text: string; readonly ids: Uint32Array }> {
  const template = options.template === undefined ? tokenizer.chatTemplate : await read(options.template)
  if (template === undefined)
    throw new InputError(
      'render: got a model without a chat template, expected one. Give --template FILE, or --llama2 for LLaMA 2 and its kin',
    )
  return renderChat(tokenizer, messages, {
    addGenerationPrompt: options.generationPrompt && messages.at(-1)?.role !== 'assistant',
    template,
    ...(options.tools !== undefined && {
      tools: listOf(await read(options.tools), options.tools, 'tools [{ type, function }, …]'),
    }),
  })
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new InputError(`render: got ${file} (${(cause as Error).message}), expected a file`)
  }
}

function listOf(text: string, where: string, expected: string): Record<string, unknown>[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (Array.isArray(value) && value.every(item => typeof item === 'object' && item !== null)) return value
  throw new InputError(
    `render: ${where}: got ${text.slice(0, 60).trim() || 'nothing'}, expected a JSON array of ${expected}`,
  )
}
