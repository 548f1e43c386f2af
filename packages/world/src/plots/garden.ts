/** Growing something: patience, danger, harvest, or a loss and a new seed. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { happily, introduce } from './scenes.js'

export const garden: Plot = {
  name: 'garden',
  things: toys,
  run(t) {
    const { hero: a, random } = t
    const place = random.pick(t.path.filter(one => !one.indoors))
    const x = t.topic('crop')
    const y = t.topic('threat')
    t.title = 'Little Seed'
    introduce(t)
    t.paragraph()
    t.tell('walkAlone', { a, p: place }, 'one')
    t.tell('plant', { a, x, p: place })
    t.tell('waits', { a })
    if (t.chance(0.5)) t.tell('sad', { a, x: t.topic('sad') })
    const b = t.helper()
    t.tell('meet', { a, b, p: place })
    t.tell('advise', { a, b })
    t.paragraph()
    t.tell('sprout', { a })
    t.tell('threat', { y }, 'but')
    if (t.chance(0.3)) {
      t.tell('wither', { a })
      t.tell('comfort', { a, b })
      t.tell('newSeed', { a, b })
      t.paragraph()
      t.tell('hope', { a })
      return
    }
    t.tell('guard', { a, y })
    t.paragraph()
    t.tell('grown', { a, x })
    t.tell('harvest', { a, x })
    if (t.chance(0.5)) t.tell('thanks', { a, b })
    happily(t, a, t.chance(0.5) ? b : undefined)
  },
}
