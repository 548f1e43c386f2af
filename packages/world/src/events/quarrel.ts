/** Two friends and one thing: wanting, fighting, breaking, making up, sharing. */
import { mends } from '../lexicon/topics.js'
import { type Definition, define } from './define.js'

export const quarrel: Record<string, Definition> = define({
  wantsToo: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.together(a, b)
      w.has(a, o)
      w.whole(o)
      w.open('turn', { a: b, o })
    },
    say: [
      '<a> did not want to share <o> when <b> wanted to <o.use> it, too',
      '<a> shook <a.hs> head when <b> asked for a turn with <o.the>',
      '"No, it is mine," said <a.np> when <b> wanted a turn with <o.the>.',
      '<a> held <o> close and did not give <b.him> a turn',
    ],
    ask: [['What did <b.name> want?', 'a turn with the <o.bare>', 'other']],
    gist: '<b.name> wanted a turn with the <o.bare>',
  },
  quarrel: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.together(a, b)
      w.open('quarrel', {})
      w.expect('turn', undefined, o)
    },
    say: [
      '<ab> (began to fight|started to fight|argued loudly|shouted at each other) about <o>',
      '<ab> pulled at <o> from both sides, and soon they were (shouting|fighting|red in the face)[ $tail]',
      '<ab> both held on to <o> and (shouted|pulled|would not let go|stamped their feet|turned red)',
      'soon <ab> were (red in the face|angry|shouting), and all because of <o.a>',
    ],
    ask: [['What did <a.name> and <b.name> fight about?', 'the <o.n>', 'thing']],
    gist: '<a.name> and <b.name> had a fight',
  },
  tear: {
    args: 'o',
    opener: 'sudden',
    rule: (w, { o }) => {
      w.whole(o)
      w.broken.add(o!)
      w.open('broken', { o })
      w.expect('quarrel')
    },
    say: [
      'there was a (loud|nasty|terrible|small|sharp) (noise|sound), and <o> was <o.broken>',
      '<o> <o.broke> (in two|between their hands|right down the middle|in the middle|at one end)',
      'they pulled (too hard|too wildly|once too often), and <o> <o.broke>',
    ],
    ask: [['How did the <o.bare> get <o.broken>?', 'in a fight', 'other']],
    gist: 'the <o.bare> <o.broke>',
  },
  partWays: {
    args: 'a? b?',
    rule: w => void w.expect('quarrel'),
    say: [
      '<ab> went home by two different ways, and nobody (said a word|looked back|waved)[ $tail]',
      '"I will never (play with|talk to|share with|sit next to) you again!" said <a.np> and (turned away|ran off|walked away)[ $tail].',
      '<b> (stamped|ran|marched) off without a word[ $tail]',
    ],
  },
  alone: {
    args: 'a b',
    opener: 'later',
    rule: w => void w.expect('quarrel'),
    say: [
      '<a> tried to play alone, but it was no fun without <b.him>[ $tail]',
      '<a> thought of all the good days with <b.him>, and <a.hs> anger went away[ $tail]',
      'everything was quiet and boring for <a.him>, and <a.he> missed <b.him>',
      '<a> (looked at|watched) the clouds and (wondered|thought about) what <b> was doing[ $tail]',
    ],
  },
  sorry: {
    args: 'a b o?',
    rule: (w, { a, b }) => {
      w.expect('quarrel')
      w.together(a, b)
      w.mark('sorry', a, b)
    },
    say: [
      '"I am (so|very|really) sorry, <b.name>," said <a.np>.',
      '<a> (went|walked|ran) back to <b.him> and said sorry',
      '"I was (mean|wrong|selfish), and I am sorry, <b.name>," said <a.np> $sadly.',
      '"You are more important than any <o.bare>, <b.name>," said <a.np>.',
      '<a> held out <a.hs> hand to <b.him> and said that <a.he> was sorry',
    ],
    ask: [['Who said sorry first?', '<a.name>', 'person']],
    gist: '<a.name> said sorry',
  },
  forgive: {
    args: 'a? b',
    rule: (w, { a, b }) => {
      w.together(a, b)
      w.needs('sorry', a, b)
      w.close('quarrel', 'made up')
    },
    say: [
      '"I am sorry, too," said <b.np>, and they (hugged|shook hands|laughed|hugged each other)[ $tail].',
      '<b> (smiled|nodded) and (hugged|forgave) <a.him>',
      '"It is all right. Are we friends again, <a.name>?" said <b.np>.',
      '<b> took <a.his> hand, and the fight was over',
    ],
    gist: '<a.name> and <b.name> made up',
  },
  mendTwo: {
    args: 'a b o y?',
    y: 'glue',
    opener: 'after',
    rule: (w, { a, b, o, y }) => {
      w.together(a, b)
      if (w.isOpen('quarrel')) w.fail('they are still angry')
      if (o && y && !mends(y, o.noun)) w.fail(`${y.forms.base} mends no ${o.noun.noun}`)
      w.close('broken', 'mended', undefined, o)
      if (o) w.broken.delete(o)
    },
    say: [
      '<ab> mended <o> with <y>',
      '<ab> sat down with <y> and fixed <o.the> (together|as well as they could|until it looked like new)',
      'with <y> and a lot of care, <ab> put <o> together again',
    ],
    ask: [['How was the <o.bare> mended?', 'with <y>', 'other']],
    gist: '<a.name> and <b.name> mended the <o.bare>',
  },
  turns: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.together(a, b)
      w.whole(o)
      if (w.isOpen('quarrel')) w.fail('they are still angry')
      w.close('turn', 'shared', undefined, o)
    },
    say: [
      '<ab> took turns with <o>, and it was (much more|far more|twice as much) fun',
      'first <a> <o.used> <o>, and then it was the turn of <b.np>',
      '"You first," said <a.np>, and <b> (happily|gladly) took <o.the>.',
      'from then on, <ab> shared <o> (every day|like good friends|and never fought again|and were glad of it|without one bad word)',
    ],
    ask: [['What did <a.name> and <b.name> share?', 'the <o.n>', 'thing']],
    gist: '<a.name> and <b.name> shared the <o.bare>',
  },
})
