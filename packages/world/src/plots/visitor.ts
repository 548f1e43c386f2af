/** A visitor: a stranger in need, doubt around, kindness, and what comes of it. */
import { foods, toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { happily, introduce } from './scenes.js'

export const visitor: Plot = {
  name: 'visitor',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path)
    t.title = 'Stranger'
    introduce(t)
    t.paragraph()
    const b = t.helper()
    t.tell('stranger', { b, p: place, x: t.topic('plight') }, 'one')
    if (t.chance(0.7)) t.tell('doubt', { b }, 'but')
    t.tell('pity', { a, b }, t.chance(0.6) ? 'but' : '')
    t.tell('feed', { a, b, q: t.make(foods) })
    t.tell('thanks', { a: b, b: a })
    t.paragraph()
    if (t.chance(0.6)) t.tell('reward', { a, b, o })
    if (t.world.holder.get(o) === a && t.chance(0.5)) t.tell('loves', { a, b, o })
    if (t.chance(0.35)) {
      t.tell('leaves', { a, b })
      if (t.chance(0.4)) t.tell('lesson', { a, x: t.lesson() })
      t.tell('misses', { a, b })
      return
    }
    t.tell('stays', { a, b })
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
