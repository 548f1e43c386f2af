/** A surprise party: a friend who feels forgotten is not. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, happily, introduce } from './scenes.js'

export const party: Plot = {
  name: 'party',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path)
    t.title = 'Secret Party'
    introduce(t)
    const b = befriend(t)
    t.tell('birthday', { a, b })
    t.paragraph()
    const [x, y] = random.shuffle(t.topics('chore'))
    t.tell('prepare', { a, x })
    if (t.chance(0.5)) {
      const c = t.friend()
      t.tell('pal', { a, b: c })
      t.tell('prepare', { a: c, x: y })
    }
    t.tell('noTime', { a, b })
    t.tell('forgotten', { b }, t.chance(0.5) ? 'so' : '')
    if (t.chance(0.5)) t.tell('sad', { a: b, x: t.topic('sad') })
    t.paragraph()
    t.tell('fetchFriend', { a, b, p: place }, t.chance(0.5) ? 'next' : 'after')
    t.tell('surprise', { b })
    t.tell('notForgotten', { b })
    if (t.chance(0.7)) {
      t.tell('bring', { a, o })
      t.tell('give', { a, b, o }, 'and')
      if (t.chance(0.5)) t.tell('loves', { a: b, b: a, o })
    }
    if (t.chance(0.5)) t.tell('glad', { a: b, x: t.topic('glad') })
    happily(t, a, b)
  },
}
