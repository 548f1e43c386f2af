// How many damaged stories the checker catches, by kind of damage. Argument: stories (default 1000).
import { checkStory, mutate, mutationKinds, Random, story } from '../src/index.js'

const count = Number(process.argv[2] ?? 1000)
const verbose = process.env.SHOW
for (const kind of mutationKinds) {
  let made = 0
  let caught = 0
  for (let i = 0; i < count; i++) {
    const one = story(11, i)
    const text = mutate(one, kind, new Random(11, i, 8), story(11, i + count))
    if (text === undefined || text === one.text) continue
    made++
    if (!checkStory(text).consistent) caught++
    else if (verbose === kind && made - caught < 8) console.log(`${one.text}\n=====\n${text}\n#######`)
  }
  console.log(kind, made, `${((100 * caught) / made).toFixed(1)} %`)
}
