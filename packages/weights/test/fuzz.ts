/**
 * Opens broken files one after another, in a process of its own: a mutant that hangs or eats memory must not take the
 * test runner with it. `main.ts` of the fuzz: prints how each campaign's mutants ended, as JSON.
 */
import { readFileSync } from 'node:fs'
import { convert } from '../src/convert/convert.js'
import { WeightsError } from '../src/errors.js'
import { openModel, openSingle, sourceFolder } from '../src/open.js'
import { memorySink } from '../src/sink.js'
import { type ByteSource, bytesSource } from '../src/source.js'
import { mutated } from './mutate.js'
import { hostilePickle, torchZip } from './pickles.js'
import { lcg } from './random.js'
import { golden } from './shared.js'
import { tinyConfig, tinyFolder } from './tiny.js'

/** A source that notes how much is asked of it. */
function watched(bytes: Uint8Array): { source: ByteSource; most: () => number } {
  const inner = bytesSource(bytes, 'mutant')
  let most = 0
  return {
    source: {
      ...inner,
      async read(offset, length) {
        const got = await inner.read(offset, length) // refuses what is not there
        most = Math.max(most, length)
        return got
      },
    },
    most: () => most,
  }
}

/** `CRIA_FUZZ=50` runs fifty times as many mutants. */
const effort = Number(process.env.CRIA_FUZZ ?? 1)

/** How many mutants ended how: `read`, or a code of `WeightsError`. Anything else throws. */
async function hammer(
  seed: number,
  count: number,
  mutant: (next: () => number) => Uint8Array,
  companions?: Record<string, ByteSource>,
): Promise<Record<string, number>> {
  const next = lcg(seed)
  const seen: Record<string, number> = {}
  for (let i = 0; i < count * effort; i++) {
    const bytes = mutant(next)
    const { source, most } = watched(bytes)
    let outcome = 'read'
    try {
      const model = companions && (await openModel(sourceFolder({ ...companions, mutant: source }), 'mutant'))
      const file = model?.weights ?? (await openSingle(source))
      for (const { name, bytes: expected, shape } of file.tensors.values()) {
        const { length } = await file.read(name)
        if (length !== expected || shape.length > 8) throw new Error(`${name}: ${length} of ${expected} bytes`)
      }
    } catch (error) {
      if (!(error instanceof WeightsError)) throw new Error(`seed ${seed}, mutant ${i}: ${(error as Error).stack}`)
      if (error.message.length > 600) throw new Error(`seed ${seed}, mutant ${i}: ${error.message.length} characters`)
      outcome = error.code
    }
    seen[outcome] = (seen[outcome] ?? 0) + 1
    if (most() > bytes.length) throw new Error(`seed ${seed}, mutant ${i}: read ${most()} of ${bytes.length} bytes`)
  }
  return seen
}

const copies =
  (bytes: Uint8Array, header = bytes.length) =>
  (next: () => number): Uint8Array =>
    mutated(bytes, next, header)

/** The tiny model as one GGUF file, and the length of its header. */
async function tinyGguf(): Promise<{ bytes: Uint8Array; header: number }> {
  const model = await openModel(await tinyFolder({ ...tinyConfig, layers: 1, vocab: 16, ffnDim: 32 }))
  const sink = memorySink()
  await convert(model, sink, { to: 'gguf', type: 'q8_0' })
  const bytes = sink.bytes()
  const opened = await openSingle(bytesSource(bytes))
  return { bytes, header: Math.min(...[...opened.tensors.values()].map(t => t.offset)) }
}

async function safetensors(): Promise<Record<string, number>> {
  const folder = await tinyFolder({ ...tinyConfig, layers: 1, vocab: 16, ffnDim: 32 })
  const source = await folder.open('model.safetensors')
  const bytes = await source.read(0, source.size)
  const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  return hammer(2, 3000, copies(bytes, header), { 'config.json': await folder.open('config.json') })
}

/** A whole file of zeros behind the header. */
function llama2c(version: number): Uint8Array {
  const bytes = new Uint8Array([2684, 2784, 1568][version]!)
  const view = new DataView(bytes.buffer)
  if (version > 0) {
    view.setUint32(0, 0x616b3432, true)
    view.setInt32(4, version, true)
  }
  const at = version > 0 ? 8 : 0
  for (const [i, n] of [8, 16, 1, 2, 1, 4, 8].entries()) view.setInt32(at + 4 * i, n, true)
  if (version > 0) view.setUint8(at + 28, 1)
  if (version === 2) view.setInt32(at + 29, 4, true)
  return bytes
}

const file = (name: string): Uint8Array => new Uint8Array(readFileSync(golden(name)))

const campaigns: Readonly<Record<string, () => Promise<Record<string, number>>>> = {
  async gguf() {
    const { bytes, header } = await tinyGguf()
    return hammer(1, 3000, copies(bytes, header), { 'config.json': bytesSource(new Uint8Array(2)) })
  },
  safetensors,
  'plain.pth': () => hammer(3, 2500, copies(file('plain.pth'))),
  'evil.pth': () => hammer(3, 2500, copies(file('evil.pth'))),
  'legacy.pth': () => hammer(3, 2500, copies(file('legacy.pth'))),
  pickles: () => hammer(30, 5000, next => torchZip(hostilePickle(next))),
  'llama2c 0': () => hammer(4, 1000, copies(llama2c(0), 64)),
  'llama2c 1': () => hammer(5, 1000, copies(llama2c(1), 64)),
  'llama2c 2': () => hammer(6, 1000, copies(llama2c(2), 64)),
}

const ended: Record<string, Record<string, number>> = {}
for (const [name, campaign] of Object.entries(campaigns)) ended[name] = await campaign()
console.log(JSON.stringify({ ended, peakBytes: process.resourceUsage().maxRSS * 1024 }))
