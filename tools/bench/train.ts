// Races a training step of ours against PyTorch's on the same shapes, interleaved, and writes what was measured.
//
//   pnpm bench:train [--python PATH] [--shapes 3.4M,15M,110M] [--precisions fp32,bf16] [--rounds 5] [--seconds 3]
//                    [--wasm] [--profile] [--out bench/results/train.json]
//
// Without --python only ours runs. A round lets each side run for about --seconds, one right after the other; who goes
// first alternates. --wasm adds our WebAssembly backend, --profile prints where our step spends its time.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { CallTime } from '@cria/kernels-cpu'
import { estimate, llamaConfig } from '@cria/llama'
import shapes from './train-shapes.json' with { type: 'json' }

type ShapeName = keyof typeof shapes
const root = fileURLToPath(new URL('../..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    shapes: { type: 'string', default: Object.keys(shapes).join() },
    precisions: { type: 'string', default: 'fp32,bf16' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    wasm: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    out: { type: 'string', default: 'bench/results/train.json' },
  },
})
const threads = Number(process.env.BENCH_THREADS ?? cpus().length)
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

interface Answer {
  readonly description?: string
  readonly first?: number
  readonly seconds?: number
  readonly cpuSeconds?: number
  readonly loss?: number
  readonly peakBytes?: number
  readonly calls?: readonly CallTime[]
}

/** A process that runs steps on demand. */
class Side {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>
  description = ''
  step = 1

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
  ) {
    const env = { ...process.env, BENCH_THREADS: String(threads) }
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  private async answer(): Promise<Answer> {
    const { value, done } = await this.lines.next()
    if (done) throw new Error(`${this.name}: got no answer, expected a line of JSON. Its error is above`)
    return JSON.parse(value) as Answer
  }

  /** Waits for the first step, then learns how long one takes. */
  async start(): Promise<this> {
    this.description = (await this.answer()).description ?? ''
    await this.run(1)
    this.step = (await this.run(1)).seconds!
    return this
  }

  run(steps: number): Promise<Answer> {
    this.child.stdin!.write(`${steps}\n`)
    return this.answer()
  }

  stop(): void {
    this.child.stdin!.end()
  }
}

const ours = (shape: string, precision: string, backend: string): Side =>
  new Side(backend, process.execPath, [
    '--conditions=cria-source',
    '--import',
    'tsx',
    here('train-worker.ts'),
    shape,
    precision,
    backend,
    ...(options.profile && backend === 'native' ? ['--profile'] : []),
  ])
const theirs = (shape: string, precision: string): Side =>
  new Side('pytorch', options.python!, [here('train_peer.py'), shape, precision, 'compiled'])

/** Multiply-adds of a training step count 2; three passes; attention sees half of its square. */
function flopsPerToken({ dim, layers, heads, kvHeads, ffn, vocab, seq }: (typeof shapes)[ShapeName]): number {
  const config = llamaConfig({
    vocabSize: vocab,
    hiddenSize: dim,
    intermediateSize: ffn,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
    numKeyValueHeads: kvHeads,
  })
  return estimate(config, { context: seq }).trainFlopsPerToken
}

/** Peak of this machine in GFLOP/s, measured now; undefined without AVX-512 or a compiler. */
function peaks(): Readonly<Record<string, number>> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'cria-peak-'))
  try {
    const source = join(root, 'packages/kernels-cpu/native/test/peak.cpp')
    const program = join(folder, 'peak')
    execFileSync('g++', [
      '-std=c++20',
      '-O2',
      '-mavx512f',
      '-mavx512bf16',
      '-mavx512vnni',
      '-pthread',
      source,
      '-o',
      program,
    ])
    return JSON.parse(execFileSync(program, [String(threads)], { encoding: 'utf8' })) as Record<string, number>
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[xs.length >> 1]!

function showProfile(calls: readonly CallTime[]): void {
  const total = new Map<string, { n: number; worked: number; waited: number }>()
  for (const c of calls) {
    const t = total.get(c.kernel) ?? { n: 0, worked: 0, waited: 0 }
    total.set(c.kernel, { n: t.n + 1, worked: t.worked + c.worked, waited: t.waited + c.waited })
  }
  console.log('   worked ms  waited ms  calls  kernel')
  for (const [name, t] of [...total].sort((a, b) => b[1].worked + b[1].waited - a[1].worked - a[1].waited)) {
    const ms = (ns: number): string => (ns / 1e6).toFixed(2).padStart(10)
    console.log(`${ms(t.worked)} ${ms(t.waited)} ${String(t.n).padStart(6)}  ${name}`)
  }
}

const peak = peaks()
const results: object[] = []
const machine = {
  cpu: cpus()[0]?.model,
  threads,
  platform: platform(),
  release: release(),
  arch: arch(),
  load: loadavg(),
}
const out = resolve(root, options.out)
/** After every pair, so that a run that ends early leaves what it has. */
function write(): void {
  mkdirSync(dirname(out), { recursive: true })
  const found = { date: new Date().toISOString(), machine, node: process.version, peak, shapes, results }
  writeFileSync(out, `${JSON.stringify(found, undefined, 2)}\n`)
}

const rounds = Number(options.rounds)
console.log(`peak GFLOP/s on ${threads} threads: ${JSON.stringify(peak)}`)
for (const shape of options.shapes.split(',') as ShapeName[]) {
  for (const precision of options.precisions.split(',')) {
    const { batch, seq } = shapes[shape]
    const sides = await Promise.all(
      [
        ours(shape, precision, 'native'),
        ...(options.python ? [theirs(shape, precision)] : []),
        ...(options.wasm ? [ours(shape, precision, 'wasm')] : []),
      ].map(side => side.start()),
    )
    const speeds = sides.map((): number[] => [])
    const work = sides.map((): number[] => [])
    const last: Answer[] = []
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < sides.length; i++) {
        const s = round % 2 === 0 ? i : sides.length - 1 - i
        const steps = Math.max(1, Math.round(Number(options.seconds) / sides[s]!.step))
        const answer = await sides[s]!.run(steps)
        speeds[s]!.push((steps * batch * seq) / answer.seconds!)
        work[s]!.push((steps * batch * seq) / answer.cpuSeconds!)
        last[s] = answer
      }
    }
    sides.forEach((side, s) => {
      const tokensPerSecond = median(speeds[s]!)
      const gflops = (tokensPerSecond * flopsPerToken(shapes[shape])) / 1e9
      const result = {
        shape,
        precision,
        side: side.name,
        description: side.description,
        tokensPerSecond: Math.round(tokensPerSecond),
        rounds: speeds[s]!.map(Math.round),
        /** Median of the ratios of each round. */
        toPytorch: options.python ? median(speeds[s]!.map((v, r) => v / speeds[1]![r]!)) : undefined,
        /** Tokens of a second of processor time: with one thread, what a machine that others use too can tell. */
        tokensPerCpuSecond: Math.round(median(work[s]!)),
        toPytorchByCpu: options.python ? median(work[s]!.map((v, r) => v / work[1]![r]!)) : undefined,
        shareOfPeak: peak?.[precision] ? gflops / peak[precision]! : undefined,
        peakMegabytes: Math.round(last[s]!.peakBytes! / 2 ** 20),
        loss: last[s]!.loss,
      }
      results.push(result)
      const share = result.shareOfPeak === undefined ? '' : `, ${(100 * result.shareOfPeak).toFixed(0)} % of peak`
      const ratio =
        result.toPytorch === undefined || s === 1
          ? ''
          : `, ${result.toPytorch.toFixed(2)}× PyTorch (${result.toPytorchByCpu?.toFixed(2)}× by processor time)`
      console.log(
        `${shape} ${precision} ${side.name}: ${result.tokensPerSecond} tokens/s${share}${ratio}, ${result.peakMegabytes} MB, loss ${result.loss?.toFixed(3)}`,
      )
      if (last[s]!.calls?.length) showProfile(last[s]!.calls!)
      side.stop()
    })
    write()
  }
}
console.log(`wrote ${options.out}`)
