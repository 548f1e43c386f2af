/** A new friend: someone new is lonely until somebody asks. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { daybreak, happily, introduce } from './scenes.js'

export const newcomer: Plot = {
  name: 'newcomer',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const [place, other] = random.shuffle(t.path) as [(typeof t.path)[0], (typeof t.path)[0]]
    t.title = 'New Friend'
    introduce(t, place)
    t.tell('lonely', { a, p: place }, t.chance(0.5) ? 'but' : '')
    const toy = t.chance(0.7)
    if (toy) t.tell('own', { a, o })
    const lead = daybreak(t, place)
    t.tell('out', { a, p: place }, lead)
    t.tell('watchOthers', { a, p: place })
    t.tell('sad', { a, x: t.topic('sad') })
    if (toy && t.chance(0.5)) t.tell('use', { a, o, p: place })
    t.paragraph()
    const b = t.friend()
    t.tell('meet', { a, b, p: place })
    if (toy) t.tell('showThing', { a, b, o })
    t.tell('invite', { a, b })
    t.tell('play', { a, b, p: other }, 'after')
    t.tell('laugh', { a, b }, 'and')
    t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
