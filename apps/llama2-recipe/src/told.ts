/** What the model tells, freely and to order, read by the checker of the world. */
import { checkInstruction, checkStory, formatInstruction, instructionFor, Random, story } from '@cria/world'
import { ordered } from './study.js'
import { orderOf, questionsHeader, storyOf, type Teller } from './tell.js'

export interface Told {
  readonly stories: readonly string[]
  readonly consistent: number
  /** Share of the sentences that the checker does not know. */
  readonly unknownSentences: number
  /** Documents that begin with an order of the model's own, and that end with questions. */
  readonly kinds: { readonly ordered: number; readonly questions: number }
  /** What is wrong with each story that is not consistent. */
  readonly problems: readonly string[]
}

export interface Many {
  readonly seed: number
  readonly many: number
}

/** Stories told freely: drawn from all tokens, or with `cut` as `cria run` draws by default. */
export async function tellFreely(teller: Teller, { seed, many, cut }: Many & { readonly cut: boolean }): Promise<Told> {
  const documents: string[] = []
  for (let i = 0; i < many; i++) documents.push(await teller.tell({ seed: seed * 1_000_000 + i, cut }))
  const stories = documents.map(storyOf)
  const reports = stories.map(text => checkStory(text))
  const sum = (of: (report: (typeof reports)[number]) => number): number => reports.reduce((a, r) => a + of(r), 0)
  return {
    stories,
    consistent: reports.filter(report => report.consistent).length,
    unknownSentences: sum(r => r.unknown.length) / sum(r => r.sentences),
    kinds: {
      ordered: documents.filter(text => orderOf(text) !== undefined).length,
      questions: documents.filter(text => text.includes(questionsHeader)).length,
    },
    problems: reports.flatMap(({ consistent, problems }, i) =>
      consistent ? [] : [`story ${i}: ${problems.map(p => `${p.problem} [${p.text}]`).join('; ')}`],
    ),
  }
}

export interface Obeyed {
  readonly asked: number
  /** Orders that are followed to the letter. */
  readonly followed: number
  /** Of these, those whose story is consistent too. */
  readonly followedConsistently: number
  /** Mean share of the demands of an order that are met. */
  readonly demandsMet: number
}

/** Stories to orders of held-out combinations. */
export async function tellToOrder(teller: Teller, { seed, many }: Many): Promise<Obeyed> {
  let [followed, followedConsistently, score] = [0, 0, 0]
  for (let i = 0; i < many; i++) {
    const instruction = instructionFor(story(seed + 2000, i, 'heldout'), new Random(seed, i, 5))
    const text = storyOf(await teller.tell({ seed: seed * 1_000_000 + i, prompt: formatInstruction(instruction) }))
    const report = checkInstruction(instruction.constraints, text)
    if (report.followed) followed++
    if (report.followed && checkStory(text).consistent) followedConsistently++
    score += report.score / many
  }
  return { asked: many, followed, followedConsistently, demandsMet: score }
}

/**
 * Of held-out orders that name an ending, so many of each, how many are told so. Of all orders that name one, four in
 * five name the happy one, which most stories have anyway.
 */
export async function tellEndings(
  teller: Teller,
  { seed, each }: { readonly seed: number; readonly each: number },
): Promise<{ asked: number; met: Readonly<Record<string, number>> }> {
  const met: Record<string, number> = {}
  let i = 0
  for (const [, order] of ordered(seed + 2000, 0, each, 'heldout')) {
    const text = storyOf(await teller.tell({ seed: seed * 1_000_000 + i++, prompt: formatInstruction(order) }))
    const { ending } = order.constraints
    met[ending!] = (met[ending!] ?? 0) + Number(checkStory(text).facts.ending === ending)
  }
  return { asked: each, met }
}
