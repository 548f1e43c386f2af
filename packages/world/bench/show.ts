// Prints stories with their questions. Arguments: from, count, seed.
import { formatQuestion, questions, Random, story } from '../src/index.js'

const [from = 0, count = 5, seed = 1] = process.argv.slice(2).map(Number)
for (let i = from; i < from + count; i++) {
  const one = story(seed, i)
  console.log(`--- ${i}\n${one.text}\n`)
  if (process.env.ASK)
    for (const question of questions(one, new Random(seed, i, 9)))
      console.log(formatQuestion(question), question.choices)
}
