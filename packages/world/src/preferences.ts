/** Preference pairs: a good story beside one that is worse by a known measure. */
import { checkInstruction, type Instruction, instructionFor } from './instructions.js'
import { type MutationKind, mutate } from './mutate.js'
import { Random } from './random.js'
import { type Split, story } from './story.js'

export interface Preference {
  readonly instruction: Instruction
  readonly chosen: string
  readonly rejected: string
  /** How much worse the rejected story is, above 0 to 1: 1 misses the instruction wholly or falls apart. */
  readonly margin: number
  /** What was done to it; `wrongStory`: a good story that does not follow the instruction. */
  readonly fault: Fault | 'wrongStory'
}

type Fault = Exclude<MutationKind, 'changeTopic' | 'changeName' | 'repeat' | 'goOn'>

/** What is drawn from, with its margin. Another entry, or another order, would change the pairs of every seed. */
const margins: Readonly<Record<Fault, number>> = {
  otherStory: 1,
  shuffle: 1,
  cutEnd: 0.8,
  stranger: 0.5,
  changeKind: 0.5,
  changeThing: 0.5,
  changeLook: 0.2,
  changePronoun: 0.3,
  swapNames: 0.6,
  dropTurn: 0.4,
  movePlace: 0.3,
}
const faults = Object.keys(margins) as Fault[]

/** Pair `index` of `seed`. The margin of a wrong story is the share of the instruction that it misses. */
export function preference(seed: number, index: number, split: Split = 'train'): Preference {
  const random = new Random(seed, index, 4)
  const good = story(seed, index, split)
  const instruction = instructionFor(good, random)
  for (;;) {
    const other = story(seed, random.bits(), split)
    if (random.chance(0.3)) {
      const { score } = checkInstruction(instruction.constraints, other.text)
      if (score < 1)
        return { instruction, chosen: good.text, rejected: other.text, margin: 1 - score, fault: 'wrongStory' }
      continue
    }
    const fault = random.pick(faults)
    const rejected = mutate(good, fault, random, other)
    if (rejected !== undefined && rejected !== good.text)
      return { instruction, chosen: good.text, rejected, margin: margins[fault], fault }
  }
}
