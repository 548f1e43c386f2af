/**
 * How much of some stories stands word for word in the training text. Told from a grammar, any two stories share runs of
 * words by chance; so stories of the world that were never trained on are measured beside those of the model.
 */

/** Runs of so many words. */
export const runLength = 12

export interface Copying {
  /** Share of all runs of twelve words that stand in the training text. */
  readonly share: number
  /** Words of the longest run that does, in each story; sorted. */
  readonly longest: readonly number[]
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter(Boolean)

/** One pass over the training text, for any number of sets of stories. */
export function copying<K extends string>(
  sets: Readonly<Record<K, readonly string[]>>,
  training: Iterable<string>,
): Record<K, Copying> {
  // Every run of twelve words of the stories, with the places that it stands at.
  const names = Object.keys(sets) as K[]
  const stories = names.flatMap(name => sets[name].map(text => wordsOf(text)))
  const places = new Map<string, { story: number; at: number }[]>()
  stories.forEach((words, story) => {
    for (let at = 0; at + runLength <= words.length; at++) {
      const key = words.slice(at, at + runLength).join(' ')
      const found = places.get(key)
      if (found) found.push({ story, at })
      else places.set(key, [{ story, at }])
    }
  })
  // A run is looked up only where its first two words begin one: most places are passed over at once.
  const beginnings = new Set([...places.keys()].map(key => key.split(' ', 2).join(' ')))
  const copied = stories.map(words => new Uint8Array(words.length))
  const longest = stories.map(() => 0)
  for (const text of training) {
    const words = wordsOf(text)
    for (let i = 0; i + runLength <= words.length; i++) {
      if (!beginnings.has(`${words[i]} ${words[i + 1]}`)) continue
      for (const { story, at } of places.get(words.slice(i, i + runLength).join(' ')) ?? []) {
        copied[story]![at] = 1
        const own = stories[story]!
        let length = runLength
        while (at + length < own.length && own[at + length] === words[i + length]) length++
        longest[story] = Math.max(longest[story]!, length)
      }
    }
  }
  let next = 0
  const result = {} as Record<K, Copying>
  for (const name of names) {
    const range = sets[name].map(() => next++)
    const runs = range.reduce((sum, i) => sum + Math.max(0, stories[i]!.length - runLength + 1), 0)
    const hits = range.reduce((sum, i) => sum + copied[i]!.reduce((a, b) => a + b, 0), 0)
    result[name] = { share: hits / Math.max(1, runs), longest: range.map(i => longest[i]!).sort((a, b) => a - b) }
  }
  return result
}

/** Share of the runs of twelve words that stand in another of the stories too: what a model that tells less varied has more of. */
export function repetition(stories: readonly string[]): number {
  const within = new Map<string, Set<number>>()
  const runs = stories.map(text => {
    const words = wordsOf(text)
    return Array.from({ length: Math.max(0, words.length - runLength + 1) }, (_, at) =>
      words.slice(at, at + runLength).join(' '),
    )
  })
  runs.forEach((list, story) => {
    for (const run of list) within.set(run, (within.get(run) ?? new Set()).add(story))
  })
  const all = runs.flat()
  return all.filter(run => within.get(run)!.size > 1).length / Math.max(1, all.length)
}
