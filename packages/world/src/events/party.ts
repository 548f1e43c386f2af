/** A surprise: secrets, someone who feels forgotten, and the party. */
import { type Definition, define } from './define.js'

export const party: Record<string, Definition> = define({
  birthday: {
    args: 'a b',
    rule: (w, { a, b }) => {
      w.person(a!)
      w.person(b!)
      w.open('secret', { a, b })
    },
    say: [
      'It was soon the birthday of <b.np>, and <a> wanted to surprise <b.hm> (with a party|as never before|with music and cake|with all the neighbors)',
      '<a> knew that the birthday of <b.np> was (coming|near|only three days away), and <a.he> planned a secret party (with cake|with music|under the stars|for all the friends)',
      '"Tomorrow is the birthday of <b.np>, and we will have a secret party," <a> (whispered|told the others).',
      '<a> wanted to give <b.him> a (birthday party|party) that nobody would forget[ (with balloons|with music|with a big cake|with a hundred candles|in the open air)]',
    ],
    ask: [['Who was the party for?', 'for <b.name>', 'person']],
    gist: '<a.name> planned a party',
  },
  prepare: {
    args: 'a x',
    x: 'chore',
    rule: (w, { a }) => {
      if (!w.isOpen('secret')) w.fail(`nothing is planned that ${a!.name} could prepare`)
    },
    say: [
      '<a> <x.past> (in secret|behind closed doors|very quietly|with great care|and giggled)',
      'In secret, <a> <x.past>',
      '<a> <x.past> and told nobody',
      '<a> got up (early|before the sun) and <x.past>',
    ],
    ask: [['What did <a.name> do for the party?', '<a.he> <x.past>', 'other']],
    gist: '<a.name> <x.past>',
  },
  noTime: {
    args: 'a b',
    rule: w => void w.expect('secret'),
    say: [
      '"I have no time today," <a> told <b.him>.',
      '<a> said that <a.he> was busy when <b> came to play',
      '<a> did not open the door when <b> knocked',
      '"Shall we play?" <b> asked, but <a> shook <a.hs> head and hurried away.',
    ],
    gist: '<a.name> had no time for <b.name>',
  },
  forgotten: {
    args: 'b',
    rule: (w, { b }) => w.open('forgotten', { a: b }),
    say: [
      '<b> (thought|was sure|believed) that everyone had forgotten <b.him>',
      '"Nobody remembers my birthday," <b> (said|whispered) $sadly.',
      '<b> sat alone on a (bench|stone|step), for nobody had said a word about <b.hs> birthday',
      '<b> felt forgotten and (looked at the ground|kicked a little stone|wanted to cry)',
    ],
    ask: [['What did <b.name> think?', 'that everyone had forgotten <b.him>', 'other']],
    gist: '<b.name> felt forgotten',
  },
  fetchFriend: {
    args: 'a b p',
    opener: 'after',
    rule: (w, { a, b, p }) => {
      w.expect('secret')
      w.at.set(a!, p!)
      w.at.set(b!, p!)
    },
    say: [
      '<a> came and (led|brought|took) <b.him> <p.to>',
      '"Close your eyes and come with me," <a> told <b.him>, and they went <p.to>.',
      '<a> took <b.him> by the hand and led <b.hm> <p.to>',
      '<a> asked <b.him> to come <p.to>',
    ],
    ask: [['Where was the party?', '<p.in>', 'place']],
    gist: '<a.name> took <b.name> <p.to>',
  },
  surprise: {
    args: 'b',
    opener: 'sudden',
    rule: (w, { b }) => {
      w.close('secret', 'told')
      w.close('forgotten', 'remembered', b)
    },
    say: [
      '"(Surprise|Hooray)! Happy birthday, <b.name>!" (everyone|the whole crowd|a roomful of friends) (shouted|cried|called).',
      'everyone (jumped out|came out of hiding|threw confetti|lit a candle) and sang for <b.him>',
      'there were (lights|lanterns|flowers|balloons|ribbons) everywhere, and everyone sang for <b.him>',
      '"Happy birthday, <b.name>!" (many|twenty|all the|a dozen|high and low) voices (called|sang|shouted).',
    ],
    gist: 'everyone surprised <b.name>',
  },
  notForgotten: {
    args: 'b',
    rule: (w, { b }) => w.ended('forgotten', 'remembered', b),
    say: [
      '"You did not forget me!" (cried|laughed|said) <b.np>[ and $joy].',
      '<b> did not know whether to laugh or to cry[ and $joy]',
      '<b> put <b.hs> hands to <b.hs> face and $joy',
      '<b> understood at last why everyone had been so busy, and <b.he> $joy',
    ],
  },
})
