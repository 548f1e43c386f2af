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
    const [saver, saved] = t.chance(0.5) ? [a, b] : [b, a]
    t.tell('stuck', { b: saved, x: t.topic('trap') })
    t.tell('shout', { a: saver, b: saved })
    t.tell('pullFail', { a: saver, b: saved })
    if (t.chance(0.5)) t.tell('sad', { a: saved, x: t.topic('sad') })
    if (t.chance(0.4)) t.tell('pullFail', { a: saver, b: saved })
    t.paragraph()
    t.tell('fetchTool', { a: saver, q })
    t.tell('pullOut', { a: saver, b: saved, q })
    t.tell('thanks', { a: saved, b: saver })
    if (t.chance(0.6)) t.tell('laugh', { a, b })
    happily(t, a, b)
  },
}
