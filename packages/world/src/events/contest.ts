/** A contest: pride, practice, an accident, fair play. */
import { heldAt } from '../lexicon/topics.js'
import { type Definition, define } from './define.js'

export const contest: Record<string, Definition> = define({
  announce: {
    args: 'a b x p',
    x: 'contest',
    rule: (w, { a, b, x, p }) => {
      w.person(a!)
      w.person(b!)
      if (!heldAt(x!, p!)) w.fail(`no ${x!.forms.base} is held at the ${p!.noun}`)
      w.at.set(a!, p!)
      w.at.set(b!, p!)
      w.open('contest', { x })
    },
    say: [
      'There was <x.a> <p.in>, and both <ab.both> (wanted to win|wanted to take part)',
      '<p.in>, everyone got ready for <x.a>, and <ab.both> wanted to win it',
      'It was the day of the <x.base> <p.in>, and <ab.both> wanted to win',
      'Once a year there was <x.a> <p.in>, and this time <ab.both> took part',
    ],
    ask: [
      ['Where was the <x.base>?', '<p.in>', 'place'],
      ['What did <a.name> and <b.name> want to win?', '<x.a>', 'other'],
    ],
    gist: 'there was <x.a>',
  },
  boast: {
    args: 'a b',
    rule: w => void w.expect('contest'),
    say: [
      '"(You will never win|I am much better than you), <b.name>!" said <a.np>.',
      '"(Nobody can beat me|I always win|I am the best of all)," <a> told <b.him>.',
      '<a> laughed at <b.him> and said that <b.he> had no chance',
      '<a> held <a.hs> nose high and did not even look at <b.him>',
    ],
    ask: [['Who was too proud?', '<a.name>', 'person']],
    gist: '<a.name> laughed at <b.name>',
  },
  practice: {
    args: 'a x',
    x: 'contest',
    rule: (w, { x }) => void w.expect('contest', undefined, x),
    say: [
      '<a> had <x.practised> every (morning|day|evening) for a (week|month)',
      '<a> had <x.practised> (in the rain and in the sun|until <a.hs> feet hurt|even on Sundays)',
      '<a> said nothing, but <a.he> had <x.practised> for weeks',
    ],
  },
  begin: {
    args: 'a b x',
    x: 'contest',
    opener: 'after',
    rule: (w, { x }) => void w.expect('contest', undefined, x),
    say: [
      '(a bell rang|a whistle blew|someone waved a flag), and <ab.both> <x.past>',
      '"One, two, three, go!" someone shouted, and <ab.both> <x.past>.',
      'the <x.base> began, and <ab.both> <x.past> (as well as they could|with all their might|with red cheeks)',
    ],
    gist: '<a.name> and <b.name> <x.past>',
  },
  stumble: {
    args: 'b',
    opener: 'sudden',
    rule: (w, { b }) => {
      w.expect('contest')
      w.open('hurt', { a: b })
    },
    say: [
      '<b> (slipped|tripped|stumbled) and hurt <b.hs> (foot|knee|ankle)',
      '<b> fell (into the mud|over a root|over a stone) and could not get up',
      '<b> cried out and held <b.hs> (foot|knee|ankle)',
    ],
    ask: [['Who got hurt?', '<b.name>', 'person']],
    gist: '<b.name> got hurt',
  },
  choose: {
    args: 'a b',
    rule: (w, { b }) => void w.expect('hurt', b),
    say: [
      '<a> could have won easily, but <a.he> (stopped for|turned around for|looked back at) <b.him>',
      '<a> looked at the finish and then at <b.him>',
      '"A prize is only a prize," <a> thought, and <a.he> ran back to <b.him>.',
      'Everyone shouted to <a.him> to go on, but <a.he> thought only of <b.him>',
    ],
    gist: '<a.name> turned back for <b.name>',
  },
  helpUp: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.close('hurt', 'helped', b)
      w.mark('helps', a, b)
    },
    say: [
      '<a> helped <b.him> up and let <b.hm> lean on <a.hs> shoulder',
      '<a> tied a (cloth|scarf|handkerchief) around <b.his> leg and helped <b.hm> to stand',
      '<a> carried <b.him> on <a.hs> back',
      '"Lean on me, <b.name>," said <a.np>, and they went on together.',
    ],
    ask: [['Who helped <b.name>?', '<a.name>', 'person']],
    gist: '<a.name> helped <b.name>',
  },
  othersWin: {
    args: 'a b',
    opener: 'last',
    rule: (w, { b }) => {
      if (w.isOpen('hurt', b)) w.fail(`${b!.name} still lies there`)
      w.close('contest', 'shared')
    },
    say: [
      '<ab> came in last, but everyone clapped (and cheered|louder than for the winner)',
      'somebody else won, but the loudest cheers were for <ab.them>',
      '<ab> did not win, but nobody clapped for the winner as they clapped for <ab.them>',
    ],
    gist: '<a.name> and <b.name> came in last',
  },
  wins: {
    args: 'a',
    opener: 'last',
    rule: (w, { a }) => {
      if (w.isOpen('hurt')) w.fail('someone is still hurt')
      w.close('contest', 'won')
      w.mark('won', a)
    },
    say: [
      '<a> won by (a nose|one step|a hair), and nobody was more surprised than <a.he> was',
      'the judge held up <a.his> hand, for <a> had won',
      '<a> was the winner, and (hats flew into the air|everyone cheered|the crowd roared)',
    ],
    ask: [['Who won?', '<a.name>', 'person']],
    gist: '<a.name> won',
  },
  humble: {
    args: 'a b',
    rule: (w, { a, b }) => w.together(a, b),
    say: [
      '"You are a true winner, <b.name>," said <a.np>.',
      '<a> looked at <a.hs> feet and told <b.him> that <a.he> was sorry (for it all|and ashamed|for every proud word|for laughing|for being so proud)',
      '"I am sorry that I laughed at you, <b.name>," said <a.np>.',
    ],
    gist: '<a.name> said sorry',
  },
  prize: {
    args: 'a o',
    rule: (w, { a, o }) => {
      w.thing(o, a, a)
      if (w.isOpen('contest')) w.fail('the contest is not over')
      if (w.threads.some(({ kind, end }) => kind === 'contest' && end === 'won')) w.needs('won', a)
    },
    say: [
      '<a> got <o.a> as a prize',
      'The prize for <a.np> was <o.a>',
      'The judge gave <a.him> <o.a> (for a kind heart|as a prize|with a bow)',
    ],
    ask: [['What was the prize?', '<o.a>', 'thing']],
    gist: '<a.name> got <o.a>',
  },
  neighbor: {
    args: 'a? b',
    rule: (w, { a, b }) => {
      w.person(b!)
      w.together(a, b)
    },
    say: [
      'Next door to <a.np> lived <b.intro>',
      'Then there was <b.intro>, who (always wanted to be first|was in the same class as <a.np>|was good at everything, and <a> knew it)',
      '<a> (went to school|grew up) with <b.intro>, who (was always first|liked to win)',
    ],
  },
})
