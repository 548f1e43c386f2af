/**
 * `pnpm eval:storyteller [MODEL] [options]`: every figure of the storyteller's model card.
 *
 *   --stories N    stories and orders to sample (100)      --questions N  held-out stories to ask about (200)
 *   --size S       what MODEL was trained as (5m)          --tokens N     text it was trained on (that of the size)
 *   --seed N       of all of it (1)                        --json FILE    write the figures
 *   --show N       print so many stories (0)               --problems     print what the checker found
 */
import { stat, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LlamaLanguageModel, measurePerplexity } from '@cria/eval'
import { cpu } from '@cria/kernels-cpu'
import { loadLlama } from '@cria/llama'
import { fromGguf } from '@cria/tokenizer'
import { openModelAt } from '@cria/weights/node'
import { checkInstruction, checkStory, document, formatInstruction, instructionFor, Random, story } from '@cria/world'
import { ask } from './ask.js'
import { copying, repetition } from './copying.js'
import { documentsFor, texts } from './corpus.js'
import { context, type SizeName, sizes } from './sizes.js'
import { orderOf, questionsHeader, storyOf, Teller } from './tell.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    stories: { type: 'string', default: '100' },
    questions: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    show: { type: 'string', default: '0' },
    problems: { type: 'boolean', default: false },
    size: { type: 'string', default: '5m' },
    tokens: { type: 'string' },
  },
})
const path = positionals[0] ?? fileURLToPath(new URL('../../../packages/storyteller/storyteller.gguf', import.meta.url))
const seed = Number(values.seed)
const many = Number(values.stories)
const device = await cpu()
const opened = await openModelAt(path)
const model = await loadLlama(device, opened)
const tokenizer = fromGguf(opened.weights.metadata)
const say = (line: string): void => console.log(line)
const percent = (x: number): string => `${(100 * x).toFixed(1)} %`

// 1. Loss on documents of held-out combinations, one window a document.
let [nll, scored, bytes] = [0, 0, 0]
for (let i = 0; i < 200; i++) {
  const { text } = document(seed + 1000, i, { split: 'heldout' })
  const ids = [...tokenizer.encode(text, { eos: true })]
  const measured = await measurePerplexity(model, ids, { context })
  nll += measured.nll * measured.scored
  scored += measured.scored
  bytes += Buffer.byteLength(text)
}
const loss = { nll: nll / scored, perplexity: Math.exp(nll / scored), bitsPerByte: nll / Math.LN2 / bytes }
say(`held-out loss ${loss.nll.toFixed(4)} nats a token, ${loss.bitsPerByte.toFixed(4)} bits a byte`)

// 2. Sampled stories read by the checker of the world: drawn from all tokens, and as `cria run` draws by default.
const teller = new Teller(model, tokenizer)
async function tellMany(cut: boolean): Promise<{
  told: string[]
  consistent: number
  unknownSentences: number
  kinds: { ordered: number; questions: number }
}> {
  const documents: string[] = []
  for (let i = 0; i < many; i++) documents.push(await teller.tell({ seed: seed * 1_000_000 + i, cut }))
  const kinds = {
    ordered: documents.filter(text => orderOf(text) !== undefined).length,
    questions: documents.filter(text => text.includes(questionsHeader)).length,
  }
  const told = documents.map(storyOf)
  const reports = told.map(text => checkStory(text))
  const consistent = reports.filter(report => report.consistent).length
  const sum = (of: (report: (typeof reports)[number]) => number): number => reports.reduce((a, r) => a + of(r), 0)
  const unknownSentences = sum(r => r.unknown.length) / sum(r => r.sentences)
  say(
    `${consistent} of ${many} stories at temperature 0.8${cut ? ', top-k 40, top-p 0.95, min-p 0.05' : ''} are consistent; ${percent(unknownSentences)} of their sentences are new to the checker; ${kinds.ordered} follow an order that the model wrote, ${kinds.questions} have questions`,
  )
  reports.forEach((report, i) => {
    if (values.problems && !report.consistent)
      say(`  story ${i}: ${report.problems.map(p => `${p.problem} [${p.text}]`).join('; ')}`)
  })
  return { told, consistent, unknownSentences, kinds }
}
const { told, ...free } = await tellMany(false)
const { told: cutStories, ...cut } = await tellMany(true)
for (let i = 0; i < Number(values.show); i++) say(`\n--- story ${i}\n${cutStories[i]}`)

// 3. Stories to order.
let [followed, score] = [0, 0]
for (let i = 0; i < many; i++) {
  const instruction = instructionFor(story(seed + 2000, i, 'heldout'), new Random(seed, i, 5))
  const text = await teller.tell({ seed: seed * 1_000_000 + i, prompt: formatInstruction(instruction) })
  const report = checkInstruction(instruction.constraints, storyOf(text))
  if (report.followed) followed++
  score += report.score / many
}
say(
  `${followed} of ${many} held-out instructions are followed to the letter; ${percent(score)} of their demands are met`,
)

// 4. Questions about held-out stories.
const lm = new LlamaLanguageModel(model, tokenizer)
const answers = await ask(lm, { seed: seed + 3000, stories: Number(values.questions) })
for (const [kind, a] of [['all', answers.all] as const, ...Object.entries(answers.about)])
  say(
    `questions, ${kind}: ${percent(a.accuracy)} of ${a.questions} (without the story ${percent(a.blind)}, chance ${percent(a.chance)})`,
  )

// 5. Runs of words that stand in the training text.
const tokens = Number(values.tokens ?? sizes[values.size as SizeName].tokens)
const fresh = told.map((_, i) => story(seed + 4000, i, 'heldout').text)
const copied = copying({ told, fresh }, texts(seed, documentsFor(tokens), 'train'))
const median = (list: readonly number[]): number => list[list.length >> 1]!
for (const [name, c] of Object.entries(copied))
  say(
    `copied, ${name}: ${percent(c.share)} of 12-word runs; longest run in a story: median ${median(c.longest)}, most ${c.longest.at(-1)} words`,
  )
const repeated = { told: repetition(told), fresh: repetition(fresh) }
say(`12-word runs that two of the stories share: ${percent(repeated.told)}, of new stories ${percent(repeated.fresh)}`)

const figures = {
  bytes: (await stat(path)).size,
  loss,
  stories: { sampled: many, ...free, byDefault: cut },
  instructions: { asked: many, followed, demandsMet: score },
  questions: answers,
  repetition: repeated,
  copying: Object.fromEntries(
    Object.entries(copied).map(([name, c]) => [
      name,
      { share: c.share, median: median(c.longest), most: c.longest.at(-1) },
    ]),
  ),
}
if (values.json) await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`)
for (const owned of [teller, lm]) owned[Symbol.dispose]()
model.dispose()
await opened.close()
device.dispose()
