/** Making something: a wish for a friend, a thing that is missing, a first try that fails, a gift. */
import { baked, crafts, type Noun, toys } from '../lexicon/things.js'
import { topicLists } from '../lexicon/topics.js'
import type { Plot } from './define.js'
import { befriend, happily, introduce } from './scenes.js'

const makeable = toys.filter(({ noun }) => /kite|boat|drum|puppet|doll|hat|scarf|crown|basket|lantern|book/.test(noun))

/** What it can be made of. */
function materials({ noun, verb }: Noun): RegExp {
  if (verb.base === 'eat') return /flour|honey|butter|eggs|milk|berries|sugar|nuts|cinnamon/
  if (verb.base === 'wear' || /quilt|doll|puppet|wreath/.test(noun)) return /wool|cloth|thread|ribbon|string/
  if (/vase|bowl/.test(noun)) return /clay|paint/
  if (/card|picture|book|kite|lantern|mobile/.test(noun)) return /glue|paint|paper|ink|ribbon|string/
  return /glue|paint|wood|nails|wax|wire|string/
}

export const make: Plot = {
  name: 'make',
  things: [...crafts, ...crafts, ...baked, ...makeable],
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path)
    t.title = 'Making of the <o>'
    introduce(t)
    const b = befriend(t)
    t.paragraph()
    t.tell('wantMake', { a, b, o })
    const stuff = topicLists.stuff.filter(({ forms }) => materials(o.noun).test(forms.bare!))
    const needs = random.shuffle(stuff).slice(0, t.chance(0.3) ? 2 : 1)
    needs.forEach((x, i) => {
      t.tell('needs', { a, x, o }, i ? '' : 'but')
      const c = t.helper()
      if (i === 0) {
        t.tell('go', { a, p: place }, 'so')
        t.tell('meet', { a, b: c, p: place })
      } else t.tell('meet', { a, b: c, p: place })
      t.tell('gets', { a, b: c, x })
      if (t.chance(0.6)) t.tell('thanks', { a, b: c })
      t.world.at.delete(c)
    })
    t.paragraph()
    t.world.at.delete(a)
    t.tell('work', { a, o }, 'next')
    if (t.chance(0.65)) {
      t.tell('makeFail', { a, o }, 'but')
      if (t.chance(0.4)) t.tell('sad', { a, x: t.topic('sad') })
      t.tell('again', { a }, 'but')
    }
    t.tell('made', { a, o })
    t.paragraph()
    t.tell('give', { a, b, o })
    t.tell('loves', { a: b, b: a, o })
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
