/** Runs in Node, on a page and in a worker: one of everything. The result must be the same wherever it runs. */
import { chain, logprobs, penalties, Random } from '@cria/sampling'
import { choices, constrain, type Grammar, GrammarVocabulary, jsonSchema } from '@cria/sampling/grammar'
import { hf, llamacpp, vllm } from '@cria/sampling/presets'
import { beamSearch, generate, modelOf, promptLookup, speculate } from '@cria/sampling/search'

const VOCAB = 258
const END = 257

/** Logits that follow from the last two tokens and nothing else: sums of 53-bit draws, so exact everywhere. */
function logitsAfter(tokens: readonly number[]): Float32Array {
  const random = new Random((tokens.at(-1) ?? 0) * 311 + (tokens.at(-2) ?? 0))
  return Float32Array.from({ length: VOCAB }, () => 6 * (random.next() + random.next() + random.next() - 1.5))
}

export async function everywhere(): Promise<Record<string, unknown>> {
  const model = () => modelOf(logitsAfter)
  const limits = { maxTokens: 30, eos: END }
  const bytes = [undefined, ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), undefined]
  const vocabulary = new GrammarVocabulary(bytes, { eos: END })
  const write = async (grammar: Grammar<unknown>): Promise<string> => {
    const pick = chain(constrain(grammar, { vocabulary }), llamacpp({ seed: 4 }))
    const { tokens } = await generate(model(), [1], { chain: pick, maxTokens: 400, eos: END })
    const text = tokens.filter(t => t > 0 && t < END).map(t => t - 1)
    return new TextDecoder().decode(Uint8Array.from(text))
  }
  const schema = {
    type: 'object',
    properties: {
      n: { type: 'integer', minimum: 3, maximum: 99 },
      tags: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 3 },
    },
    required: ['n', 'tags'],
    additionalProperties: false,
  }
  const seeds = {
    llamacpp: llamacpp({ seed: 1, repeat_penalty: 1.1, xtc_probability: 0.5 }),
    hf: hf({ do_sample: true, top_p: 0.9, typical_p: 0.8, seed: 2 }),
    vllm: vllm({ seed: 3, min_p: 0.1 }),
  }
  const texts: Record<string, readonly number[]> = {}
  for (const [name, pick] of Object.entries(seeds))
    texts[name] = (await generate(model(), [1, 2], { chain: pick, ...limits })).tokens
  const guessed = await speculate(model(), [1, 2], {
    chain: llamacpp({ seed: 1, repeat_penalty: 1.1, xtc_probability: 0.5 }),
    draft: promptLookup(),
    ...limits,
  })
  const [beam] = await beamSearch(model(), [1], { beams: 3, maxTokens: 12, chain: chain(penalties({ repeat: 1.2 })) })
  return {
    texts,
    guessed: guessed.tokens,
    beam,
    json: await write(jsonSchema(schema)),
    choice: await write(choices(['yes', 'no'])),
    entropy: logprobs(logitsAfter([5])).entropy,
  }
}
