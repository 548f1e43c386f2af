/** A stranger in need comes by: doubt, kindness, thanks. */
import { type Definition, define } from './define.js'

export const visitor: Record<string, Definition> = define({
  stranger: {
    args: 'b p? x',
    x: 'plight',
    opener: 'one',
    rule: (w, { b, p }) => {
      w.person(b!)
      if (p) w.at.set(b!, p)
      w.open('plight', { a: b })
    },
    say: [
      '<b.intro> came <p.to>, <x.base>',
      '<b.intro>, whom nobody knew, stood <p.in>, <x.base>',
      'there was a knock at the door, and outside stood <b.intro>, <x.base>',
      'a stranger came <p.to>: <b.intro>, <x.base>',
    ],
    ask: [['Who came <p.to>?', '<b.name>', 'person']],
    gist: '<b.name> came to the door',
  },
  doubt: {
    args: 'b',
    rule: (w, { b }) => void w.expect('plight', b),
    say: [
      'the neighbors (closed their doors|looked away|shook their heads) when <b> asked for help',
      '"We do not (know|trust) <b.him>," (the neighbors|people|some of the neighbors) (whispered|said|muttered)[ $tail].',
      'nobody else wanted to (help <b.him>|open the door for <b.him>|have <b.him> in the house)',
      'people (whispered|frowned|shook their heads) and walked past <b.him> (without a word|quickly|with cold faces)[ $tail]',
    ],
    gist: 'the neighbors did not help <b.name>',
  },
  pity: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.person(a!)
      w.expect('plight', b)
      w.together(a, b)
    },
    say: [
      '<a> looked into <b.his> tired eyes and felt sorry for <b.hm>',
      '"Come in, <b.name>," said <a.np> $kindly.',
      '<a> remembered how it feels to be alone, and <a.he> (smiled at|waved to) <b.him>',
      '"You can stay with me, <b.name>," said <a.np> $kindly.',
    ],
    ask: [['Who was kind to <b.name>?', '<a.name>', 'person']],
    gist: '<a.name> was kind to <b.name>',
  },
  feed: {
    args: 'a b q',
    rule: (w, { a, b, q }) => {
      w.together(a, b)
      w.thing(q, 'gone')
      w.close('plight', 'helped', b)
      w.mark('helps', a, b)
    },
    say: [
      '<a> gave <b.him> <q.a> and a place by the fire',
      '<a> had only <q.a>, but <a.he> shared it with <b.him>',
      '<a> put <q.a> on the table, and <b> ate it to the last crumb',
      '<a> cut <q.a> in two and gave <b.him> the bigger half',
    ],
    ask: [['What did <b.name> eat?', '<q.a>', 'thing']],
    gist: '<a.name> shared <q.a> with <b.name>',
  },
  reward: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.needs('helps', a, b)
      w.together(a, b)
      w.thing(o, a, a)
    },
    say: [
      'Out of an old bag, <b> took <o.a> and gave it to <a.him>',
      '"I have only <o.a>, but it is for you, <a.name>," said <b.np>.',
      'Before <b> went to sleep, <b.he> gave <a.him> <o.a> to say thank you',
      'That very evening, <b> made <o.a> for <a.him>',
    ],
    ask: [['What did <b.name> give to <a.name>?', '<o.a>', 'thing']],
    gist: '<b.name> gave <a.name> <o.a>',
  },
  stays: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.needs('helps', a, b)
      w.mark('friends', a, b)
    },
    say: [
      '"Stay as long as you like," said <a.np>, and <b> stayed for (a week|the whole winter|a month|good).',
      'There were stories of <b.np> about (the sea|far countries|high mountains|the desert) every night, and <a> listened until the fire went out',
      '"This is your home, too, <b.name>," said <a.np> $kindly.',
      'In time even the neighbors liked <b.him>, and <a> was glad',
    ],
  },
  leaves: {
    args: 'a b',
    opener: 'next',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.needs('helps', a, b)
      if (b) w.at.delete(b)
      w.open('parting', { a, b })
      w.close('parting', 'given up', a)
    },
    say: [
      'The road called <b.him>, and <a> stood at the door and waved (for a long time|until the dust had settled)',
      '"I must go on, but I will not forget you, <a.name>," said <b.np>.',
      'It was time to go on over the (hill|fields|bridge), and <b> hugged <a.him> one last time',
    ],
    gist: '<b.name> went away',
  },
  misses: {
    args: 'a b',
    opener: 'none',
    rule: (w, { a }) => {
      w.hero(a)
      if (w.threads.every(thread => thread.end !== 'given up')) w.fail(`${a!.name} misses nobody`)
      for (const thread of w.threads) if (!thread.end) w.fail(`the end comes while this is open: ${thread.kind}`)
      w.ending = 'bittersweet'
    },
    say: [
      '<a> missed <b.him>, but whenever <a.he> looked at the stars, <a.he> smiled',
      'The house was quiet without <b.np>, but <a> had a warm feeling in <a.hs> heart',
      'Sometimes a letter came from <b.np>, and then <a> was happy all day',
    ],
  },
})
