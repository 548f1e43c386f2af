/** The smallest composition: a conversation on the CPU, with the model in the box or another. `pnpm --filter chat start [MODEL.gguf]` */
import { createInterface } from 'node:readline/promises'
import { cpu } from '@cria/kernels-cpu' // the one line that chooses the hardware
import { generate, loadLlama, Session } from '@cria/llama'
import { categorical, chain, minP, temperature, topK } from '@cria/sampling'
import { storyteller } from '@cria/storyteller'
import { fromGguf, TokenizerError } from '@cria/tokenizer'
import { type ChatMessage, renderChat } from '@cria/tokenizer/chat'
import { openModelAt } from '@cria/weights/node'

async function chat(path?: string): Promise<void> {
  const opened = await openModelAt(path ?? storyteller)
  const tokenizer = fromGguf(opened.weights.metadata)
  if (tokenizer.chatTemplate === undefined)
    throw new TokenizerError('tokenizer/chat-template', {
      op: 'chat',
      got: `${path} without a chat template`,
      expected: 'a chat model',
      fix: 'Name another file, or none for the storyteller.',
    })
  const device = await cpu()
  const model = await loadLlama(device, opened)
  const session = new Session(model, { capacity: Math.min(opened.config.context, 4096) })
  const sampler = chain(topK(40), minP(0.05), temperature(0.7), categorical({ seed: 42 }))
  const messages: ChatMessage[] = []

  const answer = async (content: string): Promise<void> => {
    const asked = [...messages, { role: 'user', content }]
    const prompt = renderChat(tokenizer, asked, { addGenerationPrompt: true }).ids
    const decoder = tokenizer.decoder({ continuation: true })
    let reply = ''
    session.truncate(0)
    for await (const event of generate(session, { prompt, sampler, stop: tokenizer.eosIds })) {
      if (event.type !== 'token') continue
      const text = decoder.push(event.token)
      reply += text
      process.stdout.write(text)
    }
    process.stdout.write('\n')
    messages.splice(0, Infinity, ...asked, { role: 'assistant', content: reply })
  }

  console.error(`${device.name}: ${device.description}`)
  if (path === undefined) console.error('Begin a story, or say: Tell a story about a fox. Then ask about it.')
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: '> ' })
  lines.prompt()
  for await (const content of lines) {
    await answer(content).catch(report)
    lines.prompt()
  }
  session.dispose()
  model.dispose()
  device.dispose()
  await opened.close()
}

/** Errors of the toolkit say what to do; any other is a fault, with its stack. */
function report(error: unknown): void {
  if (!(error instanceof Error && Symbol.for('cria.error') in error)) throw error
  console.error(error.message)
}

await chat(process.argv[2]).catch(error => {
  report(error)
  process.exitCode = 1
})
