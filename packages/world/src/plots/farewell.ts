/** A farewell: a friend moves away. It ends sadly, or with a letter. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, introduce } from './scenes.js'

export const farewell: Plot = {
  name: 'farewell',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path.filter(one => !one.indoors))
    t.title = 'Goodbye'
    introduce(t)
    const b = befriend(t)
    if (t.chance(0.6)) t.tell('play', { a, b, p: random.pick(t.path) })
    t.paragraph()
    t.tell('news', { a, b })
    t.tell('sad', { a, x: t.topic('sad') })
    if (t.chance(0.4)) t.tell('cry', { a })
    t.tell('consoles', { a, b })
    t.paragraph()
    t.tell('lastDay', { a, b, p: place })
    if (t.chance(0.75)) {
      const [giver, other] = t.chance(0.5) ? [a, b] : [b, a]
      t.tell('bring', { a: giver, o })
      t.tell('give', { a: giver, b: other, o }, 'and')
      if (t.chance(0.6)) t.tell('loves', { a: other, b: giver, o })
    }
    t.tell('goodbye', { a, b })
    t.paragraph()
    if (t.chance(0.5)) {
      t.tell('letter', { a, b })
      if (t.chance(0.5)) t.tell('lesson', { a, x: t.lesson() })
      t.tell('partedBitter', { a, b })
    } else t.tell('partedSad', { a, b })
  },
}
