/** Fear overcome: someone is afraid, a friend is in trouble just there, and the fear is faced. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const fear: Plot = {
  name: 'fear',
  things: toys,
  run(t) {
    const { hero: a, thing: o } = t
    const place = t.random.pick(t.path)
    const x = t.topic('fear')
    t.title = 'Brave Day'
    introduce(t)
    t.tell('afraid', { a, x }, t.chance(0.4) ? 'but' : '')
    if (t.chance(0.6)) t.tell('teased', { a })
    const b = befriend(t)
    const lead = daybreak(t, place)
    t.tell('play', { a, b, p: place }, lead)
    if (t.chance(0.5)) {
      t.tell('bring', { a: b, o })
      t.tell('use', { a: b, o, p: place }, 'and')
    }
    t.tell('trouble', { b, x })
    t.tell('callHelp', { a, b })

    t.paragraph()
    t.tell('hesitate', { a, x })
    t.tell('courage', { a, b }, t.chance(0.5) ? 'but' : 'after')
    t.tell('face', { a, x })
    t.tell('rescue', { a, b })
    t.tell('thanks', { a: b, b: a })

    t.paragraph()
    t.tell('brave', { a, x })
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
