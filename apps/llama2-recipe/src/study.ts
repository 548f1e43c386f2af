/**
 * What pretraining asks too seldom, as lessons (Llama 2, §3.1: of what is given nothing is learned). One word in sixty
 * is of an answer, so what is told once, such as what somebody was like, it hardly learns to look up: here unread stories
 * are asked all that fits, and only the answers are learned. And one order in thirty-four asks for a sad ending: here each
 * ending is ordered as often.
 *
 * Not a stage of its own: with nothing else to learn, a model forgets how a story begins and ends.
 */
import type { Tokenizer } from '@cria/tokenizer'
import type { Example } from '@cria/train'
import {
  formatInstruction,
  formatQuestion,
  type Instruction,
  instructionFor,
  type Question,
  questions,
  Random,
  type Split,
  type Story,
  story,
} from '@cria/world'
import { given } from './learn.js'
import { context } from './sizes.js'

/** Lessons of so many stories that are asked about, and a tenth as many orders, from number `from` on. */
export function* studies(
  tokenizer: Tokenizer,
  { seed, from, stories }: { seed: number; from: number; stories: number },
): Generator<Example> {
  for (let i = from; i < from + stories; i++) {
    const one = story(seed, i)
    yield examination(tokenizer, one.text, questions(one, new Random(seed, i, 5)))
  }
  for (const [one, order] of ordered(seed, from + stories, Math.ceil(stories / 30))) {
    const prompt = formatInstruction(order)
    yield given(tokenizer, prompt, tokenizer.encode(prompt + one.text, { eos: true }))
  }
}

/** So many stories of each ending, from number `from` on, each with an order that names it. */
export function* ordered(
  seed: number,
  from: number,
  each: number,
  split: Split = 'train',
): Generator<[Story, Instruction]> {
  const left = new Map<string, number>([
    ['happy', each],
    ['sad', each],
    ['bittersweet', each],
  ])
  for (let i = from; [...left.values()].some(more => more > 0); i++) {
    const one = story(seed, i, split)
    const ending = one.tale.world.ending!
    if (left.get(ending) === 0) continue
    left.set(ending, left.get(ending)! - 1)
    const random = new Random(seed, i, 6)
    let order = instructionFor(one, random)
    while (order.constraints.ending === undefined) order = instructionFor(one, random)
    yield [one, order]
  }
}

/**
 * A story, and what is asked about it as far as a row has room. Only the answers are learned; the token that ends one may
 * have the line's end in it.
 */
export function examination(tokenizer: Tokenizer, story: string, asked: readonly Question[]): Example {
  let text = `${story}\n`
  let tokens = tokenizer.encode(story, { eos: true })
  let counted = Array.from(tokens, () => false)
  for (const question of asked) {
    const prompt = `${text}\n${formatQuestion(question, false)}`
    const longer = `${prompt} ${question.answer}`
    const next = tokenizer.encode(longer, { eos: true })
    if (next.length > context) break
    const asking = tokenizer.encode(prompt).length
    const before = counted.slice(0, -1)
    counted = Array.from(next, (_, i) => before[i] ?? i >= asking)
    text = longer
    tokens = next
  }
  return { tokens, counted }
}
