/** Lost and found: a thing goes missing, is looked for with help, and is found, or is not. */
import { tools, toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

const reachers = tools.filter(({ noun }) => /ladder|stick|hook|pole|rope|broom|net/.test(noun))

export const lost: Plot = {
  name: 'lost',
  things: toys,
  run(t) {
    const { hero: a, thing: o, random } = t
    const [start, other] = random.shuffle(t.path.slice(0, 8)) as [(typeof t.path)[0], (typeof t.path)[0]]
    t.title = 'Lost <o>'
    introduce(t)
    t.tell('own', { a, o })
    const pal = t.chance(0.35) ? befriend(t) : undefined
    const lead = daybreak(t, start)
    t.tell('out', { a, p: start }, lead)
    if (t.chance(0.6)) t.tell('use', { a, o, p: start }, 'and')

    const how = random.below(o.noun.light ? 3 : 2)
    t.tell(how === 2 ? 'blown' : how === 1 ? 'taken' : 'dropped', { a, o }, how ? '' : 'but')
    if (how === 0 || t.chance(0.4)) t.tell('miss', { a, o }, how ? '' : 'after')
    t.tell('sad', { a, x: t.topic('sad') })
    if (t.chance(0.3)) t.tell('cry', { a })

    t.paragraph()
    if (t.chance(0.6)) t.tell('seek', { a, o, p: start, x: t.topic('spot') })
    let b = pal
    if (b) t.world.at.set(b, start)
    else t.tell('meet', { a, b: (b = t.helper()), p: start })
    t.tell('asks', { a, b, o })
    const hint = t.chance(0.5)
    let here = start
    if (hint) {
      t.tell('hint', { a, b, o, p: other })
      if (t.chance(0.6)) {
        t.tell('joins', { a, b })
        t.tell('goTwo', { a, b, p: other }, 'so')
      } else {
        t.world.mark('helps', b, a)
        t.tell('go', { a, p: other }, 'so')
      }
      here = other
    } else {
      if (t.chance(0.6)) t.tell('unseen', { a, b, o })
      t.tell('joins', { a, b })
      t.tell('seekTwo', { a, b, o, p: here, x: t.topic('spot') })
      if (t.chance(0.6)) {
        t.tell('goTwo', { a, b, p: (here = other) }, 'after')
        if (t.chance(0.5)) t.tell('seekTwo', { a, b, o, p: here, x: t.topic('spot') })
      }
    }
    const together = t.world.at.get(a) === t.world.at.get(b)

    t.paragraph()
    if (together && t.chance(0.3)) {
      t.tell('noLuck', { a, o })
      t.tell('letGo', { a, o }, 'and')
      t.tell('comfort', { a, b })
      t.paragraph()
      if (t.chance(0.4)) t.tell('sadEnd', { a, o })
      else {
        if (t.chance(0.5)) t.tell('lesson', { a, x: t.lesson() })
        t.tell('bitterEnd', { a, o })
      }
      return
    }
    const finder = together && t.chance(0.4) ? b : a
    if (how > 0 && together) {
      t.tell('spotHigh', { a: finder, o, p: here, x: t.topic('high') })
      if (t.chance(0.5)) t.tell('reachFail', { a, o })
      t.tell('reach', { a: b, o, q: t.make(reachers) })
      t.tell('giveBack', { a: b, b: a, o }, 'and')
    } else {
      t.tell('findLow', { a: finder, o, p: here, x: t.topic('spot') })
      if (finder === b) t.tell('giveBack', { a: b, b: a, o }, 'and')
    }
    t.tell('glad', { a, x: t.topic('glad') })
    if (together) t.tell('thanks', { a, b })
    happily(t, a, together ? b : undefined)
  },
}
