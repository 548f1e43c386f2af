/** A contest: a boaster, a fall, and fair play. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { happily, introduce } from './scenes.js'

/** Contests in which one can fall, and the other turn back. */
const canFall = /running|climbing|jumping|dancing|sack|egg|bike/

export const contest: Plot = {
  name: 'contest',
  things: toys,
  run(t) {
    const { hero: a, thing: o } = t
    const [x, place] = t.held('contest')
    t.title = `${x.forms.base}`
    introduce(t)
    const b = t.friend()
    t.tell('neighbor', { a, b })
    t.paragraph()
    t.tell('announce', { a, b, x, p: place })
    t.tell('boast', { a: b, b: a })
    t.tell('practice', { a, x }, 'but')
    t.tell('begin', { a, b, x })
    if (canFall.test(x.forms.base!) && t.chance(0.8)) {
      t.tell('stumble', { b })
      t.tell('choose', { a, b })
      t.paragraph()
      t.tell('helpUp', { a, b })
      if (t.chance(0.7)) t.tell('thanks', { a: b, b: a })
      t.tell('othersWin', { a, b })
    } else t.tell('wins', { a })
    t.tell('humble', { a: b, b: a })
    if (t.chance(0.6)) t.tell('prize', { a, o })
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
