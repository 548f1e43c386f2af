/** The truth: something breaks, it is hidden, perhaps lied about, and told at last. */
import { toys } from '../lexicon/things.js'
import type { Plot } from './define.js'
import { befriend, daybreak, happily, introduce } from './scenes.js'

export const truth: Plot = {
  name: 'truth',
  things: toys.filter(({ noun, material }) => material === 'hard' && !/scooter|bike|sled|wagon/.test(noun)),
  run(t) {
    const { hero: a, thing: o, random } = t
    const place = random.pick(t.path)
    t.title = 'Broken <o>'
    introduce(t)
    const b = befriend(t)
    const lead = daybreak(t, place)
    t.tell('play', { a, b, p: place }, lead)
    const [guilty, owner] = t.chance(0.5) ? [a, b] : [b, a]
    t.tell('bring', { a: owner, o })
    t.tell('breaks', { a: guilty, b: owner, o })
    t.tell('conceal', { a: guilty, o })
    t.tell('asksWho', { b: owner, o })
    if (t.chance(0.6)) t.tell('lie', { a: guilty, b: owner })
    t.paragraph()
    t.tell('ashamed', { a: guilty })
    t.tell('confess', { a: guilty, b: owner }, 'so')
    t.tell('pardon', { a: guilty, b: owner })
    t.tell('mendTwo', { a: guilty, b: owner, o, y: t.glue(o) })
    t.paragraph()
    if (t.chance(0.5)) t.tell('glad', { a, x: t.topic('glad') })
    happily(t, a, b)
  },
}
