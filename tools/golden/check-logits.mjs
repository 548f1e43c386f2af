// Holds `cria logits` against expected log-probabilities and prints one line a model; exit code 1 if a bound is passed.
//
//   node tools/golden/check-logits.mjs [--backend B] PATH…
//
// PATH is a model folder with expected.json, a GGUF with its JSON beside it (as make_random_models.py and
// make_random_gguf.py write them), a folder of either, or `smollm2=FILE.gguf` (against smollm2.json). CRIA names the
// command line (default: this repository's). Bounds, on the largest difference among the ten likeliest tokens:
// folders 0.02, BF16 0.05; F32, F16, BF16 GGUF 0.02 from llama.cpp; quantised GGUF 0.25 from exact arithmetic, SmolLM2
// 0.5, and on average at most 1.3 times llama.cpp's own error over the same cases.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const cria = process.env.CRIA?.split(' ') ?? [process.execPath, resolve(here, '../../packages/cria/bin/cria.js')]
const args = process.argv.slice(2)
const backend = args[0] === '--backend' ? args.splice(0, 2)[1] : 'cpu'
const readJson = path => JSON.parse(readFileSync(path, 'utf8'))
const mean = values => values.reduce((a, b) => a + b, 0) / values.length

/** id -> log-probability from the CLI. */
function ours(model, tokens) {
  const text = execFileSync(cria[0], [...cria.slice(1), 'logits', model, '--tokens', tokens.join(), '--all', '--backend', backend, '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Map(JSON.parse(text).logprobs)
}

/** Largest difference over [[id, logprob], …]. */
const distance = (found, expected) => Math.max(...expected.map(([id, value]) => Math.abs(found.get(id) - value)))
const likeliest = (values, n) => values.map((v, i) => [i, v]).sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, n)

/** [{ name, model, cases: [{ tokens, expected, llamaCppError? }], bound, relative }] for a path. */
function targets(path) {
  if (path.startsWith('smollm2=')) {
    const prompts = readJson(join(here, 'smollm2.json')).prompts
    const cases = prompts.map(p => ({ tokens: p.tokens, expected: p.top.slice(0, 10), llamaCppError: p.llamaCppError }))
    return [{ name: 'SmolLM2', model: path.slice(8), cases, bound: 0.5 }]
  }
  if (path.endsWith('.gguf')) {
    const doc = readJson(path.replace(/gguf$/, 'json'))
    const float = doc.types.every(t => ['F32', 'F16', 'BF16'].includes(t))
    const cases = doc.cases.map(c => {
      const top = Array.isArray(c.exact[0]) ? c.exact.slice(0, 10) : likeliest(c.exact, 10)
      const expected = float && c.llamaCpp ? top.map(([id]) => [id, c.llamaCpp[id]]) : top
      return { tokens: c.tokens, expected, ...(float ? { exact: top } : { llamaCppError: c.llamaCppError }) }
    })
    return [{ name: basename(path), model: path, cases, bound: float ? 0.02 : 0.25, refusable: doc.refusable }]
  }
  if (existsSync(join(path, 'expected.json'))) {
    const doc = readJson(join(path, 'expected.json'))
    const cases = doc.cases.map(c => ({ tokens: c.tokens, expected: c.top.slice(0, 10) }))
    return [{ name: basename(path), model: path, cases, bound: doc.dtype === 'bf16' ? 0.05 : 0.02, refusable: doc.refusable }]
  }
  return readdirSync(path).sort().map(n => join(path, n)).filter(p => p.endsWith('.gguf') || statSync(p).isDirectory()).flatMap(targets)
}

const over = { ours: [], theirs: [] }
let failures = 0
for (const target of args.flatMap(targets)) {
  try {
    const found = target.cases.map(c => ours(target.model, c.tokens))
    const errors = target.cases.map((c, i) => distance(found[i], c.expected))
    const exact = target.cases.flatMap((c, i) => (c.exact ? [distance(found[i], c.exact)] : []))
    const theirs = target.cases.map(c => c.llamaCppError).filter(e => e !== undefined)
    const bad = !errors.every(e => e <= target.bound)
    failures += bad ? 1 : 0
    let line = `${bad ? 'FAIL' : 'ok  '} ${target.name.padEnd(30)} mean ${mean(errors).toFixed(4)} max ${Math.max(...errors).toFixed(4)} bound ${target.bound}`
    if (theirs.length === errors.length) {
      over.ours.push(...errors)
      over.theirs.push(...theirs)
      line += `, llama.cpp mean ${mean(theirs).toFixed(4)}`
    }
    if (exact.length) line += `, from exact arithmetic mean ${mean(exact).toFixed(4)} max ${Math.max(...exact).toFixed(4)}`
    console.log(line)
  } catch (error) {
    const message = String(error.stderr || error.message).trim()
    const refused = target.refusable && message.includes(target.refusable)
    failures += refused ? 0 : 1
    console.log(`${refused ? 'ok  ' : 'FAIL'} ${target.name.padEnd(30)} ${refused ? 'refused: ' : ''}${message.split('\n').find(l => /error|: got/i.test(l)) ?? message.split('\n')[0]}`)
  }
}
if (over.ours.length) {
  const ratio = mean(over.ours) / mean(over.theirs)
  if (!(ratio <= 1.3)) failures++
  console.log(`${ratio <= 1.3 ? 'ok  ' : 'FAIL'} mean error on quantised files: ${mean(over.ours).toFixed(4)}, ${ratio.toFixed(2)} of llama.cpp's (bound 1.3)`)
}
console.log(failures ? `${failures} failed` : 'all within bounds')
process.exitCode = failures ? 1 : 0
