/** A mystery: something vanishes, the wrong one is blamed, a clue leads to the truth. */
import { foods } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, happily, introduce } from './scenes.js'

export const mystery: Plot = {
  name: 'mystery',
  things: foods,
  run(t) {
    const { hero: a, thing: q, random } = t
    const place = random.pick(t.path)
    t.title = 'Mystery of the <o>'
    introduce(t)
    const b = t.chance(0.8) ? befriend(t) : undefined
    t.paragraph()
    t.tell('vanish', { a, q }, 'one')
    if (b) {
      t.tell('suspect', { a, b })
      t.tell('deny', { b }, 'but')
    }
    const x = t.topic('clue')
    t.tell('clue', { a, x }, 'after')
    t.paragraph()
    t.tell('track', { a, p: place, x })
    if (t.chance(0.6)) t.tell('wait', { a })
    const c = t.friend()
    t.tell('reveal', { a, c, q, p: place })
    t.tell('reason', { c })
    t.tell('sharesWith', { a, c })
    t.tell('thanks', { a: c, b: a })
    t.paragraph()
    if (b) t.tell('unblame', { a, b })
    if (t.chance(0.4)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, t.chance(0.5) ? c : b)
  },
}
