/** A mystery: what vanishes, who is blamed, what is found. */
import { type Definition, define } from './define.js'

export const mystery: Record<string, Definition> = define({
  vanish: {
    args: 'a q',
    rule: (w, { a, q }) => {
      w.person(a!)
      w.thing(q, 'gone', a)
      w.open('mystery', { a })
    },
    say: [
      '<a> had put <q.a> on the (table|window sill|shelf), and now it was gone',
      'Every night something vanished from <a.his> kitchen, and this time it was <q.a>',
      '<a> came into the kitchen, and <q.a> that had been there was gone',
    ],
    ask: [['What was gone?', '<q.a>', 'thing']],
    gist: '<q.a> of <a.name> was gone',
  },
  suspect: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.expect('mystery')
      w.open('blame', { a: b })
      w.mark('blames', a, b)
    },
    say: [
      '<a> thought that <b> had taken it',
      '"You took it, <b.name>!" cried <a.np>.',
      '<a> looked at <b.him> with narrow eyes and asked where <b.he> had been that night',
    ],
    ask: [['Who did <a.name> think had taken it?', '<b.name>', 'person']],
    gist: '<a.name> blamed <b.name>',
  },
  deny: {
    args: 'b',
    rule: (w, { b }) => void w.expect('blame', b),
    say: [
      '"It was not me," said <b.np> $sadly.',
      '<b> shook <b.hs> head, and <b.hs> eyes (filled with tears|were wet|grew big and round)',
      '<b> was (hurt|upset|very sad), because <b.he> had taken (nothing|not one crumb)',
      '"I would never do that," <b> (said|whispered|cried).',
    ],
  },
  clue: {
    args: 'a x p?',
    x: 'clue',
    rule: (w, { a, p }) => {
      w.expect('mystery')
      w.here(a, p)
      w.mark('clue', a)
    },
    say: [
      '<a> looked closely and found <x>',
      '<a> took a lamp, bent down and saw <x>',
      '<a> noticed <x> near the (door|window|wall)',
      'there was a clue: <a> found <x>',
    ],
    ask: [['What did <a.name> find?', '<x>', 'other']],
    gist: '<a.name> found <x>',
  },
  track: {
    args: 'a p x?',
    x: 'clue',
    rule: (w, { a, p }) => {
      w.needs('clue', a)
      w.go(a, p)
    },
    say: [
      '<a> followed the clue <p.to> (on tiptoe|without a sound|with a beating heart)',
      '<a> thought about it and crept <p.to>',
      'the trail led <a.him> <p.to>',
      'step by step, <a> followed the trail <p.to>',
    ],
    ask: [['Where did the trail lead?', '<p.to>', 'place']],
    gist: '<a.name> followed the trail',
  },
  wait: {
    args: 'a',
    rule: w => void w.expect('mystery'),
    say: [
      '<a> hid and waited (in the dark|without a sound|and tried not to sneeze)[ $nighttail]',
      '<a> held <a.hs> breath and listened $nighttail',
      '<a> waited and waited, and then <a.he> heard a (soft|tiny|scratching) noise[ $nighttail]',
    ],
  },
  reveal: {
    args: 'a? c q? p?',
    opener: 'last',
    rule: (w, { c, p, a }) => {
      w.person(c!)
      w.here(a, p)
      w.close('mystery', 'solved')
    },
    say: [
      '<a> saw who it was: <c.intro>, with crumbs (all around <c.hm>|on <c.hs> nose|on <c.hs> chin)',
      'there sat <c.intro>, eating the last bit of <q.the>',
      '<a> found <c.intro> with what was left of <q.the>',
      'behind (a box|a curtain|a basket|a pile of wood) sat <c.intro>, too (scared|frightened|surprised) to move',
    ],
    ask: [['Who had taken it?', '<c.name>', 'person']],
    gist: 'it was <c.name> who had taken it',
  },
  reason: {
    args: 'c',
    rule: (w, { c }) => {
      if (w.isOpen('mystery')) w.fail('the mystery is not solved yet')
      w.open('plight', { a: c })
    },
    say: [
      '"I am sorry, I was so hungry," <c> (whispered|sobbed|said).',
      '<c> had three little (brothers|sisters|babies) at home who had nothing to eat',
      '<c> had no family and (no food|no home|nothing to eat) and had not dared to (ask|knock|say a word)',
      '"I did not know how to ask," <c> said $sadly.',
    ],
    ask: [['Why had <c.name> taken it?', '<c.name> was hungry', 'other']],
  },
  unblame: {
    args: 'a b',
    rule: (w, { a, b }) => {
      if (w.isOpen('mystery')) w.fail('the mystery is not solved yet')
      w.needs('blames', a, b)
      w.close('blame', 'cleared', b)
    },
    say: [
      '<a> went to <b.him> and said that <a.he> was very sorry',
      '"I was wrong about you, <b.name>," said <a.np>.',
      '"Please forgive me, <b.name>," said <a.np>, and <b> did.',
      '<a> felt ashamed and asked <b.him> to forgive <a.hm>',
    ],
    gist: '<a.name> said sorry to <b.name>',
  },
  sharesWith: {
    args: 'a c',
    rule: (w, { a, c }) => {
      w.close('plight', 'helped', c)
      w.mark('helps', a, c)
    },
    say: [
      '<a> was not angry and gave <c.him> (bread and cheese|warm milk|a big plate of soup|as much as <c.he> could eat)',
      '"From now on, come to the front door, <c.name>," said <a.np>.',
      '<a> set (a plate|a chair|a bowl and a spoon) for <c.him> (at the table|by the fire|next to the stove)',
      '"Next time, just ask, <c.name>," said <a.np> $kindly.',
    ],
    ask: [['Who was kind to <c.name>?', '<a.name>', 'person']],
    gist: '<a.name> shared with <c.name>',
  },
})
