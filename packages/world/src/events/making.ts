/** Making and giving: wishes, what is needed, work, failures, gifts. */
import { type Definition, define } from './define.js'

export const making: Record<string, Definition> = define({
  wantMake: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.person(b!)
      w.thing(o)
      w.open('wish', { a, b, o })
    },
    say: [
      '<a> wanted to make <o.a> for <b.him>',
      'The birthday of <b.np> was near, and <a> wanted to make <o.a>',
      '"I will make <o.a> for <b.np>," <a> (said|thought|decided).',
      '<a> had a (fine|good|wonderful) idea: <o.a> for <b.np>, made with <a.hs> own hands',
      '<a> wanted to make <o.a> for <b.him>, who had been (sad|ill|very kind) lately',
    ],
    ask: [
      ['What did <a.name> want to make?', '<o.a>', 'thing'],
      ['Who was the <o.bare> for?', 'for <b.name>', 'person'],
    ],
    gist: '<a.name> wanted to make <o.a>',
  },
  needs: {
    args: 'a x o?',
    x: 'stuff',
    rule: (w, { a, o, x }) => {
      w.expect('wish', a, o)
      w.open('need', { a, x })
    },
    say: [
      '<a> needed <x>, but could find none (in the house|anywhere|at home)',
      '<a> looked in every (box|drawer|corner), but <a.he> had no <x.bare>',
      'For <o.the>, <a> needed <x>, and <a.he> had none',
      'One thing was missing: <a> had no <x.bare>',
    ],
    ask: [['What did <a.name> need?', '<x>', 'other']],
    gist: '<a.name> needed <x>',
  },
  gets: {
    args: 'a b? x',
    x: 'stuff',
    rule: (w, { a, b, x }) => {
      w.close('need', 'met', a, x)
      w.together(a, b)
      w.mark('helps', b, a)
    },
    say: [
      '<b> gave <a.him> <x> and (smiled|would not take any money|wished <a.hm> luck)',
      '"(Take|You can have) my <x.bare>," <b> told <a.him> $kindly.',
      '<b> opened (a big|an old|a little) (box|bag|chest) and gave <a.him> <x>',
      '<b> had <x> to spare and gave <a.him> all that <a.he> (needed|wanted|could carry)',
    ],
    ask: [
      ['Who helped <a.name>?', '<b.name>', 'person'],
      ['What did <b.name> give to <a.name>?', '<x>', 'other'],
    ],
    gist: '<b.name> gave <a.name> <x>',
  },
  work: {
    args: 'a o?',
    opener: 'after',
    rule: (w, { a, o }) => {
      w.expect('wish', a, o)
      if (w.isOpen('need', a)) w.fail(`${a!.name} still needs something`)
    },
    say: [
      '<a> sat down at the table and went to work on <o>',
      '<a> worked on <o> (until noon|all morning|with both hands|by the window|and hummed a song|and forgot the time)[ $tail]',
      '<a> (measured|counted|mixed|tried) and (tried|measured|mixed) again, and slowly <o.the> began to take shape',
      '<a> rolled up <a.hs> sleeves and began to make <o>',
    ],
  },
  makeFail: {
    args: 'a o',
    rule: (w, { a, o }) => void w.expect('wish', a, o),
    say: [
      '<a> was too quick, and <o> (fell apart|went all wrong|came out crooked)',
      'the first <o.bare> (fell apart|was crooked|looked like an old shoe), and <a> (sighed|groaned|had to laugh)',
      'it was not easy, and the first <o.bare> that <a> made (was no good|fell apart|looked very strange)',
      'when <a> held up <o.the>, it (fell apart|broke into pieces|came apart) in <a.hs> hands',
    ],
    gist: 'the first <o.bare> went wrong',
  },
  again: {
    args: 'a',
    say: [
      '<a> did not give up and (tried|began|started) again[ $tail]',
      '"(Never mind|Once more|It does not matter)," said <a.np>, and <a.he> (tried|began|started) again[ $tail].',
      '<a> took a deep breath and (tried|began|started) again (from the beginning|more slowly|with more care)[ $tail]',
      '"One more time," <a> told <a.self>[ $tail].',
    ],
  },
  made: {
    args: 'a o',
    opener: 'last',
    rule: (w, { a, o }) => {
      const wish = w.expect('wish', a, o)
      if (wish) wish.end = 'made'
      if (w.isOpen('need', a)) w.fail(`${a!.name} still needs something`)
      w.thing(o, a, a)
    },
    say: [
      '<o> was ready, and <a> (smiled|was proud|clapped <a.hs> hands)',
      '<a> finished <o>, and it was (beautiful|perfect|just right|better than <a.he> had hoped)',
      '<a> held <o> up to the light, and it was (beautiful|perfect|just right)',
      '<a> tied a ribbon around <o>, and it was done',
    ],
    gist: '<a.name> finished the <o.bare>',
  },
  give: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.has(a, o)
      const meant = w.threads.find(({ kind, what }) => (kind === 'wish' || kind === 'gift') && what === o)?.whom
      if (meant && b && meant !== b) w.fail(`it was for ${meant.name}, not for ${b.name}`)
      w.thing(o, b)
      if (o && b) w.owner.set(o, b)
      if (w.isOpen('gift')) w.close('gift', 'given', a)
    },
    say: [
      '<a> gave <o> to <b.him>',
      '<a> put <o> into <b.his> hands and (smiled|waited|held <a.hs> breath)',
      '"This is for you, <b.name>," said <a.np> and held out <o.the>.',
      '<a> hid <o> behind <a.hs> back and then gave it to <b.him> (with a smile|with a bow|with a grin)',
      '<a> ran to <b.him> and gave <b.hm> <o.the>',
    ],
    ask: [
      ['What did <a.name> give to <b.name>?', 'the <o.n>', 'thing'],
      ['Who got the <o.bare>?', '<b.name>', 'person'],
    ],
    gist: '<a.name> gave <b.name> the <o.bare>',
  },
  loves: {
    args: 'a b? o',
    rule: (w, { a, o }) => {
      w.has(a, o)
      w.whole(o)
    },
    say: [
      '<a> loved <o> (at once|from the first moment|more than words can say)[ and $joy]',
      '"This is the most beautiful <o.bare> in the world!" (said|cried) <a.np>.',
      '<a> looked at <o> for a long time, and then <a.he> (hugged|kissed) <b.him>',
      '"Is this <o.bare> really for me, <b.name>?" <a> asked with shining eyes.',
      '<a> held <o> close and (could not stop smiling|would not let go|hummed a happy tune|smiled from ear to ear)',
    ],
    ask: [['What did <a.name> love?', 'the <o.n>', 'thing']],
  },
  wantGift: {
    args: 'a b o p',
    rule: (w, { a, b, o, p }) => {
      w.person(b!)
      w.here(a, p)
      w.thing(o, p)
      w.open('gift', { a, b, o })
    },
    say: [
      'It was soon the birthday of <b.np>, and <p.in> <a> saw <o.a> that would be just right',
      '<p.in>, <a> saw <o.a>, and <a.he> knew that <b> would love it',
      '<a> saw <o.a> <p.in> and wanted to buy it for <b.him>',
      '<a> stopped <p.in>, for there was <o.a>, the perfect present for <b.np>',
    ],
    ask: [
      ['What did <a.name> want to give to <b.name>?', '<o.a>', 'thing'],
      ['Where did <a.name> see the <o.bare>?', '<p.in>', 'place'],
    ],
    gist: '<a.name> saw <o.a>',
  },
  noMoney: {
    args: 'a o?',
    rule: (w, { a, o }) => void w.expect('gift', a, o),
    say: [
      '<a> had no money, only (a button|two nuts|a bit of string|a smooth stone) in <a.hs> pocket',
      '<a> counted <a.hs> coins twice, but it was not enough for <o.the>',
      '"I have no money," <a> said $sadly.',
      '<a> turned out <a.hs> pockets, but there was not one coin for <o.the>',
    ],
    ask: [['Why could <a.name> not buy the <o.bare>?', '<a.name> had no money', 'other']],
    gist: '<a.name> had no money',
  },
  deal: {
    args: 'a b x o?',
    x: 'task',
    rule: (w, { a, b, x, o }) => {
      w.together(a, b)
      w.expect('gift', a, o)
      w.open('deal', { a, b, x })
    },
    say: [
      '"If you <x.base>, you can have <o.the>," <b> told <a.him>.',
      '<b> (thought|nodded) and asked <a.him> to <x.base> for it',
      '"Help me to <x.base>, <a.name>, and it is yours," said <b.np>.',
    ],
    ask: [['What did <b.name> ask <a.name> to do?', '<x.base>', 'other']],
  },
  toil: {
    args: 'a x',
    x: 'task',
    rule: (w, { a, x }) => void w.expect('deal', a, x),
    say: [
      '<a> <x.past> (all day|until the evening|until <a.hs> arms were tired|and did not stop to rest|as well as <a.he> could)',
      '<a> <x.past>, and it was hard work',
      '(with a song|without a word|from noon to sunset), <a> <x.past>',
    ],
    ask: [['How did <a.name> earn it?', '<a.he> <x.past>', 'other']],
    gist: '<a.name> <x.past>',
  },
  earn: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.close('deal', 'kept', a, undefined, b)
      w.together(a, b)
      w.thing(o, a, a)
      w.mark('helps', b, a)
    },
    say: [
      '"Well done, <a.name>, you have earned it," said <b.np> and gave <a.hm> <o.the>.',
      '<b> was very (pleased|happy) and gave <a.him> <o.the>',
      '<b> wrapped <o> in paper and gave it to <a.him>',
    ],
    ask: [['Who gave <a.name> the <o.bare>?', '<b.name>', 'person']],
    gist: '<a.name> earned the <o.bare>',
  },
})
