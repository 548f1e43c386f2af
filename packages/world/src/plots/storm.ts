/** Weather trouble: a storm, a shelter, and someone who is still outside. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const storm: Plot = {
  name: 'storm',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path.filter(one => !one.indoors))
    const x = t.topic('storm')
    t.title = 'Storm'
    introduce(t)
    const b = befriend(t)
    const lead = daybreak(t, place)
    t.tell('play', { a, b, p: place }, lead)
    t.tell('stormComes', { x })
    t.tell('hide', { a, b, x: t.topic('shelter') })
    if (t.chance(0.4)) {
      t.tell('bring', { a, o })
      t.tell('warm', { a, b, o }, 'and')
    }
    t.paragraph()
    const c = t.friend()
    t.tell('hear', { a, b, c })
    const [hero] = t.chance(0.7) ? [a] : [b]
    t.tell('fetchIn', { a: hero, c })
    t.tell('thanks', { a: c, b: hero })
    t.tell('stormEnds', { x })
    t.paragraph()
    if (t.chance(0.6)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, t.chance(0.6) ? b : undefined)
  },
}
