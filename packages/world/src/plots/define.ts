/** What a plot is: which things it can be about, and how it runs. */
import type { Noun } from '../lexicon/things.js'
import type { Tale } from '../tale.js'

export interface Plot {
  readonly name: string
  /** What the thing of the story can be. */
  readonly things: readonly Noun[]
  readonly run: (tale: Tale) => void
}
