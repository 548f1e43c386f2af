// Measures @cria/sampling and writes bench/results/sampling.json: `pnpm bench:sampling [options]`.
//
//   --model FILE   also try a chat model (SmolLM2-135M-Instruct): speculative decoding by prompt lookup against plain
//                  greedy decoding of the same text, and texts held to a JSON Schema
//   --threads N    for the model (2)      --rounds N   pairs of runs (5)      --out FILE
//
// Plain and speculative runs alternate; a gain is the median over the rounds of the ratio within a round.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { median } from './summary.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const run = promisify(execFile)
const { values: o } = parseArgs({
  options: {
    model: { type: 'string' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string', default: join(root, 'bench/results/sampling.json') },
  },
})
const fromSource = ['--conditions=cria-source', '--import', 'tsx']

async function json(file, ...args) {
  const { stdout } = await run(process.execPath, [...fromSource, join(root, file), ...args], {
    cwd: root,
    maxBuffer: 1 << 26,
  })
  return JSON.parse(stdout)
}
const write = (...args) =>
  json('packages/cria/test/main.ts', 'run', o.model, '--json', '--specials', '--threads', o.threads, ...args)

const ask = text => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`
const recipe =
  'Preheat the oven to 180 degrees. Mix 200 grams of flour, 100 grams of sugar, two eggs and a pinch of salt in a large bowl. ' +
  'Add 50 grams of melted butter and stir until the dough is smooth. Pour the dough into a round baking tin and bake it for ' +
  '30 minutes. Let the cake cool for 10 minutes before serving.'
/** Prompts whose answer repeats much of them, and one that does not. */
const texts = {
  'copy a text': ask(`Repeat this text word for word:\n\n${recipe}`),
  'continue a list': `Cities and countries:\n- Paris is the capital of France.\n- Rome is the capital of Italy.\n- Madrid is the capital of Spain.\n- Berlin is`,
  'extend code':
    'class Point:\n    def __init__(self, x, y, z):\n        self.x = x\n        self.y = y\n        self.z = z\n\n    def get_x(self):\n        return self.x\n\n    def get_y(self):\n',
  'a free question': ask('Why is the sky blue?'),
}

async function speculation() {
  const rows = []
  for (const [name, prompt] of Object.entries(texts)) {
    const args = ['--prompt', prompt, '--temperature', '0', '--max-tokens', '120']
    const pairs = []
    let last
    for (let round = 0; round < Number(o.rounds); round++) {
      const sides = round % 2 ? ['plain', 'lookup'] : ['lookup', 'plain']
      const found = {}
      for (const side of sides) found[side] = await write(...args, ...(side === 'lookup' ? ['--prompt-lookup'] : []))
      if (found.plain.text !== found.lookup.text) throw new Error(`${name}: prompt lookup changed the text`)
      pairs.push([found.plain.tokensPerSecond.generation, found.lookup.tokensPerSecond.generation])
      last = found.lookup
    }
    const round = n => Math.round(n * 100) / 100
    rows.push({
      name,
      tokens: last.tokens.length,
      sameText: true,
      ...last.speculation,
      plainTokensPerSecond: round(median(pairs.map(p => p[0]))),
      lookupTokensPerSecond: round(median(pairs.map(p => p[1]))),
      gain: round(median(pairs.map(p => p[1] / p[0]))),
      gainsOfRounds: pairs.map(p => round(p[1] / p[0])),
    })
    process.stderr.write(`${name}: ${rows.at(-1).gain}×\n`)
  }
  return rows
}

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 40 },
    age: { type: 'integer', minimum: 1, maximum: 120 },
    occupation: { enum: ['teacher', 'doctor', 'engineer', 'artist', 'farmer'] },
    address: {
      type: 'object',
      properties: {
        city: { type: 'string', minLength: 2, maxLength: 30 },
        country: { type: 'string', minLength: 2, maxLength: 30 },
      },
      required: ['city', 'country'],
      additionalProperties: false,
    },
    hobbies: { type: 'array', items: { type: 'string', minLength: 3, maxLength: 25 }, minItems: 2, maxItems: 4 },
  },
  required: ['name', 'age', 'occupation', 'address', 'hobbies'],
  additionalProperties: false,
}
const people = [
  'a woman named Maria who teaches in Madrid',
  'a 67 year old farmer called Hans who lives in Austria',
  'a young painter from Paris',
  'Dr. Kenji Tanaka, who works in a hospital in Osaka',
  'an engineer who builds bridges in Canada',
  'my neighbour',
]

async function structured() {
  const rows = []
  for (const [i, who] of people.entries()) {
    const prompt = ask(`Describe ${who} as JSON with name, age, occupation, address (city, country) and hobbies.`)
    for (const temperature of ['0', '0.8']) {
      const args = ['--prompt', prompt, '--json-schema', JSON.stringify(schema), '--max-tokens', '200']
      const { text, reason } = await write(...args, '--temperature', temperature, '--seed', String(i))
      rows.push({ who, temperature: Number(temperature), reason, value: JSON.parse(text) })
    }
  }
  return rows
}

const commit = await run('git', ['-C', root, 'describe', '--always', '--dirty']).catch(() => ({ stdout: 'unknown' }))
const load = [loadavg()[0]]
const chains = await json('packages/sampling/bench/chain.ts', '--json')
const masks = await json('packages/sampling/bench/grammar.ts', '--json')
load.push(loadavg()[0])
const model = o.model && {
  file: basename(o.model),
  threads: Number(o.threads),
  rounds: Number(o.rounds),
  promptLookup: await speculation(),
  jsonSchema: await structured(),
}
load.push(loadavg()[0])
const { version } = JSON.parse(readFileSync(join(root, 'packages/sampling/package.json'), 'utf8'))
const document = {
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) },
  system: { platform: process.platform, arch: process.arch, release: release(), node: process.version },
  cria: { version, commit: commit.stdout.trim() },
  flags: { model: model?.file, threads: o.threads, rounds: o.rounds },
  load,
  vocabulary: 128_256,
  chains,
  masks,
  ...(model && { model }),
}
mkdirSync(dirname(resolve(o.out)), { recursive: true })
writeFileSync(o.out, `${JSON.stringify(document, null, 1)}\n`)
for (const { name, microseconds } of chains) console.log(`${String(microseconds).padStart(6)} µs  ${name}`)
for (const { name, warmMedian } of masks) console.log(`${String(warmMedian).padStart(6)} µs  mask: ${name}`)
for (const { name, gain } of model?.promptLookup ?? [])
  console.log(`${gain.toFixed(2).padStart(6)} ×   prompt lookup: ${name}`)
for (const { who, temperature, value } of model?.jsonSchema ?? []) console.log(who, temperature, JSON.stringify(value))
