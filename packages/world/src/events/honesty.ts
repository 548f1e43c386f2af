/** Promises and truth: kept, forgotten, broken, told at last. */
import { type Definition, define } from './define.js'

export const honesty: Record<string, Definition> = define({
  promise: {
    args: 'a b x',
    x: 'task',
    rule: (w, { a, b, x }) => {
      w.together(a, b)
      w.open('promise', { a, b, x })
    },
    say: [
      '<a> promised <b.him> to <x.base> (before dark|before supper|by noon|that day)',
      '"I promise to <x.base>, <b.name>," said <a.np>.',
      '"Will you <x.base> for me, <a.name>?" <b> asked, and <a> promised it.',
      '<a> promised <b.him>, who was (ill|tired|very busy), to <x.base>',
    ],
    ask: [
      ['What did <a.name> promise?', 'to <x.base>', 'other'],
      ['Who made a promise?', '<a.name>', 'person'],
    ],
    gist: '<a.name> made a promise',
  },
  tempted: {
    args: 'a o p?',
    rule: (w, { a, o, p }) => {
      w.expect('promise', a)
      w.here(a, p)
      if (!w.things.includes(o!)) w.thing(o, a)
    },
    say: [
      '<a> found <o.a> on the way and forgot everything else',
      'On the way, <a> saw <o.a> and stopped to <o.use> it (for a long time|for hours|until the shadows were long)',
      'There was <o.a> by the road, and <a> thought of nothing but <o.using> it',
      '<a> had <o.a> with <a.hm> and played until the sun was low',
    ],
    ask: [['What made <a.name> forget?', '<o.a>', 'thing']],
    gist: '<a.name> forgot the promise',
  },
  remembers: {
    args: 'a',
    opener: 'sudden',
    rule: (w, { a }) => {
      w.expect('promise', a)
      w.mark('remembers', a)
    },
    say: [
      '<a> remembered the promise and (went pale|jumped up|felt hot and cold)',
      '"(Oh no|Oh dear|Wait), my promise!" <a> (cried|said|whispered) and (went pale|jumped up|looked at the low sun|stopped at once).',
      'a (bell|rooster|whistle) sounded far away, and <a> remembered the promise',
    ],
    gist: '<a.name> remembered the promise',
  },
  keeps: {
    args: 'a x',
    x: 'task',
    rule: (w, { a, x }) => {
      w.needs('remembers', a)
      w.close('promise', 'kept', a, x)
    },
    say: [
      '<a> ran (as fast as the wind|without stopping|all the way) and <x.past>, just in time',
      '<a> <x.past> by the light of the moon, and did not go home until it was done',
      '<a> ran back and <x.past>, and it was done before the stars came out',
    ],
    ask: [['What did <a.name> do in the end?', '<a.he> <x.past>', 'other']],
    gist: '<a.name> <x.past>',
  },
  tooLate: {
    args: 'a b?',
    rule: (w, { a }) => {
      w.needs('remembers', a)
      w.close('promise', 'broken', a)
      w.open('guilt', { a })
    },
    say: [
      '<a> ran and ran, but (it was too late|<a.he> came too late|the (sun|light|day) was already gone|nobody was waiting anymore)',
      'but it was too late, and <b> had done all the work alone, while <a> was away',
      'it was already (dark|evening|late|time for supper), and <a> had broken (the promise|a promise|<a.hs> word)',
      'when <a> got there, <b> sat there, (tired|pale|disappointed), for it was too late',
    ],
    gist: '<a.name> came too late',
  },
  breaks: {
    args: 'a b o',
    opener: 'sudden',
    rule: (w, { a, b, o }) => {
      w.owns(b, o)
      w.whole(o)
      w.broken.add(o!)
      w.open('broken', { a: b, o })
      w.open('guilt', { a })
    },
    say: [
      'the <o.n> that belonged to <b.np> broke when <a> (bumped into|knocked against|stepped on) it',
      'the <o.n> that belonged to <b.np> fell and broke when <a> (took it without asking|wanted to try it|played too wildly)',
    ],
    ask: [
      ['What did <a.name> break?', 'the <o.n>', 'thing'],
      ['Who broke the <o.bare>?', '<a.name>', 'person'],
    ],
    gist: '<a.name> broke the <o.bare>',
  },
  conceal: {
    args: 'a o?',
    rule: (w, { a, o }) => {
      w.expect('guilt', a)
      if (o && !w.broken.has(o)) w.fail('it is not broken')
    },
    say: [
      '<a> hid the pieces (under a bush|behind a box|under the bed|in a drawer|in an old boot|under a heap of leaves) and (ran away|went home|told nobody|washed <a.hs> hands)',
      '<a> pushed <o> (behind the curtain|under a rug|to the back of a shelf|under the stairs) and (said nothing|walked away|whistled a tune)',
      'nobody had seen it, and <a> (kept quiet|crept away|told no one)[ $tail]',
    ],
    gist: '<a.name> hid it',
  },
  asksWho: {
    args: 'b o',
    rule: (w, { b, o }) => {
      w.owns(b, o)
      if (o && !w.broken.has(o)) w.fail('it is not broken')
    },
    say: [
      '"Who broke my <o.n>?" <b> asked $sadly.',
      '<b> found <o> and could not understand what had happened',
      'when <b> saw <o>, <b.hs> eyes filled with tears',
    ],
  },
  lie: {
    args: 'a b?',
    rule: (w, { a }) => {
      w.expect('guilt', a)
      w.open('lie', { a })
    },
    say: [
      '"It was the wind," <a> (said|mumbled|told <b.him>).',
      '"I do not know anything about it," <a> (said|mumbled|told <b.him>).',
      '"Maybe it was the cat," <a> (said|mumbled|told <b.him>), and looked away.',
      '<a> said that it must have been the (wind|cat|rain)',
    ],
    ask: [['Who told a lie?', '<a.name>', 'person']],
    gist: '<a.name> told a lie',
  },
  ashamed: {
    args: 'a',
    opener: 'later',
    rule: (w, { a }) => void w.expect('guilt', a),
    say: [
      '<a> could not (eat|sleep|look anyone in the eyes), and there was a stone in <a.hs> belly (all day|all evening|for days|from morning to night)',
      '<a> tried to play, but <a.he> could think of nothing else (all day|all evening|for days|for a whole week)',
      '<a> lay in bed and (listened to <a.hs> heart|looked at the ceiling|turned from side to side) $nighttail',
      'The sweetest (cake|pudding|pie|apple|jam|pear|bun|cookie|honey) tasted of (nothing|ashes|old paper|dust|cold water), and <a.np> knew why',
    ],
  },
  confess: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.expect('guilt', a)
      if (w.isOpen('lie', a)) w.close('lie', 'confessed', a)
      w.mark('sorry', a, b)
    },
    say: [
      '<a> went to <b.him> and told <b.hm> (the whole truth|the truth at last|what had really happened)[ $tail]',
      '"It was my fault, <b.name>, and I am sorry," said <a.np>.',
      '<a> took a deep breath and told <b.him> (everything|all of it|the truth)[ $tail]',
      '"I have to tell you something, <b.name>," <a> began, and then (it all came out|the truth came out|there was no stopping)[ $tail].',
    ],
    ask: [['Who told the truth?', '<a.name>', 'person']],
    gist: '<a.name> told <b.name> the truth',
  },
  pardon: {
    args: 'a? b',
    rule: (w, { a, b }) => {
      w.needs('sorry', a, b)
      w.close('guilt', 'forgiven', a)
    },
    say: [
      '<b> was quiet for (a moment|a while|a long time), and then <b.he> (hugged|kissed|forgave) <a.him>',
      '"Thank you for telling me, <a.name>," said <b.np> $kindly.',
      '"That was brave of you, <a.name>, and I forgive you," said <b.np>.',
      '<b> forgave <a.him>, because (it is hard to say such a thing|the truth is hard to say|anyone can make a mistake)',
    ],
    gist: '<b.name> forgave <a.name>',
  },
  trust: {
    args: 'a b',
    rule: (w, { a }) => {
      if (a === undefined || w.isOpen('promise', a)) w.fail('the promise is not kept yet')
    },
    say: [
      '"I knew that I could trust you, <a.name>," said <b.np>.',
      '<b> (smiled|nodded) and said that a promise from <a.np> was as good as gold',
      '<b> was glad and (made tea for|thanked|hugged) <a.him>',
    ],
    gist: '<b.name> trusted <a.name>',
  },
})
