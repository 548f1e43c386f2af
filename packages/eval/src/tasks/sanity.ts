/** Thirty easy questions written for this package: a model that knows English should answer most of them. No benchmark. */
import type { Doc, Task } from '../task.js'

const questions: readonly (readonly [query: string, right: string, ...wrong: string[]])[] = [
  ['The capital of France is', 'Paris', 'London', 'Berlin', 'Rome'],
  ['The sun rises in the', 'east', 'west', 'ground', 'box'],
  ['Fish live in', 'water', 'trees', 'clouds', 'books'],
  ['Two plus two is', 'four', 'five', 'nine', 'green'],
  ['At night the sky is', 'dark', 'wooden', 'hungry', 'square'],
  ['A baby dog is called a', 'puppy', 'kitten', 'calf', 'lamb'],
  ['Ice is frozen', 'water', 'milk', 'sand', 'air'],
  ['The opposite of hot is', 'cold', 'warm', 'tall', 'loud'],
  ['Bees make', 'honey', 'cheese', 'bread', 'shoes'],
  ['You can see with your', 'eyes', 'ears', 'knees', 'nose'],
  ['She was very thirsty, so she', 'drank some water', 'read a book', 'closed her umbrella', 'painted the wall'],
  ['It started to rain, so he opened his', 'umbrella', 'sandwich', 'piano', 'shoe'],
  ['The day after Monday is', 'Tuesday', 'Sunday', 'Friday', 'winter'],
  ['A triangle has three', 'sides', 'wheels', 'colours', 'wings'],
  ['Birds fly with their', 'wings', 'teeth', 'roots', 'wheels'],
  ['Grass is usually', 'green', 'purple', 'metal', 'angry'],
  ['The first month of the year is', 'January', 'March', 'December', 'Sunday'],
  ['To cut the bread he used a', 'knife', 'spoon', 'pillow', 'ladder'],
  ['The glass fell on the floor and', 'broke', 'sang', 'melted', 'slept'],
  ['Tom is taller than Sam. Sam is', 'shorter than Tom', 'taller than Tom', 'as tall as Tom', 'a giraffe'],
  ['Cows give us', 'milk', 'wool', 'eggs', 'honey'],
  ['In winter it is often', 'cold', 'hot', 'green', 'late'],
  ['The king lived in a', 'castle', 'kettle', 'pocket', 'shell'],
  ['He was tired and went to', 'bed', 'school', 'war', 'the moon'],
  ['A person who teaches is a', 'teacher', 'farmer', 'pilot', 'baker'],
  ['Once upon a', 'time', 'table', 'Tuesday', 'tiger'],
  ['The largest ocean is the', 'Pacific', 'Sahara', 'Amazon', 'Atlantic'],
  ['Water boils when it is', 'heated', 'frozen', 'painted', 'forgotten'],
  ['Romeo and', 'Juliet', 'Hamlet', 'Shakespeare', 'Jupiter'],
  ['Plants grow from', 'seeds', 'stones', 'coins', 'shadows'],
]

/** The right one moves through the positions, so that no position is a good guess. */
const docs: readonly Doc[] = questions.map(([query, ...answers], i) => {
  const gold = i % answers.length
  const choices = [...answers.slice(1, gold + 1), answers[0]!, ...answers.slice(gold + 1)]
  return { query, choices, gold }
})

export const sanity: Task = {
  name: 'sanity',
  outputType: 'multiple_choice',
  splits: { test: 'test' },
  data: { test: docs },
  docToText: doc => doc.query as string,
  docToChoice: doc => doc.choices as string[],
  docToTarget: doc => doc.gold as number,
  metrics: ['acc', 'acc_norm'],
}
