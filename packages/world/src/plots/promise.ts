/** A promise: something on the way makes one forget; it is kept at the last moment, or broken and confessed. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const promise: Plot = {
  name: 'promise',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path)
    const x = t.topic('task')
    t.title = 'Promise'
    introduce(t)
    const b = befriend(t)
    const lead = daybreak(t, place)
    t.tell('promise', { a, b, x }, lead)
    t.tell('walkAlone', { a, p: place })
    t.tell('tempted', { a, o, p: place }, 'but')
    t.tell('remembers', { a })
    t.paragraph()
    if (t.chance(0.55)) {
      t.tell('keeps', { a, x })
      t.tell('trust', { a, b })
    } else {
      t.tell('tooLate', { a, b })
      t.world.at.delete(a)
      t.tell('ashamed', { a })
      t.tell('confess', { a, b }, 'so')
      t.tell('pardon', { a, b })
    }
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
