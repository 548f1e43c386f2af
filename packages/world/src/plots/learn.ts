/** Learning a skill: it goes wrong, someone shows how, practice does the rest. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { daybreak, happily, introduce } from './scenes.js'

export const learn: Plot = {
  name: 'learn',
  things: toys,
  run(t) {
    const { hero: a, thing: o } = t
    const [x, place] = t.held('skill')
    t.title = 'First Try'
    introduce(t)
    t.tell('wantLearn', { a, x })
    const lead = daybreak(t, place)
    t.tell('out', { a, p: place }, lead)
    t.tell('tryLearn', { a, x })
    if (t.chance(0.6)) t.tell('sad', { a, x: t.topic('sad') })
    if (t.chance(0.3)) t.tell('cry', { a })
    t.paragraph()
    const b = t.helper()
    t.tell('meet', { a, b, p: place })
    t.tell('tip', { a, b, x })
    t.tell('again', { a }, 'so')
    t.tell('practise', { a, x })
    t.paragraph()
    t.tell('learned', { a, x })
    t.tell('thanks', { a, b })
    if (t.chance(0.4)) t.tell('prizeGift', { a, b, o })
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, t.chance(0.5) ? b : undefined)
  },
}
