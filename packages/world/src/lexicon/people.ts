/** Who can be in a story: names (each always he or always she), kinds, and the traits they are introduced with. */

const list = (words: string): readonly string[] => words.trim().split(/\s+/)

export const women: readonly string[] = list(`
  Mia Lily Anna Ella Zoe Ruby Nora Lucy Ivy Rosa Clara Emma Nina Tess Maya Ada Bella Cora Edith Faye Gina Iris Jane Kira
  Lola Molly Nell Olive Penny Rita Sara Tina Una Vera Wendy Yara Zara Amy Betty Chloe Dora Elsa Fiona Greta Heidi Ida
  Julia Kate Lena Maggie Naomi Paula Rosie Sally Tilly Willa Poppy Pearl Hattie Dolly Mabel Minnie Nelly Polly Susie
  Trixie Winnie Annie Bonnie Cleo Della Effie Flora Gemma Josie Katie Lottie Millie Nancy Peggy`)
export const men: readonly string[] = list(`
  Tom Ben Max Sam Leo Finn Jack Tim Oscar Otto Hugo Felix Milo Toby Rusty Bruno Pip Gus Ned Theo Adam Bob Carl Dan Eli
  Fred George Henry Ian Jake Kai Luke Nick Omar Paul Ralph Simon Ted Victor Walter Alfie Barney Charlie Dexter Ernie
  Frankie Harvey Jasper Louie Monty Noah Ollie Percy Rocky Willy Ziggy Arlo Basil Dusty Ezra Hank Jonah Kip Lenny Moe
  Nico Rory Albert Buddy Casper Dudley Elmer Freddy Gilbert Homer Jimmy Kenny Murray Rufus`)

export interface Species {
  readonly noun: string
  /** A child or a young animal can be the hero of a story; a grown-up helps. */
  readonly role: 'child' | 'animal' | 'grown'
  /** Set where only one of the two is possible. */
  readonly sex?: 'he' | 'she'
}

const children: readonly Species[] = [
  { noun: 'girl', role: 'child', sex: 'she' },
  { noun: 'boy', role: 'child', sex: 'he' },
]
const animals: readonly Species[] = list(`fox rabbit bear mouse squirrel hedgehog duck owl frog turtle kitten puppy lamb
  pony goat pig goose beaver otter badger mole deer raccoon penguin monkey donkey cat dog bunny chick seal crow robin
  sparrow lizard toad calf panda koala parrot`).map(noun => ({ noun, role: 'animal' }))
const grown: readonly Species[] = [
  ...list('baker farmer gardener sailor teacher fisherman carpenter painter shepherd beekeeper miller shopkeeper'),
  'postman',
].map((noun): Species => ({ noun, role: 'grown', ...(/man$/.test(noun) ? { sex: 'he' } : {}) }))
const old: readonly Species[] = [
  { noun: 'old woman', role: 'grown', sex: 'she' },
  { noun: 'old man', role: 'grown', sex: 'he' },
]

export const heroes: readonly Species[] = [...children, ...children, ...children, ...children, ...children, ...animals]
export const helpers: readonly Species[] = [...animals, ...grown, ...grown, ...old, ...old, ...old]
export const allSpecies: readonly Species[] = [...children, ...animals, ...grown, ...old]

/** Adjectives before the kind when someone is introduced. */
export const traits: readonly string[] =
  list(`brave kind shy clever cheerful curious gentle quiet careful silly friendly
  playful proud patient busy polite lazy hungry small young little tiny honest funny lively dreamy helpful sleepy merry`)
export const grownTraits: readonly string[] =
  list(`kind wise friendly gentle cheerful patient busy jolly quiet tall clever
  strong helpful polite merry`)

/** The words by which stories say who is meant: what a model must get right, where most other words are free. */
export const references: { readonly names: readonly string[]; readonly others: readonly string[] } = {
  names: [...women, ...men],
  others: [...new Set(allSpecies.map(({ noun }) => noun)), ...list('he she him her his it they them He She It They')],
}
