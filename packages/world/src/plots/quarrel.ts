/** Sharing: two friends fight about a thing, it may break, they miss each other, make up and share. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const quarrel: Plot = {
  name: 'quarrel',
  things: toys,
  run(t) {
    const { hero: a, thing: o } = t
    const place = t.random.pick(t.path)
    t.title = 'Quarrel about the <o>'
    introduce(t)
    const b = befriend(t)
    const lead = daybreak(t, place)
    t.tell('play', { a, b, p: place }, lead)
    const [owner, other] = t.chance(0.5) ? [a, b] : [b, a]
    t.tell('bring', { a: owner, o })
    t.tell('wantsToo', { a: owner, b: other, o })
    t.tell('quarrel', { a: owner, b: other, o })
    const broken = o.noun.material !== undefined && t.chance(0.7)
    if (broken) t.tell('tear', { o })
    t.tell('partWays', { a: owner, b: other })

    t.paragraph()
    const [first, second] = t.chance(0.5) ? [a, b] : [b, a]
    t.tell('sad', { a: first, x: t.topic('sad') })
    t.tell('alone', { a: first, b: second })
    t.tell('sorry', { a: first, b: second, o }, 'so')
    t.tell('forgive', { a: first, b: second }, 'and')
    if (broken) t.tell('mendTwo', { a: first, b: second, o, y: t.glue(o) })
    t.tell('turns', { a: first, b: second, o })
    t.tell('laugh', { a, b }, 'and')
    happily(t, a, b)
  },
}
