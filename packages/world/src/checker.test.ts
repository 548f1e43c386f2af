import { expect, test, vi } from 'vitest'
import { checkStory } from './checker.js'

const good = `Once upon a time there was a brave fox named Rusty who lived near the pond. Rusty had a red kite that he loved very much. His best friend was a kind rabbit named Bella.

One day, Rusty went to the meadow. Suddenly, the wind took the red kite and blew it far away, and Rusty could only watch. Rusty was very sad. "Have you seen my red kite?" Rusty asked Bella. "I think it is on the hill," Bella said to Rusty. So Rusty ran to the hill.

At last, Rusty found the kite under a bush. He was very happy.

And Rusty lived happily ever after and talked to the flowers.`

const problems = (text: string): string =>
  checkStory(text)
    .problems.map(({ problem }) => problem)
    .join('; ')

test('a story and its facts', () => {
  const report = checkStory(good)
  expect(report.problems).toEqual([])
  expect(report.unknown).toEqual([])
  expect(report.facts).toMatchObject({
    ending: 'happy',
    characters: [
      { name: 'Rusty', kind: 'fox', pronoun: 'he', feeling: 'happy' },
      { name: 'Bella', kind: 'rabbit', pronoun: 'she' },
    ],
    things: [{ thing: 'red kite', owner: 'Rusty', holder: 'Rusty', broken: false }],
    threads: [{ kind: 'lost', who: 'Rusty', thing: 'red kite', end: 'found' }],
  })
})

test.each([
  ['a thing that is lost is not used', 'Rusty was very sad.', 'Rusty flew the kite for an hour.', /lost/],
  ['a name nobody bears', 'Rusty asked Bella', 'Rusty asked Molly', /introduced as Molly/],
  ['another kind', 'At last, Rusty found', 'At last, the bear found', /no bear/],
  ['another place', 'ran to the hill', 'ran to the valley', /led to the hill/],
  ['another color', 'my red kite', 'my blue kite', /red, not blue/],
  ['the wrong pronoun', 'He was very happy', 'He was very happy with herself', /cannot be understood|understood/],
  [
    'no finding',
    'At last, Rusty found the kite under a bush. ',
    '',
    /lost \(Rusty\) \(red kite\) comes to no end|no reason/,
  ],
  ['no end', 'And Rusty lived happily ever after and talked to the flowers.', '', /no end/],
  ['an article', 'a brave fox', 'an brave fox', /a and an/],
])('%s', (_, from, to, problem) => {
  const broken = good.replace(from, to)
  expect(broken).not.toBe(good)
  const report = checkStory(broken, { tolerance: 0 })
  expect(report.problems.map(one => one.problem).join('; ')).toMatch(problem)
})

test('what it does not know it tolerates to the stated degree', () => {
  const odd = good.replace('Rusty was very sad.', 'The clouds tasted of purple numbers.')
  expect(checkStory(odd).consistent).toBe(true)
  expect(checkStory(odd).unknown).toHaveLength(1)
  expect(problems('Hello world. This is not a story.')).toMatch(/no end.*cannot be understood/)
  expect(checkStory('').consistent).toBe(false)
})

const learner = `Once there was a shy boy named Ben. Ben wanted to learn to climb a rope.

One day, Ben went to the meadow. The first time, Ben slid down again. He met a wise farmer named Anna. "You must use your feet, too," said Anna to Ben. Ben practised in the rain.

At last, Ben climbed a rope, and everyone clapped. He was very happy.

And Ben lived happily ever after and fed the birds in winter.`

const maker = `Once there was a shy boy named Noah. He had a friend: a kind fox named Chloe.

Noah wanted to make a red kite for Chloe. Noah needed some glue, but could find none in the house. So Noah went to the meadow. He met a wise farmer named Anna. Anna gave Noah some glue and smiled. The next day, Noah worked on the kite until noon.

The kite was ready, and Noah smiled. Noah gave the kite to Chloe. Chloe loved it at once.

And Noah lived happily ever after and fed the birds in winter.`

const fighters = `Once there was a shy boy named Noah. He had a friend: a kind fox named Chloe.

One day, Noah and Chloe played tag in the meadow. Chloe had a red kite with her. Chloe shook her head when Noah asked for a turn with it. Noah and Chloe both held on to the kite and shouted. Noah ran off without a word.

Chloe thought of all the good days with Noah, and her anger went away. "I am so sorry, Noah," said Chloe. Noah smiled and hugged her. From then on, Noah and Chloe shared the kite like good friends.

And Noah lived happily ever after and fed the birds in winter.`

const racer = `Once there was a shy boy named Noah. Next door to Noah lived a kind fox named Chloe.

There was a swimming race by the lake, and both Noah and Chloe wanted to win. Chloe laughed at Noah and said that he had no chance. But Noah had practised swimming for weeks. A whistle blew, and Noah and Chloe swam. Noah was the winner, and the crowd roared. "I am sorry that I laughed at you, Noah," said Chloe.

And Noah lived happily ever after and fed the birds in winter.`

test.each([
  ['a race where there is no water', racer, 'by the lake', 'at the bakery', /no swimming race is held at the bakery/],
  ['learned something else', learner, 'climbed a rope, and', 'baked bread, and', /learn of Ben, bake bread/],
  ['taught something else', learner, 'use your feet, too', 'kick with your legs', /learn of Ben, swim/],
  ['given something else', maker, 'gave Noah some glue', 'gave Noah some sugar', /need of Noah, some sugar/],
  [
    'the same need twice',
    maker,
    'The next day',
    'One thing was missing: Noah had no glue. He met a wise baker named Emma. "You can have my glue," Emma told Noah kindly. The next day',
    /need again/,
  ],
  [
    'one who misses herself',
    fighters,
    'good days with Noah',
    'good days with Chloe',
    /Chloe cannot do this with herself/,
  ],
])('%s', (_, whole, from, to, problem) => {
  expect(problems(whole)).toBe('')
  expect(whole).toContain(from)
  expect(problems(whole.replace(from, to))).toMatch(problem)
})

test('the facts say what a goal is about', () => {
  expect(checkStory(maker).facts.threads).toContainEqual({ kind: 'need', who: 'Noah', about: 'some glue', end: 'met' })
})

test('a story does not go on after its end', () => {
  expect(problems(`${good} The end.`)).toBe('')
  expect(problems(`${good} One day, Rusty went home.`)).toMatch(/goes on after its end/)
  expect(problems(`${good} One day, Rusty went to the pond.`)).toMatch(/goes on after its end/)
  expect(problems(good.replace('One day,', 'The end.\n\nOne day,'))).toMatch(/not ended yet/)
})

test('a sentence is not told twice', () => {
  const twice = good.replace('He was very happy.', 'He was very happy. He was very happy.')
  expect(problems(twice)).toMatch(/told before/)
})

test('a sentence that comes to no end is not tried clause by clause', () => {
  const words = vi.spyOn(String.prototype, 'toLowerCase')
  const { unknown } = checkStory('Tom ran and then sang so '.repeat(100))
  const tried = words.mock.calls.length
  words.mockRestore()
  expect(unknown).toHaveLength(1)
  expect(tried).toBeLessThan(20)
})
