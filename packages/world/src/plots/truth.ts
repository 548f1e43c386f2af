/** The truth: something breaks, it is hidden, perhaps lied about, and told at last. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const truth: Plot = {
  name: 'truth',
  things: toys.filter(({ noun }) => !/feather|coin|key|pebble|stone|pillow|blanket|ball|scarf|ribbon/.test(noun)),
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path)
    t.title = 'Broken <o>'
    introduce(t)
    const b = befriend(t)
    t.tell('own', { a: b, o })
    const lead = daybreak(t, place)
    t.tell('play', { a, b, p: place }, lead)
    t.tell('breaks', { a, b, o })
    t.tell('conceal', { a, o })
    t.tell('asksWho', { b, o })
    if (t.chance(0.6)) t.tell('lie', { a, b })
    t.paragraph()
    t.tell('ashamed', { a })
    t.tell('confess', { a, b }, 'so')
    t.tell('pardon', { a, b })
    t.tell('mendTwo', { a, b, o, y: t.topic('glue') })
    t.paragraph()
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
