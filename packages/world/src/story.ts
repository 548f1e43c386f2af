/** A story by (seed, index): sketch, simulate, tell. The same on every platform, and no story needs the one before it. */
import { checkWhole, WorldError } from './errors.js'
import { heroes } from './lexicon/people.js'
import { plots } from './plots/index.js'
import { mix, Random } from './random.js'
import { type Sketch, Tale } from './tale.js'
import { type Telling, tellTale } from './teller.js'

export type Split = 'train' | 'heldout'

export interface Story {
  readonly text: string
  /** What happened, and the world it happened in. */
  readonly tale: Tale
  /** For each event, which of its variables the text says. */
  readonly said: Telling['said']
  /** For each event, the sentence that tells it. */
  readonly sentences: Telling['sentences']
}

/** Words a story may have. */
export const shortest = 70
export const longest = 260

const hash = (text: string): number => {
  let h = 0
  for (let i = 0; i < text.length; i++) h = mix(h ^ (text.charCodeAt(i) + (i << 8)))
  return h
}

const splitOfTold = ({ plot, species, noun }: Sketch, told: boolean): Split =>
  hash(`${plot}/${species.noun}/${told ? noun.noun : ''}`) % 16 === 0 ? 'heldout' : 'train'

/** One combination in sixteen of plot, hero's kind and thing, or no thing where the text names none, is kept from training. */
export const splitOf = ({ text, tale: { sketch } }: Pick<Story, 'text' | 'tale'>): Split =>
  splitOfTold(sketch, new RegExp(`\\b${sketch.noun.noun}\\b`).test(text))

const titleOf = ({ hero, title, thing }: Tale): string =>
  `${hero.name} and the ${title.replace('<o>', thing.noun.noun)}`.replace(
    /(?<= )(?!(?:and|the|of|a|about)\b)[a-z]/g,
    letter => letter.toUpperCase(),
  )

/**
 * Story `index` of `seed` in a split.
 *
 * @throws WorldError for a seed or an index that is no whole number ≥ 0, and for another split
 */
export function story(seed: number, index: number, split: Split = 'train'): Story {
  checkWhole('story', 'the seed', seed)
  checkWhole('story', 'the index', index)
  if (split !== 'train' && split !== 'heldout')
    throw new WorldError(
      'story',
      split,
      "the split 'train' or 'heldout'",
      "Test on 'heldout': no story of it is in 'train'.",
    )
  const random = new Random(seed, index, split === 'train' ? 1 : 2)
  for (;;) {
    const plot = random.pick(plots)
    const sketch = { plot: plot.name, species: random.pick(heroes), noun: random.pick(plot.things) }
    // Neither way: no need to tell it.
    if (splitOfTold(sketch, true) !== split && splitOfTold(sketch, false) !== split) continue
    const tale = new Tale(random, sketch)
    plot.run(tale)
    const { text, said, sentences } = tellTale(tale, random)
    const titled = random.chance(0.15) ? `${titleOf(tale)}\n\n${text}` : text
    const words = text.split(' ').length
    if (words < shortest || words > longest || splitOf({ text, tale }) !== split) continue
    return { text: titled, tale, said, sentences }
  }
}
