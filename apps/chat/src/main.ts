/** The smallest composition: a GGUF chat model on the CPU. `pnpm --filter chat start MODEL.gguf` */
import { createInterface } from 'node:readline/promises'
import { cpu } from '@cria/kernels-cpu' // the one line that chooses the hardware
import { generate, loadLlama, Session } from '@cria/llama'
import { categorical, chain, minP, temperature, topK } from '@cria/sampling'
import { fromGguf } from '@cria/tokenizer'
import { type ChatMessage, renderChat } from '@cria/tokenizer/chat'
import { openModelAt } from '@cria/weights/node'

const path = process.argv[2]
if (path === undefined) throw new Error('chat: got no model, expected a GGUF file: pnpm --filter chat start MODEL.gguf')

const opened = await openModelAt(path)
const device = await cpu()
const model = await loadLlama(device, opened)
const tokenizer = fromGguf(opened.weights.metadata)
const session = new Session(model, { capacity: 4096 })
const sampler = chain(topK(40), minP(0.05), temperature(0.7), categorical({ seed: 42 }))
const messages: ChatMessage[] = []

console.error(`${device.name}: ${device.description}`)
const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: '> ' })
lines.prompt()
for await (const content of lines) {
  messages.push({ role: 'user', content })
  const prompt = renderChat(tokenizer, messages, { addGenerationPrompt: true }).ids
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
  messages.push({ role: 'assistant', content: reply })
  lines.prompt()
}
session.dispose()
model.dispose()
device.dispose()
await opened.close()
