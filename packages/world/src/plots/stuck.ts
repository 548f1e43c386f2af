/** A rescue: someone is stuck, the first plan fails, the second works. */
import { tools } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const stuck: Plot = {
  name: 'stuck',
  things: tools.filter(({ noun }) => !/broom|hammer|brush/.test(noun)),
  run(t) {
    const { hero: a, thing: q, random } = t
    const place = random.pick(t.path.filter(one => !one.indoors))
    t.title = 'Rescue'
    introduce(t)
    const b = befriend(t)
    const lead = daybreak(t, place)
    t.tell('play', { a, b, p: place }, lead)
    t.tell('stuck', { b, x: t.topic('trap') })
    t.tell('shout', { a, b })
    t.tell('pullFail', { a, b })
    if (t.chance(0.5)) t.tell('sad', { a: b, x: t.topic('sad') })
    if (t.chance(0.4)) t.tell('pullFail', { a, b })
    t.paragraph()
    t.tell('fetchTool', { a, q })
    t.tell('pullOut', { a, b, q })
    t.tell('thanks', { a: b, b: a })
    if (t.chance(0.6)) t.tell('laugh', { a, b })
    happily(t, a, b)
  },
}
