/** Gardens and new friends: things that take time. */
import { type Definition, define } from './define.js'

export const growing: Record<string, Definition> = define({
  plant: {
    args: 'a x p?',
    x: 'crop',
    rule: (w, { a, x, p }) => {
      w.here(a, p)
      w.open('grow', { a, x })
    },
    say: [
      '<a> put <x.seed> into the ground <p.in>',
      '<a> found <x.seed> and planted it (in the sun|behind the house|with great care) <p.in>',
      '<a> dug a hole <p.in> and dropped <x.seed> into it',
      '<a> had <x.seed>, and one day it would be <x>, so <a.he> planted it',
    ],
    ask: [['What did <a.name> plant?', '<x.seed>', 'other']],
    gist: '<a.name> planted <x.seed>',
  },
  waits: {
    args: 'a',
    opener: 'next',
    rule: (w, { a }) => void w.expect('grow', a),
    say: [
      '<a> looked at the ground, but there was nothing to see[ $tail]',
      '<a> (lay down on the grass|sat down on a stone|got up early) and watched, but nothing happened[ $tail]',
      '"Grow, please grow!" <a> (whispered|said|begged)[ $tail].',
      '<a> came every (morning|day|evening) and saw nothing but earth[ $tail]',
    ],
    gist: '<a.name> waited, but nothing grew',
  },
  advise: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.expect('grow', a)
      w.mark('helps', b, a)
    },
    say: [
      '"Good things take time, <a.name>," said <b.np>.',
      '"Give it water and sun and do not dig it up," <b> told <a.him>.',
      '<b> showed <a.him> how to water it (drop by drop|in the evening|with a little can)',
    ],
    ask: [['Who helped <a.name>?', '<b.name>', 'person']],
    gist: '<b.name> helped <a.name>',
  },
  sprout: {
    args: 'a',
    opener: 'last',
    rule: (w, { a }) => void w.expect('grow', a),
    say: [
      'a tiny green leaf came out of the ground, and <a> (jumped for joy|hardly dared to breathe|danced around it)[ $tail]',
      '<a> saw a small green tip in the brown earth[ $tail]',
    ],
    gist: 'a green leaf came out',
  },
  threat: {
    args: 'y',
    y: 'threat',
    opener: 'sudden',
    rule: (w, { y }) => {
      w.expect('grow')
      w.open('threat', { x: y })
    },
    say: [
      '<y>',
      'the (little|young|tiny) plant was in (danger|great danger|trouble): <y>',
      '(before the week was over|a week later|only two days later|three days later), <y>',
      '(there was trouble|there was bad news|nothing is ever easy): <y>',
    ],
    ask: [['What was the trouble?', '<y>', 'other']],
    gist: '<y>',
  },
  guard: {
    args: 'a y',
    y: 'threat',
    rule: (w, { a, y }) => {
      w.expect('grow', a)
      w.close('threat', 'past', undefined, y)
    },
    say: [
      '<a> <y.guard>, and the little plant was safe',
      '<a> did not lose a minute and <y.guard>',
      '<a> <y.guard>, day after day',
      '"I will take care of you," said <a.np> to the plant, and <a.he> <y.guard>.',
    ],
    ask: [['How did <a.name> save the plant?', '<a.he> <y.guard>', 'other']],
    gist: '<a.name> <y.guard>',
  },
  wither: {
    args: 'a',
    opener: 'last',
    rule: (w, { a }) => {
      w.close('threat', 'lost')
      w.close('grow', 'given up', a)
    },
    say: [
      'it was too much for the little plant, and <a> found it (brown and dry|flat on the ground) one morning',
      '<a> did all <a.he> could, but the little plant died',
    ],
    gist: 'the plant of <a.name> died',
  },
  newSeed: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      if (w.threads.every(thread => thread.end !== 'given up')) w.fail('nothing was lost')
    },
    say: [
      '"There is always another spring, <a.name>," said <b.np> and gave <a.hm> a new seed.',
      '<b> put a new seed into <a.his> hand',
      '"We will plant a new one together, <a.name>," said <b.np>.',
    ],
  },
  grown: {
    args: 'a x',
    x: 'crop',
    opener: 'last',
    rule: (w, { a, x }) => {
      if (w.isOpen('threat')) w.fail('the plant is still in danger')
      w.close('grow', 'grown', a, x)
    },
    say: [
      '<a> had <x>, (taller|bigger) than <a.he> was',
      'the seed of <a.np> had become <x>, the (finest|biggest|most beautiful) of all',
      '<a> stood before <x> and could not believe that it had been so small',
    ],
    ask: [['What grew from the seed?', '<x>', 'other']],
    gist: '<a.name> had <x>',
  },
  harvest: {
    args: 'a x',
    x: 'crop',
    rule: (w, { a, x }) => w.ended('grow', 'grown', a, x),
    say: ['<a> shared the <x.many> with (everybody|the whole neighborhood|all the neighbors|anyone who came by)'],
    ask: [['What did <a.name> share?', 'the <x.many>', 'other']],
    gist: '<a.name> shared the <x.many>',
  },
  lonely: {
    args: 'a p?',
    rule: (w, { a }) => w.open('lonely', { a }),
    say: [
      '<a> was new <p.in> and knew nobody',
      '<a> had moved $near <p> a week ago and had no friends there',
      '<a> had no one to play with and felt lonely[ $tail]',
    ],
    ask: [['Why was <a.name> lonely?', '<a.name> had no friends', 'other']],
    gist: '<a.name> was lonely',
  },
  watchOthers: {
    args: 'a p?',
    rule: (w, { a, p }) => {
      w.expect('lonely', a)
      w.here(a, p)
    },
    say: [
      '<a> stood <p.in> and watched the others play $game',
      '<a> hid behind a tree <p.in> and listened to the others laugh[ $tail]',
      '<a> wanted to ask if <a.he> could play, too, but the words (did not come|stuck in <a.hs> throat)[ $tail]',
      '<a> walked past the others three times, but nobody (noticed|looked up|said hello)[ $tail]',
    ],
    gist: '<a.name> watched the others',
  },
  showThing: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.together(a, b)
      w.has(a, o)
    },
    say: [
      '<b> saw <o> and asked <a.him> about it',
      '<b> pointed at <o> and asked if <a> could show <b.hm> how to <o.use> it',
    ],
    ask: [['What did <b.name> ask <a.name> about?', 'the <o.n>', 'thing']],
    gist: '<b.name> asked about the <o.bare>',
  },
  invite: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.close('lonely', 'friends', a)
      w.mark('friends', a, b)
      w.mark('helps', b, a)
    },
    say: [
      '"Do you want to play with us, <a.name>?" asked <b.np>.',
      '"You can be on my team, <a.name>," said <b.np> $kindly.',
      '<b> took <a.him> along to the others',
      '"I was new here once, too, <a.name>," said <b.np>, and they played until dark.',
    ],
    ask: [['Who asked <a.name> to play?', '<b.name>', 'person']],
    gist: '<b.name> asked <a.name> to play',
  },
  hope: {
    args: 'a',
    opener: 'none',
    rule: (w, { a }) => {
      w.hero(a)
      if (w.threads.every(thread => thread.end !== 'given up')) w.fail(`${a!.name} has lost nothing`)
      for (const thread of w.threads) if (!thread.end) w.fail(`the end comes while this is open: ${thread.kind}`)
      w.ending = 'bittersweet'
    },
    say: [
      'And <a> began again, (a little sad and a little wiser|slowly and with great care|as every gardener must)[ $tail]',
      'When spring came, <a> was (ready|out before anyone else|there with a little can|the first to see it)[ $tail]',
      'That night, <a> put the seed under <a.hs> pillow and dreamed of (leaves|flowers|spring|green hills)',
    ],
  },
})
