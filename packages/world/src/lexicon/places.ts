/** Where a story can happen: five regions, each a small map. Neighbours in a list are joined by a path, and so are its ends. */

export interface Place {
  /** Without the article: `old barn`. */
  readonly noun: string
  readonly preposition: 'in' | 'at' | 'by' | 'on' | 'under' | 'near'
  readonly indoors: boolean
}

export interface Region {
  readonly name: string
  readonly places: readonly Place[]
}

function region(name: string, text: string): Region {
  const places = text
    .trim()
    .split(/\s*,\s*/)
    .map(entry => {
      const [preposition, ...words] = entry.trim().split(/\s+/)
      const indoors = words.at(-1) === '!'
      if (indoors) words.pop()
      return { noun: words.join(' '), preposition: preposition as Place['preposition'], indoors }
    })
  return { name, places }
}

export const regions: readonly Region[] = [
  region(
    'forest',
    `in clearing, by stream, on hill, in meadow, by waterfall, in berry patch, by old oak tree, on wooden bridge, by pond,
     in pine grove, near fallen log, in valley, by willow tree, in fern hollow, near old stone wall, by beaver dam`,
  ),
  region(
    'village',
    `in park, at market, in square, at bakery !, at school, in library !, in rose garden, on playground, by fountain,
     at train station, by old well, in toy shop !, near church, on stone bridge, at town hall, by bus stop`,
  ),
  region(
    'farm',
    `in barn !, in orchard, in cornfield, by duck pond, in stable !, by henhouse, in vegetable garden, by gate,
     at windmill, in pasture, near haystack, by water trough, in sunflower field, by pigpen, on dirt road, in tool shed !`,
  ),
  region(
    'seaside',
    `on beach, at harbor, at lighthouse, by sand dunes, on pier, by rock pools, in boat shed !, at fish market, in cove,
     near sea cave, by sea wall, on sandy path, at ice cream stand, by big anchor, on cliff top, in fishing village`,
  ),
  region(
    'mountain',
    `by lake, in cabin !, in pine forest, on snowy slope, by frozen pond, in goat meadow, near tall rocks, on rope bridge,
     by hot spring, on mountain path, in village square, at sled hill, near ice cave, by campfire, at lookout, in ski hut !`,
  ),
]
