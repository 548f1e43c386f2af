/** Training documents: stories, stories with questions, instructions with stories, mixed by weight. */
import { WorldError } from './errors.js'
import { type Instruction, instructionFor } from './instructions.js'
import { formatQuestion, type Question, questions } from './questions.js'
import { Random } from './random.js'
import { type Split, type Story, story } from './story.js'

export type DocumentKind = 'story' | 'questions' | 'instruction'

export interface WorldDocument {
  readonly kind: DocumentKind
  /** What a model is trained on. */
  readonly text: string
  readonly story: Story
  /** The questions that follow the story, in `questions`. */
  readonly questions: readonly Question[]
  /** The instruction before the story, in `instruction`. */
  readonly instruction: Instruction | undefined
}

export interface DocumentOptions {
  /** Default 1. */
  seed?: number
  /** Default `train`. */
  split?: Split
  /** Relative shares of the kinds of document. Default: stories 0.5, questions 0.3, instructions 0.2. */
  weights?: Partial<Record<DocumentKind, number>>
}

const defaultWeights: Record<DocumentKind, number> = { story: 0.5, questions: 0.3, instruction: 0.2 }
const kinds: readonly DocumentKind[] = ['story', 'questions', 'instruction']

/**
 * Document `index` of `seed`: the story of that seed and index, in one of the formats. Any index at once.
 *
 * @throws WorldError where `story` does, and for weights of other kinds, negative ones, or none above 0
 */
export function document(seed: number, index: number, options: Omit<DocumentOptions, 'seed'> = {}): WorldDocument {
  const { split = 'train', weights = defaultWeights } = options
  checkWeights(weights)
  const one = story(seed, index, split)
  const random = new Random(seed, index, 3)
  const total = kinds.reduce((sum, kind) => sum + (weights[kind] ?? 0), 0)
  let left = (random.bits() / 0x100000000) * total
  const kind = kinds.find(kind => (left -= weights[kind] ?? 0) < 0) ?? 'story'
  const asked = kind === 'questions' ? questions(one, random).slice(0, 2 + random.below(4)) : []
  const instruction = kind === 'instruction' ? instructionFor(one, random) : undefined
  const text =
    kind === 'questions'
      ? `${one.text}\n\n${asked.map(question => formatQuestion(question)).join('\n')}`
      : instruction
        ? `${formatInstruction(instruction)}${one.text}`
        : one.text
  return { kind, text, story: one, questions: asked, instruction }
}

function checkWeights(weights: Partial<Record<DocumentKind, number>>): void {
  const known = Object.entries(weights).every(
    ([kind, weight]) => kinds.includes(kind as DocumentKind) && weight >= 0 && weight < Number.POSITIVE_INFINITY,
  )
  if (!known || !Object.values(weights).some(weight => weight > 0))
    throw new WorldError(
      'document',
      JSON.stringify(weights),
      `weights ≥ 0 of ${kinds.join(', ')}, one above 0`,
      'What is left out has weight 0.',
    )
}

/** The fixed format of an instruction in training text and prompts; the story follows. */
export const formatInstruction = (instruction: Instruction | string): string =>
  `Instruction: ${typeof instruction === 'string' ? instruction : instruction.text}\nStory:\n`

/** Every document of a seed, without end: index 0, 1, 2 … `from` resumes. */
export function* documents(options: DocumentOptions & { from?: number } = {}): Generator<WorldDocument, never> {
  const { seed = 1, from = 0, ...rest } = options
  for (let index = from; ; index++) yield document(seed, index, rest)
}
