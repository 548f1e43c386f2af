/** `pnpm eval:storyteller [MODEL]`: every figure of the storyteller's model card. */
import { stat, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { LlamaLanguageModel } from '@cria/eval'
import { cpu } from '@cria/kernels-cpu'
import { loadLlama } from '@cria/llama'
import { fromGguf } from '@cria/tokenizer'
import { openModelAt } from '@cria/weights/node'
import { story } from '@cria/world'
import { ask } from './ask.js'
import { copying, repetition } from './copying.js'
import { documentsFor, texts } from './corpus.js'
import { heldOutLoss } from './held-out.js'
import { file, no, oneOf, positive, program, whole } from './program.js'
import { sizes } from './sizes.js'
import { spread } from './spread.js'
import { Teller } from './tell.js'
import { tellEndings, tellFreely, tellToOrder } from './told.js'

const usage = `pnpm eval:storyteller [MODEL] [options]: every figure of the storyteller's model card

  --stories N    stories and orders to sample (400)
  --questions N  held-out stories to ask about (200)
  --written N    questions of each kind to answer in writing too (40)
  --size S       what MODEL was trained as (5m)
  --tokens N     text it was trained on (that of the size)
  --seed N       of all of it (1)
  --json FILE    write the figures
  --show N       print so many stories (0)
  --problems     print what the checker found`

const options = {
  stories: { type: 'string', default: '400' },
  questions: { type: 'string', default: '200' },
  written: { type: 'string', default: '40' },
  seed: { type: 'string', default: '1' },
  json: { type: 'string' },
  show: { type: 'string', default: '0' },
  problems: { type: 'boolean', default: false },
  size: { type: 'string', default: '5m' },
  tokens: { type: 'string' },
} as const

const shipped = fileURLToPath(new URL('../../../packages/storyteller/storyteller.gguf', import.meta.url))
const say = (line: string): void => console.log(line)
const percent = (x: number): string => `${(100 * x).toFixed(1)} %`
const median = (list: readonly number[]): number => list[list.length >> 1]!

await program(usage, options, async ({ values, positionals: [path = shipped, ...rest] }) => {
  no(rest)
  const seed = whole('seed', values.seed, 0)
  const many = whole('stories', values.stories, 1)
  const asking = { stories: whole('questions', values.questions, 1), written: whole('written', values.written, 0) }
  const show = whole('show', values.show, 0)
  const size = oneOf('size', values.size, sizes)
  const tokens = positive('tokens', values.tokens ?? String(sizes[size].tokens))
  const json = values.json === undefined ? undefined : await file('json', values.json)

  const opened = await openModelAt(path)
  using device = await cpu()
  using model = await loadLlama(device, opened)
  const tokenizer = fromGguf(opened.weights.metadata)
  using teller = new Teller(model, tokenizer)
  using lm = new LlamaLanguageModel(model, tokenizer)

  const loss = await heldOutLoss(model, tokenizer, seed)
  say(`held-out loss ${loss.nll.toFixed(4)} nats a token, ${loss.bitsPerByte.toFixed(4)} bits a byte`)

  const free = await tellFreely(teller, { seed, many, cut: false })
  const cut = await tellFreely(teller, { seed, many, cut: true })
  for (const [how, t] of [['', free] as const, [', top-k 40, top-p 0.95, min-p 0.05', cut] as const]) {
    say(
      `${t.consistent} of ${many} stories at temperature 0.8${how} are consistent; ${percent(t.unknownSentences)} of their sentences are new to the checker; ${t.kinds.ordered} follow an order that the model wrote, ${t.kinds.questions} have questions`,
    )
    if (values.problems) for (const problem of t.problems) say(`  ${problem}`)
  }
  cut.stories.slice(0, show).forEach((text, i) => {
    say(`\n--- story ${i}\n${text}`)
  })

  // Stories that no model has seen, beside those that it tells.
  const fresh = free.stories.map((_, i) => story(seed + 4000, i, 'heldout').text)
  const spreads = { told: spread(free.stories), byDefault: spread(cut.stories), fresh: spread(fresh) }
  for (const [name, s] of Object.entries(spreads)) {
    const list = (of: Readonly<Record<string, number>>): string =>
      Object.entries(of)
        .map(([one, share]) => `${one} ${percent(share)}`)
        .join(', ')
    say(
      `spread, ${name}: as varied as ${s.even.toFixed(1)} equal plots; the four commonest are ${percent(s.four)}; endings ${list(s.endings)}; plots ${list(s.plots)}`,
    )
  }

  const obeyed = await tellToOrder(teller, { seed, many })
  say(
    `${obeyed.followed} of ${many} held-out instructions are followed to the letter, ${obeyed.followedConsistently} of them with a consistent story; ${percent(obeyed.demandsMet)} of their demands are met`,
  )

  const endings = await tellEndings(teller, { seed, each: Math.ceil(many / 10) })
  for (const [ending, met] of Object.entries(endings.met))
    say(`of ${endings.asked} orders for a ${ending} ending ${met} are told so`)

  const answers = await ask(lm, { seed: seed + 3000, ...asking })
  for (const [kind, a] of [['all', answers.all] as const, ...Object.entries(answers.about)])
    say(
      `questions, ${kind}: ${percent(a.accuracy)} of ${a.questions} (without the story ${percent(a.blind)}, chance ${percent(a.chance)}); in writing ${a.written.exact} of ${a.written.asked}`,
    )

  const copied = copying({ told: free.stories, fresh }, texts(seed, documentsFor(tokens), 'train'))
  for (const [name, c] of Object.entries(copied))
    say(
      `copied, ${name}: ${percent(c.share)} of 12-word runs; longest run in a story: median ${median(c.longest)}, most ${c.longest.at(-1)} words`,
    )
  const repeated = { told: repetition(free.stories), fresh: repetition(fresh) }
  say(
    `12-word runs that two of the stories share: ${percent(repeated.told)}, of new stories ${percent(repeated.fresh)}`,
  )

  const figure = ({ consistent, unknownSentences, kinds }: typeof free) => ({ consistent, unknownSentences, kinds })
  const figures = {
    bytes: (await stat(path)).size,
    loss,
    stories: { sampled: many, ...figure(free), byDefault: figure(cut) },
    spread: spreads,
    instructions: { ...obeyed, endings },
    questions: answers,
    repetition: repeated,
    copying: Object.fromEntries(
      Object.entries(copied).map(([name, { share, longest }]) => [
        name,
        { share, median: median(longest), most: longest.at(-1) },
      ]),
    ),
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify(figures, null, 2)}\n`)
  await opened.close()
})
