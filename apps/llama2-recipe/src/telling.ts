/** The telling of a round: the model tells, the world's checker reads, and what it accepts is kept. One process a core. */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cpu } from '@cria/kernels-cpu'
import { loadLlama } from '@cria/llama'
import { fromGguf } from '@cria/tokenizer'
import { openModelAt } from '@cria/weights/node'
import { checkInstruction, checkStory, formatInstruction, instructionFor, Random, story } from '@cria/world'
import { orderOf, storyOf, Teller } from './tell.js'

export interface Telling {
  /** The GGUF file of the model that tells. */
  readonly gguf: string
  readonly seed: number
  readonly round: number
  /** So many are told, half of them to order. */
  readonly documents: number
  /** Temperature. */
  readonly heat: number
  /** Default: one a core. What is accepted does not depend on it. */
  readonly processes?: number | undefined
}

export interface Accepted {
  readonly document: string
  /** What the model was given; the rest is its own. */
  readonly prompt: string
}

/** What one process tells: every `of`-th document, from number `first`. */
export interface Share extends Telling {
  readonly first: number
  readonly of: number
}

/** Whether the story of a document holds together, in words of the world, and obeys the order before it, if there is one. */
export function acceptable(document: string): boolean {
  const told = storyOf(document)
  const order = orderOf(document)
  const { consistent, unknown } = checkStory(told)
  return consistent && unknown.length === 0 && (order === undefined || checkInstruction(order, told).followed)
}

/** What is accepted of a share. Each document has a seed of its own, so shares come to the same, however many there are. */
export async function* tellShare({
  gguf,
  seed,
  round,
  documents,
  heat,
  first,
  of,
}: Share): AsyncGenerator<[number, Accepted]> {
  // A step of so small a model is shorter than what two threads need to meet.
  using device = await cpu({ threads: 1 })
  const opened = await openModelAt(gguf)
  try {
    using model = await loadLlama(device, opened)
    using teller = new Teller(model, fromGguf(opened.weights.metadata))
    for (let i = first; i < documents; i += of) {
      const prompt =
        i % 2 === 1
          ? formatInstruction(instructionFor(story(seed + 5000 + round, i), new Random(seed, i, 100 + round)))
          : ''
      const document = await teller.tell({ seed: (100 * seed + round) * 1e6 + i, heat, prompt })
      if (acceptable(document)) yield [i, { document, prompt }]
    }
  } finally {
    await opened.close()
  }
}

/** All that is accepted, in the order of telling. */
export async function accepted(telling: Telling): Promise<Accepted[]> {
  const of = Math.min(telling.processes ?? availableParallelism(), telling.documents)
  const shares = await Promise.all(Array.from({ length: of }, (_, first) => inProcess({ ...telling, first, of })))
  return shares
    .flat()
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
}

function inProcess(share: Share): Promise<[number, Accepted][]> {
  const execArgv = ['--conditions=cria-source', '--import', import.meta.resolve('tsx')]
  const child = fork(fileURLToPath(new URL('./telling-process.ts', import.meta.url)), { execArgv })
  let kept: [number, Accepted][] = []
  child.once('message', all => (kept = all as typeof kept))
  child.send(share)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) =>
      code === 0 ? resolve(kept) : reject(new Error(`got a telling process that ended with ${signal ?? code}`)),
    )
  })
}
