// Measures the WebGPU backend on the GPU there is, and the CPU of the same machine beside it, and writes both.
//
//   pnpm bench:webgpu [MODEL.gguf…] [options]        # cria synth --shape llama-3.2-1b --type Q4_0 --out … makes one
//
//   -p N          prompt lengths, comma-separated (512)          -r N          rounds (5)
//   -n N          tokens to decode (64)                          -d N          cache depths, comma-separated (0)
//   --backends B  of cria bench (webgpu,cpu)                     --shapes S    training shapes of train-shapes.json
//   --driver TEXT what drives the GPU (nvidia-smi's word)        --commit ID   for a checkout without git
//   --out FILE    bench/results/webgpu.json
//
// CRIA is the command line of ours (default: this repository's). Backends take turns, model by model.
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { webgpu } from '@cria/kernels-webgpu'
import { machine } from './machine.mjs'
import { median } from './summary.mjs'
import { kernelRows } from './webgpu-kernels.js'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const run = promisify(execFile)
const text = (value: string, short?: string) => ({ type: 'string' as const, default: value, ...(short && { short }) })
const { values: o, positionals: models } = parseArgs({
  allowPositionals: true,
  options: {
    prompt: text('512', 'p'),
    decode: text('64', 'n'),
    depth: text('0', 'd'),
    rounds: text('5', 'r'),
    backends: text('webgpu,cpu'),
    shapes: text(''),
    driver: { type: 'string' },
    commit: { type: 'string' },
    out: text(join(root, 'bench/results/webgpu.json')),
  },
})
const backends = o.backends.split(',')
const cria = process.env.CRIA?.split(' ') ?? [process.execPath, join(root, 'packages/cria/bin/cria.js')]

/** NVIDIA's name and driver of the card; nothing where there is no such tool. */
async function card(): Promise<{ card?: string; driver?: string }> {
  const asked = ['--query-gpu=name,driver_version', '--format=csv,noheader']
  const { stdout } = await run('nvidia-smi', asked).catch(() => ({ stdout: '' }))
  const [name, driver] = stdout.trim().split(', ')
  return { ...(name && { card: name }), ...((o.driver ?? driver) && { driver: o.driver ?? driver! }) }
}

async function decode(model: string, backend: string): Promise<object[]> {
  const flags = ['-p', o.prompt, '-n', o.decode, '-d', o.depth, '-r', o.rounds, '--backend', backend, '--json']
  const { stdout } = await run(cria[0]!, [...cria.slice(1), 'bench', model, ...flags], { maxBuffer: 1 << 26 })
  return (JSON.parse(stdout) as object[]).map(row => ({ model: basename(model), ...row }))
}

/** Tokens a second of training steps (forward, backward, clip, AdamW) of a shape. */
async function train(shape: string, backend: string): Promise<object> {
  const worker = join(here, `train-worker${extname(fileURLToPath(import.meta.url))}`)
  const name = backend === 'cpu' ? 'native' : backend
  const child = spawn(process.execPath, [...process.execArgv, worker, shape, 'fp32', name], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_THREADS: process.env.BENCH_THREADS ?? String(cpus().length) },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<{ seconds: number; loss: number; first: number }> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`webgpu: the training step of ${shape} on ${backend} failed. Its error is above`)
    return JSON.parse(value)
  }
  const { first } = await answer()
  const samples: number[] = []
  let loss = Number.NaN
  for (let round = 0; round < Number(o.rounds); round++) {
    child.stdin.write('3\n')
    const result = await answer()
    samples.push(result.seconds / 3)
    loss = result.loss
  }
  child.stdin.end()
  return { shape, backend, firstStepSeconds: first, secondsPerStep: median(samples), loss }
}

const device = await webgpu()
const { cria: version, ...about } = await machine(root)
const document: Record<string, unknown> = {
  ...about,
  gpu: { ...(await card()), adapter: device.description },
  cria: o.commit === undefined ? version : { ...version, commit: o.commit },
  flags: { prompt: o.prompt, decode: o.decode, depth: o.depth, rounds: Number(o.rounds), backends },
  models: models.map(m => ({ name: basename(m), bytes: statSync(m).size })),
}
/** After each part, so that a run that is ended early leaves what it measured. */
const write = (part: object): void => {
  Object.assign(document, part, { load: Number(loadavg()[0]!.toFixed(2)) })
  mkdirSync(dirname(resolve(o.out)), { recursive: true })
  writeFileSync(o.out, `${JSON.stringify(document, null, 1)}\n`)
}
write({ kernels: await kernelRows(device) })
device.dispose()
const rows: object[] = []
for (const model of models) {
  for (const backend of backends) {
    for (const row of await decode(model, backend)) {
      rows.push(row)
      process.stderr.write(`${JSON.stringify(row)}\n`)
    }
    write({ rows })
  }
}
const training: object[] = []
for (const shape of o.shapes.split(',').filter(Boolean)) {
  for (const backend of backends) {
    const row = await train(shape, backend)
    training.push(row)
    process.stderr.write(`${JSON.stringify(row)}\n`)
    write({ training })
  }
}
