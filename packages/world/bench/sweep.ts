// Checks many generated stories and lists what the checker says against them. Arguments: from, count.
import { checkStory } from '../src/checker.js'
import { story } from '../src/story.js'

const [from = 0, n = 500] = process.argv.slice(2).map(Number)
const why = new Map<string, number>()
let bad = 0,
  sents = 0,
  unk = 0,
  ms = 0
const shown: string[] = []
for (let i = from; i < from + n; i++) {
  const { text } = story(1, i)
  const t0 = performance.now()
  const report = checkStory(text, { tolerance: 0 })
  ms += performance.now() - t0
  sents += report.sentences
  unk += report.unknown.length
  if (!report.consistent) {
    bad++
    for (const u of report.unknown) why.set(`UNKNOWN ${u}`, 1)
    for (const p of report.problems) if (shown.length < 12 && p.text) shown.push(`${i} [${p.problem}] ${p.text}`)
  }
}
console.log({ n, bad, sents, unk, msPerStory: ms / n })
console.log([...why.keys()].slice(0, 25).join('\n'))
console.log(shown.join('\n'))
