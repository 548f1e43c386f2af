// How near scoring a text comes to prefill: `cria perplexity` over FILE and `cria bench -p 512` on MODEL, interleaved.
//
//   node tools/bench/perplexity.mjs MODEL FILE [--rounds 5] [--out bench/results/perplexity.json]
//
// Scoring computes the output layer for every token, prefill for the last one alone; `ratio` is scoring / prefill of the
// same round.
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { machine } from './machine.mjs'
import { median } from './summary.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    out: { type: 'string', default: join(root, 'bench/results/perplexity.json') },
  },
})
const [model, file] = positionals
if (!model || !file) throw new Error('perplexity: got no model or no text, expected MODEL FILE')

async function cria(...args) {
  const main = join(root, 'packages/cria/test/main.ts')
  const tsx = join(root, 'node_modules/tsx/dist/loader.mjs')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--conditions=cria-source',
    '--import',
    tsx,
    main,
    ...args,
  ])
  return { stdout, stderr }
}

const samples = []
const load = loadavg()[0]
for (let round = 0; round < Number(values.rounds); round++) {
  const bench = JSON.parse((await cria('bench', model, '-p', '512', '-n', '0', '-r', '2', '--json')).stdout)
  const { stderr } = await cria('perplexity', model, file, '--context', '512')
  const scoring = Number(/· (\d+) tokens\/s/.exec(stderr)[1])
  samples.push({ prefill: bench[0].tokensPerSecond.median, scoring })
  console.log(samples.at(-1))
}
const of = name => median(samples.map(s => s[name]))
const document = {
  ...(await machine(root)),
  loadBefore: load,
  command: `node tools/bench/perplexity.mjs MODEL FILE --rounds ${values.rounds}`,
  model: model.split('/').at(-1),
  context: 512,
  tokensPerSecond: { prefill: of('prefill'), scoring: of('scoring') },
  ratio: median(samples.map(s => s.scoring / s.prefill)),
  samples,
}
await mkdir(dirname(values.out), { recursive: true })
await writeFile(values.out, `${JSON.stringify(document, null, 2)}\n`)
console.log(document.tokensPerSecond, document.ratio)
