/** Losing and finding: how things go missing, who looks, who helps, and how it comes out. */
import type { Args } from '../state/entities.js'
import type { Ledger } from '../state/ledger.js'
import { type Definition, define } from './define.js'

const lose = (w: Ledger, { a, o }: Args): void => {
  w.has(a, o)
  w.thing(o, 'lost')
  w.open('lost', { a, o })
}
const whatLost = [
  ['What did <a.name> lose?', 'the <o.n>', 'thing'],
  ['Who lost something?', '<a.name>', 'person'],
] as const
const lostGist = '<a.name> lost the <o.bare>'

export const search: Record<string, Definition> = define({
  blown: {
    args: 'a o',
    opener: 'sudden',
    rule: lose,
    say: [
      'a (strong|sudden|wild|cold) wind (blew|pulled|tore|snatched) <o> out of <a.his> hands',
      'a (strong|sudden|wild|cold) wind (came|blew) (over the hill|from the north|around the corner) and carried <o> away from <a.him>',
      'the wind (took|caught|grabbed) <o> and blew it far away, and <a> could only watch',
    ],
    ask: [...whatLost, ['Why was the <o.bare> gone?', 'the wind blew it away', 'other']],
    gist: lostGist,
  },
  dropped: {
    args: 'a o',
    rule: lose,
    say: [
      '<a> did not (notice|feel|see) that <o> (fell|slipped|dropped) out of <a.hs> (bag|pocket|basket)',
      'while <a> was (running|skipping|singing|looking up at the clouds|chasing a butterfly|jumping over a puddle), <o> (fell|slipped|dropped) to the ground',
      '<a> put <o> down for a moment, and then <a.he> could not remember where',
      '<a> (tripped|slipped|stumbled) over a (root|stone|branch), and <o> rolled away',
    ],
    ask: [...whatLost],
    gist: lostGist,
  },
  taken: {
    args: 'a o',
    opener: 'sudden',
    rule: lose,
    say: [
      'a (black|big|noisy|cheeky) (magpie|raven|jay) flew down and (took|snatched|grabbed) <o> from <a.him>',
      'a (black|big|noisy|cheeky) (magpie|raven|jay) (swooped down|dropped from the sky), took <o> from <a.him> and flew off',
    ],
    ask: [...whatLost, ['Why was the <o.bare> gone?', 'a bird took it', 'other']],
    gist: lostGist,
  },
  miss: {
    args: 'a o',
    rule: (w, { a, o }) => void w.expect('lost', a, o),
    say: [
      '<a> (wanted|tried|wished) to <o.use> <o.the> (again|once more|one more time), but it was (gone|not there|nowhere)',
      '<a> (looked|reached|felt) for <o>, but it was (gone|not there)',
      '<a> (stopped|stood still|turned around) and saw that <o.the> was gone',
      '"(Oh no|Oh dear|Wait)! Where is my <o.n>?" <a> (cried|said|asked).',
      '"My <o.n>! It is gone!" (cried|said|shouted) <a.np>.',
      '<a> (looked|searched) in <a.hs> (bag|pockets), but there was no <o.bare>',
    ],
  },
  seek: {
    args: 'a o? x p?',
    x: 'spot',
    opener: 'after',
    rule: (w, { a, o, p }) => {
      const lost = w.expect('lost', undefined, o)
      if (lost && lost.who !== a) w.needs('helps', a, lost.who)
      w.here(a, p)
    },
    say: [
      '<a> $looked <x>, but <o> was not there',
      '<a> $looked <x>, but there was no <o.bare>',
      '<a> $looked <x>, but <a.he> found only (a snail|an old shoe|some leaves|a beetle|a rusty nail|a sleepy cat|dust|two acorns|an empty nest)',
      '<a> $looked <x> and found (nothing|only a snail|only some leaves|nothing but mud|a beetle, but no <o.bare>)',
      '<p.in>, <a> $looked <x>, but <o> was not there',
      '<a> (got down on <a.hs> knees|bent down|stretched <a.hs> neck) and $looked <x>, but <o> was not there',
    ],
  },
  seekTwo: {
    args: 'a b o? x p?',
    x: 'spot',
    opener: 'after',
    rule: (w, { a, b, o, p }) => {
      const lost = w.expect('lost', undefined, o)
      if (lost?.who) w.needs('helps', a === lost.who ? b : a, lost.who)
      w.together(a, b)
      w.here(a, p)
    },
    say: [
      '<ab> $looked <x>, but <o> was not there',
      '<ab> $looked <x>, but there was no <o.bare>',
      '<ab> $looked <x> and found (nothing|only a snail|only some leaves|nothing but mud)',
      'side by side, <ab> $looked <x>, but there was no <o.bare>',
      '<ab> (walked|went) all around <p> and $looked <x>, but <o> was not there',
    ],
  },
  asks: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.together(a, b)
      w.expect('lost', a, o)
      w.mark('asked', b, o)
    },
    say: [
      '"Have you seen my <o.n>?" <a> asked <b.him>.',
      '"(Please|Excuse me|Hello), have you seen <o.a>?" <a> asked <b.him>.',
      '"I lost my <o.n>," <a> said to <b.him>.',
      '<a> told <b.him> all about <o.the>',
      '<a> asked <b.him> if <b.he> had seen <o.the>',
      '"My <o.n> is gone, and I (miss it|want it back|do not know where it is)," <a> told <b.him> $sadly.',
    ],
  },
  unseen: {
    args: 'a? b o?',
    rule: (w, { a, b, o }) => {
      w.together(a, b)
      w.needs('asked', b, o)
    },
    say: [
      '"(No|Sorry|I am sorry), I have not seen it," said <b.np>, "but I can help you look."',
      '<b> shook <b.hs> head, but <b.he> (wanted|was ready|offered) to help',
      '"(No|Sorry), but four eyes see more than two," said <b.np>.',
    ],
  },
  joins: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.mark('helps', b, a)
    },
    say: [
      '"(Do not worry|Do not be sad|Do not cry), I will help you," <b> told <a.him>.',
      '"(Let us look together|We will find it together|Two can do more than one)," said <b.np> to <a.him> $kindly.',
      '<b> (wanted to help|felt sorry for <a.him>), so <b.he> came along with <a.him>',
      '<b> (took|held) <a.his> hand and promised to help',
      '"Come, <a.name>, I will help you," said <b.np> $kindly.',
    ],
    ask: [['Who helped <a.name>?', '<b.name>', 'person']],
  },
  hint: {
    args: 'a? b o? p',
    rule: (w, { a, b, o, p }) => {
      w.together(a, b)
      w.expect('lost', a, o)
      w.goal = p
    },
    say: [
      '"(Yes|Oh yes)! I saw (something like that|<o.a>) <p.in>," said <b.np>.',
      '"(Look|Go and look|You should look) <p.in>," <b> told <a.him>.',
      '"I think (it is|I saw it|it must be) <p.in>," <b> said to <a.him>.',
      '<b> (pointed|nodded) and said that <b.he> had seen <o.a> <p.in>',
      '<b> remembered that <b.he> had seen (something|it|<o.the>) <p.in>',
    ],
    ask: [['Where did <b.name> tell <a.name> to look?', '<p.in>', 'place']],
  },
  findLow: {
    args: 'a o x p?',
    x: 'spot',
    opener: 'last',
    rule: (w, { a, o, p }) => {
      w.here(a, p)
      const lost = w.expect('lost', undefined, o)
      if (lost && lost.who !== a) w.needs('helps', a, lost.who)
      w.close('lost', 'found', undefined, o)
      w.thing(o, a)
    },
    say: [
      '<a> looked <x>, and there was <o>!',
      '<a> saw something (bright|shining|strange|moving) <x>, and it was <o.the>!',
      '<a> found <o> <x>',
      '<p.in>, <a> found <o> <x>',
      '"(Look|I see it|Here it is|There it is)!" (cried|shouted|called) <a.np>, and <a.he> (picked|lifted|pulled) up <o.the> that lay <x>.',
    ],
    ask: [
      ['Where was the <o.bare>?', '<x>', 'other'],
      ['Who found the <o.bare>?', '<a.name>', 'person'],
    ],
    gist: '<a.name> found the <o.bare>',
  },
  spotHigh: {
    args: 'a o x p?',
    x: 'high',
    opener: 'last',
    rule: (w, { a, o, p }) => {
      w.here(a, p)
      w.close('lost', 'seen', undefined, o)
      w.open('high', { o })
    },
    say: [
      '<a> looked up, and there was <o>, <x>',
      '<a> saw <o> <x>, but it was (much too|far too|too) high',
      '<p.in>, <a> saw <o> <x>, but it was (much too|far too|too) high',
      '<a> found <o>, but it was <x>',
    ],
    ask: [['Where was the <o.bare>?', '<x>', 'other']],
    gist: '<a.name> saw the <o.bare> <x>',
  },
  reachFail: {
    args: 'a o',
    rule: (w, { o }) => void w.expect('high', undefined, o),
    say: [
      '<a> jumped (as high as <a.he> could|again and again|three times), but <a.he> could not reach <o>',
      '<a> threw (stones|pine cones|sticks|a shoe) at <o.the>, but it did not (move|come down)',
      '<a> stood on (tiptoe|a box|a big stone), but <a.hs> arms were too short to reach <o>',
    ],
  },
  reach: {
    args: 'a o q?',
    opener: 'after',
    rule: (w, { a, o, q }) => {
      w.close('high', 'reached', undefined, o)
      w.has(a, q)
      w.thing(o, a)
    },
    say: [
      '<a> (climbed|went) up, step by step, and (got|took) <o> down',
      '<a> (used|took) <q.a> and pulled <o> down with it',
      '<a> (climbed|jumped|flew) up and came back with <o>',
      '<a> fetched <q.a> and (carefully|gently|slowly) brought <o> down',
    ],
    ask: [
      ['Who got the <o.bare> down?', '<a.name>', 'person'],
      ['How did <a.name> get the <o.bare> down?', 'with <q.a>', 'thing'],
    ],
    gist: '<a.name> got the <o.bare> down',
  },
  giveBack: {
    args: 'a? b o',
    rule: (w, { a, b, o }) => {
      w.has(a, o)
      w.together(a, b)
      w.owns(b, o)
      w.thing(o, b)
    },
    say: [
      '<b> got <o> back from <a.him>',
      '<b> held <o> in <b.hs> hands again',
      '"(Here it is|Here you are|This is yours), <b.name>!" said <a.np>, and <a.he> (gave|handed) <b.him> <o.the>.',
      '"Look what I have for you, <b.name>," said <a.np> and gave <b.hm> <o.the>.',
    ],
  },
  noLuck: {
    args: 'a o',
    rule: (w, { a, o }) => void w.expect('lost', a, o),
    say: [
      '<a> looked (everywhere|all day|high and low|until it got dark), but <o> stayed lost',
      'the sun went down, and <a> still had not found <o>',
      '<a> looked until <a.hs> (feet|legs|eyes) were tired, but <a.he> did not find <o>',
    ],
    gist: '<a.name> did not find the <o.bare>',
  },
  letGo: {
    args: 'a o',
    opener: 'last',
    rule: (w, { a, o }) => w.close('lost', 'given up', a, o),
    say: [
      '<a> knew that <o> would not come back',
      '<a> said (goodbye|a quiet goodbye) to <o.the>',
      '"Goodbye, little <o.bare>," <a> (whispered|said) $sadly.',
      '<a> had to go home without <o>',
    ],
    gist: '<a.name> went home without the <o.bare>',
  },
})
