/** A story from a model that is being trained. */
import { generate, type Llama, Session } from '@cria/llama'
import { categorical, chain, temperature } from '@cria/sampling'
import type { Tokenizer } from '@cria/tokenizer'
import { context } from './sizes.js'

export async function sampleStory(
  model: Llama,
  tokenizer: Tokenizer,
  { seed, heat = 0.8, prompt = '' }: { readonly seed: number; readonly heat?: number; readonly prompt?: string },
): Promise<string> {
  using session = new Session(model, { capacity: context })
  const sampler = chain(temperature(heat), categorical({ seed }))
  const ids: number[] = []
  for await (const event of generate(session, { prompt: tokenizer.encode(prompt), sampler, stop: tokenizer.eosIds }))
    if (event.type === 'token') ids.push(event.token)
  return prompt + tokenizer.decode(ids)
}
