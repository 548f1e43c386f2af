/** A journey: something must be brought far, and the way is not easy. */
import { foods, toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { happily, introduce } from './scenes.js'

export const journey: Plot = {
  name: 'journey',
  things: [...toys, ...foods],
  run(t) {
    const { hero: a, thing: o, random } = t
    const [goal, middle] = random.shuffle(t.path) as [(typeof t.path)[0], (typeof t.path)[0]]
    t.title = 'Long Way'
    introduce(t)
    const b = t.grown()
    t.tell('errand', { a, b, o, p: goal })
    t.paragraph()
    t.tell('setOff', { a, o }, 'one')
    random
      .shuffle(t.topics('obstacle'))
      .slice(0, t.chance(0.5) ? 2 : 1)
      .forEach((x, i) => {
        if (i) t.paragraph()
        t.tell('obstacle', { a, x })
        if (t.chance(0.6)) t.tell('wayFail', { a, x })
        if (i === 0 ? t.chance(0.7) : t.chance(0.3)) {
          const c = t.helper()
          if (i === 0 && t.chance(0.4)) t.tell('sad', { a, x: t.topic('sad') })
          t.tell('meet', { a, b: c, p: middle })
          t.tell('wayHelp', { a, b: c, x })
          if (t.chance(0.7)) t.tell('thanks', { a, b: c })
          t.world.at.delete(c)
        } else t.tell('waySelf', { a, x }, 'but')
      })
    t.paragraph()
    t.tell('arrive', { a, p: goal })
    t.tell('deliver', { a, b, o })
    t.tell('welcome', { a, b })
    if (t.chance(0.4)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, t.chance(0.3) ? b : undefined)
  },
}
