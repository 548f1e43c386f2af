// Races `cria bench` against llama.cpp's `llama-bench` on the same files, interleaved, and writes what was measured.
//
//   LLAMA_BENCH=…/llama-bench node tools/bench/compare-llama-cpp.mjs MODEL.gguf… [options]
//
//   -p N          prompt lengths, comma-separated (512)          -t N      thread counts, comma-separated (1,2)
//   -n N          tokens to decode (64)                          -d N      cache depths, comma-separated (0)
//   -r N          rounds (5)                                     --backend B   of cria bench (cpu)
//   --llama-flags "…"  more flags for llama-bench                --out FILE    bench/results/llama-cpp-<time>.json
//   --append      add these rounds to those that FILE holds, so that a long race can be run in short calls
//
// LLAMA_BENCH names the llama-bench to race (default: the one on PATH); CRIA the command line of ours (default: this
// repository's). In a round, each model, thread count and depth is run once by both, one right after the other, and
// who goes first alternates; before each pair the read bandwidth of memory is measured. Exit code 1 if a side fails, 2 for wrong arguments.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { readBandwidth } from './bandwidth.mjs'
import { machine } from './machine.mjs'
import { summarise, table } from './summary.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const run = promisify(execFile)

function stop(message, code) {
  process.stderr.write(`compare-llama-cpp: ${message}\n`)
  process.exit(code)
}

function options() {
  const one = (short, value) => ({ type: 'string', short, default: value })
  let parsed
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        prompt: one('p', '512'),
        decode: one('n', '64'),
        threads: one('t', '1,2'),
        depth: one('d', '0'),
        rounds: one('r', '5'),
        backend: { type: 'string', default: 'cpu' },
        'llama-flags': { type: 'string', default: '' },
        out: { type: 'string' },
        append: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    stop(error.message, 2)
  }
  const { values, positionals } = parsed
  const counts = (name, least) => {
    const list = values[name].split(',').map(Number)
    if (!list.every(n => Number.isInteger(n) && n >= least)) {
      stop(`--${name}: got ${values[name]}, expected whole numbers from ${least}`, 2)
    }
    return list
  }
  if (positionals.length === 0) stop('got no model, expected the path of at least one GGUF file', 2)
  for (const model of positionals) if (!existsSync(model)) stop(`${model} does not exist`, 2)
  return {
    models: positionals,
    prompt: counts('prompt', 0),
    decode: counts('decode', 0),
    threads: counts('threads', 1),
    depth: counts('depth', 0),
    rounds: counts('rounds', 1)[0],
    backend: values.backend,
    llamaFlags: values['llama-flags'].split(' ').filter(Boolean),
    append: values.append,
    out: values.out ?? join(root, 'bench/results', `llama-cpp-${new Date().toISOString().replace(/[:.]/g, '-')}.json`),
  }
}

const llamaBench = process.env.LLAMA_BENCH ?? 'llama-bench'
const cria = process.env.CRIA?.split(' ') ?? [process.execPath, join(root, 'packages/cria/bin/cria.js')]

async function output(command, args) {
  try {
    return (await run(command, args, { maxBuffer: 1 << 26 })).stdout
  } catch (error) {
    if (error.code === 'ENOENT') {
      stop(`cannot start ${command}. Set LLAMA_BENCH to llama.cpp's llama-bench and CRIA to the cria command`, 1)
    }
    return stop(`${basename(command)} failed: ${(error.stderr || error.message).trim().split('\n').at(-1)}`, 1)
  }
}

let theirVersion

/** Both return [{ test, threads, depth, tokensPerSecond }]. */
async function benchTheirs(o, model, threads, depth) {
  const shape = ['-m', model, '-p', o.prompt.join(), '-n', o.decode.join(), '-t', String(threads), '-d', String(depth)]
  const text = await output(llamaBench, [...shape, '-r', '1', '-ngl', '0', '-o', 'jsonl', ...o.llamaFlags])
  const rows = text.split('\n').filter(line => line.startsWith('{'))
  return rows.map(line => {
    const row = JSON.parse(line)
    theirVersion ??= { build: `${row.build_commit} (${row.build_number})`, cpu: row.cpu_info, backends: row.backends }
    const test = row.n_prompt > 0 ? `pp${row.n_prompt}` : `tg${row.n_gen}`
    return { test, threads: row.n_threads, depth: row.n_depth ?? 0, tokensPerSecond: row.avg_ts }
  })
}
async function benchOurs(o, model, threads, depth) {
  const shape = ['-p', o.prompt.join(), '-n', o.decode.join(), '-t', String(threads), '-d', String(depth)]
  const text = await output(cria[0], [
    ...cria.slice(1),
    'bench',
    model,
    ...shape,
    '-r',
    '1',
    '--backend',
    o.backend,
    '--json',
  ])
  return JSON.parse(text).map(row => {
    if (row.backend !== o.backend) stop(`cria ran on ${row.backend}, expected ${o.backend}`, 1)
    return { test: row.test, threads: row.threads, depth: row.depth, tokensPerSecond: row.tokensPerSecond.median }
  })
}

const o = options()
const before =
  o.append && existsSync(o.out)
    ? JSON.parse(readFileSync(o.out, 'utf8'))
    : { models: [], load: [], bandwidth: [], samples: [] }
const samples = [...before.samples]
const load = [...before.load]
/** What memory gave in the same minute, which bounds decoding. */
const bandwidth = [...(before.bandwidth ?? [])]
const first = 1 + samples.reduce((most, s) => Math.max(most, s.round), -1)
const about = await machine(root)
const raced = o.models.map(m => ({ name: basename(m), bytes: statSync(m).size }))
const models = [...before.models.filter(m => !raced.some(r => r.name === m.name)), ...raced]

/** After each pair, so that a call that is ended early leaves what it measured. */
function write() {
  const { prompt, decode, threads, depth, rounds, backend } = o
  const flags = { prompt, decode, threads, depth, rounds, backend, llamaBench: o.llamaFlags }
  const rows = summarise(samples)
  mkdirSync(dirname(resolve(o.out)), { recursive: true })
  const document = { ...about, llamaCpp: theirVersion, models, flags, load, bandwidth, rows, samples }
  writeFileSync(o.out, `${JSON.stringify(document, null, 1)}\n`)
  return rows
}

let rows = []
for (let round = first; round < first + o.rounds; round++) {
  for (const model of o.models) {
    for (const threads of o.threads) {
      for (const depth of o.depth) {
        const sides = { ours: benchOurs, theirs: benchTheirs }
        // Their order alternates, so that neither side always runs on the warmer machine.
        const order = load.length % 2 ? ['ours', 'theirs'] : ['theirs', 'ours']
        load.push(Number(loadavg()[0].toFixed(2)))
        bandwidth.push({ round, model: basename(model), threads, gigabytesPerSecond: await readBandwidth(threads) })
        const found = {}
        for (const engine of order) found[engine] = await sides[engine](o, model, threads, depth)
        for (const engine of order) {
          for (const row of found[engine]) samples.push({ round, engine, model: basename(model), ...row })
        }
        rows = write()
      }
    }
  }
  process.stderr.write(`round ${round - first + 1} of ${o.rounds}\n`)
}
process.stdout.write(`${table(rows)}\n`)
