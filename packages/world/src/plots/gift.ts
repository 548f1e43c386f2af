/** A gift: no money, work for it, and the joy of giving. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const gift: Plot = {
  name: 'gift',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const shop = random.pick(t.path)
    t.title = 'Present'
    introduce(t)
    const b = befriend(t)
    const lead = daybreak(t, shop)
    t.tell('out', { a, p: shop }, lead)
    t.tell('wantGift', { a, b, o, p: shop })
    t.tell('noMoney', { a, o }, 'but')
    if (t.chance(0.5)) t.tell('sad', { a, x: t.topic('sad') })
    t.paragraph()
    const c = t.grown()
    t.tell('meet', { a, b: c, p: shop })
    const x = t.topic('task')
    t.tell('deal', { a, b: c, x, o })
    t.tell('toil', { a, x }, 'so')
    t.tell('earn', { a, b: c, o })
    if (t.chance(0.5)) t.tell('thanks', { a, b: c })
    t.paragraph()
    t.tell('give', { a, b, o }, 'next')
    t.tell('loves', { a: b, b: a, o })
    if (t.chance(0.6)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
