/** What can be owned, lost, broken, made and given: each noun with the verb that is its joy. */

export interface Noun {
  readonly noun: string
  readonly verb: Verb
  /** Adjectives that suit it. */
  readonly looks: readonly string[]
  readonly light: boolean
  /** What it is made of, where it can break: cloth and paper tear. */
  readonly material: 'hard' | 'cloth' | 'paper' | undefined
}

/** How a thing breaks. */
export const harm = ({ material }: Noun): { readonly past: string; readonly participle: string } =>
  material === 'hard' ? { past: 'broke', participle: 'broken' } : { past: 'tore', participle: 'torn' }

export interface Verb {
  readonly base: string
  readonly past: string
  readonly ing: string
}

const list = (words: string): readonly string[] => words.trim().split(/\s+/)
export const colors: readonly string[] = list('red blue green yellow orange purple white pink brown golden silver')
const paint = [...colors, 'striped', 'shiny', 'bright']
const wood = [...colors, 'wooden', 'shiny', 'old', 'little']
const cloth = [...colors, 'striped', 'soft', 'warm', 'woolly']
const treasure = [...colors, 'shiny', 'smooth', 'round', 'tiny', 'lucky', 'pretty']
const tool = ['old', 'big', 'little', 'wooden', 'new', 'strong', 'red', 'blue', 'green', 'yellow']

const verb = (base: string, past: string, ing: string): Verb => ({ base, past, ing })
const fly = verb('fly', 'flew', 'flying')
const sail = verb('sail', 'sailed', 'sailing')
const play = verb('play', 'played', 'playing')
const playWith = verb('play with', 'played with', 'playing with')
const read = verb('read', 'read', 'reading')
const wear = verb('wear', 'wore', 'wearing')
const ride = verb('ride', 'rode', 'riding')
const ring = verb('ring', 'rang', 'ringing')
const hold = verb('hold', 'held', 'holding')
const lookAt = verb('look at', 'looked at', 'looking at')
const carry = verb('carry', 'carried', 'carrying')
const light = verb('light', 'lit', 'lighting')

const paper = /^(kite|paper plane|book|picture book|map|card|picture)$/
const woven = /^(teddy bear|rag doll|hat|scarf|cap|coat|ribbon|cape|blanket|pillow|backpack|quilt)$/
const solid = /^(ball|ring|bell|feather|stone|coin|button|marble|key|pebble)$/
const materialOf = (noun: string): Noun['material'] =>
  paper.test(noun) ? 'paper' : woven.test(noun) ? 'cloth' : solid.test(noun) ? undefined : 'hard'

const nouns = (names: string, verb: Verb, looks: readonly string[], light = false): Noun[] =>
  names.split(', ').map(noun => ({ noun, verb, looks, light, material: materialOf(noun) }))

/** Toys and treasures. */
export const toys: readonly Noun[] = [
  ...nouns('kite, paper plane', fly, paint, true),
  ...nouns('toy boat, little raft', sail, wood),
  ...nouns('drum, flute, whistle, horn, trumpet, guitar, fiddle', play, wood),
  ...nouns('ball, doll, puppet, teddy bear, top, toy train, toy car, toy horse, rag doll, yo-yo', playWith, paint),
  ...nouns('book, picture book, map', read, ['old', 'thick', 'blue', 'green', 'red', 'new', 'little', 'golden'], true),
  ...nouns('hat, scarf, cap, coat, ribbon, cape', wear, cloth, true),
  ...nouns('necklace, ring, crown', wear, treasure),
  ...nouns('scooter, bike, sled, wagon', ride, paint),
  ...nouns('bell', ring, treasure),
  ...nouns('shell, feather, stone, coin, button, marble, key, pebble', lookAt, treasure, false),
  ...nouns('basket, bucket, umbrella, blanket, pillow, backpack', carry, [...paint, 'old', 'little', 'big']),
  ...nouns('lantern, lamp, candle', light, ['little', 'old', 'golden', 'silver', 'red', 'blue', 'bright', 'small']),
]

/** What helps to mend, reach and pull. */
export const tools: readonly Noun[] = [
  ...nouns('rope, ladder, stick, net, shovel, broom, hook, pole', carry, tool),
  ...nouns('hammer, brush', hold, tool),
]

/** Things to make by hand, with the verb of making in the events. */
export const crafts: readonly Noun[] = [
  ...nouns('birdhouse, card, picture, wreath, vase, bowl, box, swing, bench, quilt, mobile', lookAt, [
    ...colors,
    'pretty',
    'wooden',
    'little',
    'lovely',
  ]),
]

const eat = verb('eat', 'ate', 'eating')
/** What somebody can make. */
export const baked: readonly Noun[] = [
  ...nouns('cake, pie, pudding, loaf of bread, pizza, tart', eat, ['big', 'sweet', 'warm', 'fresh', 'tasty', 'round']),
  ...nouns('cookie, muffin, bun, pancake, sandwich, honey cake', eat, ['sweet', 'big', 'fresh', 'tasty', 'little']),
]
export const foods: readonly Noun[] = [
  ...baked,
  ...nouns('apple, pear, peach, plum, carrot', eat, ['sweet', 'big', 'fresh', 'tasty', 'juicy', 'little']),
]

export const allNouns: readonly Noun[] = [...toys, ...tools, ...crafts, ...foods]
export const allLooks: ReadonlySet<string> = new Set(allNouns.flatMap(noun => noun.looks))
