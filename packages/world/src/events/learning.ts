/** Learning a skill: wish, failures, a teacher, practice, success. */
import { type Definition, define } from './define.js'

export const learning: Record<string, Definition> = define({
  wantLearn: {
    args: 'a x',
    x: 'skill',
    rule: (w, { a, x }) => w.open('learn', { a, x }),
    say: [
      '<a> wanted to learn to <x.base>',
      'There was one thing <a> wanted to do more than anything: <x.base>',
      '"I want to learn to <x.base>," <a> (said|told everyone).',
      'All the others could <x.base>, but <a> could not',
      '<a> dreamed of <x.ing>, day and night',
    ],
    ask: [['What did <a.name> want to learn?', 'to <x.base>', 'other']],
    gist: '<a.name> wanted to <x.base>',
  },
  tryLearn: {
    args: 'a x',
    x: 'skill',
    rule: (w, { a, x }) => void w.expect('learn', a, x),
    say: [
      '<a> tried, but <a.he> <x.fail>',
      'the first time, <a> <x.fail>',
      '<a> tried with all <a.hs> might, but <a.he> <x.fail> and went red',
      '<a> was sure that it was easy, but then <a.he> <x.fail>',
      'when <a> tried, <a.he> <x.fail>, and (somebody laughed|everyone looked|a bird laughed)',
    ],
    ask: [['What happened when <a.name> tried?', '<a.he> <x.fail>', 'other']],
    gist: '<a.name> <x.fail>',
  },
  tip: {
    args: 'a b x',
    x: 'skill',
    rule: (w, { a, b, x }) => {
      w.together(a, b)
      w.expect('learn', a, x)
      w.mark('helps', b, a)
    },
    say: [
      '"You must <x.tip>," said <b.np> to <a.him>.',
      '<b> watched <a.him> and said, "Try to <x.tip>."',
      '"I will show you, <a.name>," said <b.np>, and then <b.he> <x.past>.',
      '"Here is the secret, <a.name>: <x.tip>," said <b.np> $kindly.',
    ],
    ask: [['Who taught <a.name>?', '<b.name>', 'person']],
    gist: '<b.name> helped <a.name>',
  },
  practise: {
    args: 'a x?',
    x: 'skill',
    opener: 'after',
    rule: (w, { a, x }) => void w.expect('learn', a, x),
    say: [
      '<a> practised (in the morning and in the evening|for seven days|in the rain|until the moon came up|every day after supper)[ $tail]',
      'Day after day, <a> practised <x.ing>',
      '<a> fell down (three times and got up four times|five times and got up six times|seven times and got up eight times|nine times and got up ten times)[ $tail]',
      '<a> practised until <a.he> could do it in <a.hs> (sleep|dreams)',
      'each day it went a little better, and <a> did not (give up|stop|lose heart)[ $tail]',
    ],
    ask: [['How did <a.name> get better?', '<a.he> practised', 'other']],
  },
  learned: {
    args: 'a x',
    x: 'skill',
    opener: 'last',
    rule: (w, { a, x }) => w.close('learn', 'learned', a, x),
    say: [
      '<a> could <x.base>!',
      'one morning it worked, and <a> <x.past> (as if it were nothing|all by <a.self>|for the first time)',
      '"Look at me!" (cried|shouted) <a.np>, and <a.he> <x.past>.',
      '<a> <x.past>, and (everyone clapped|nobody laughed now|<a.he> could hardly believe it)',
    ],
    ask: [['What could <a.name> do in the end?', '<x.base>', 'other']],
    gist: '<a.name> could <x.base>',
  },
  prizeGift: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.together(a, b)
      w.thing(o, a, a)
    },
    say: [
      '<a> got <o.a> from <b.him>, who was very proud',
      '"This is for you, because you did not give up, <a.name>," said <b.np> and gave <a.hm> <o.a>.',
      'As a reward, <a> got <o.a> from <b.him>',
    ],
    ask: [['What did <b.name> give to <a.name>?', '<o.a>', 'thing']],
    gist: '<b.name> gave <a.name> <o.a>',
  },
})
