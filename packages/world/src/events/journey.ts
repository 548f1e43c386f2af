/** A journey: an errand, what is in the way, who helps, the arrival. */
import { type Definition, define } from './define.js'

export const journey: Record<string, Definition> = define({
  errand: {
    args: 'a b o p',
    rule: (w, { a, b, o, p }) => {
      w.person(b!)
      w.thing(o, a)
      w.goal = p
      w.open('errand', { a, b, o })
    },
    say: [
      '<a> had to bring <o.a> to <b.intro>, who lived far away <p.in>',
      'Far away <p.in> lived <b.intro>, and <a> wanted to bring <b.hm> <o.a>',
      'A letter came from <b.intro> <p.in>, who asked <a.him> for <o.a>',
      '<a> had <o.a> for <b.intro>, but the way <p.to> was long',
    ],
    ask: [
      ['What did <a.name> bring?', '<o.a>', 'thing'],
      ['Who was the <o.bare> for?', 'for <b.name>', 'person'],
    ],
    gist: '<a.name> had to bring <o.a> to <b.name>',
  },
  setOff: {
    args: 'a o?',
    opener: 'one',
    rule: (w, { a, o }) => {
      w.expect('errand', a)
      w.has(a, o)
    },
    say: [
      '<a> packed (some bread|two apples|a bottle of water|a piece of cheese) and set off with <o>',
      '<a> put <o> in <a.hs> bag and set off',
      '<a> (waved to everyone|shut the door behind <a.hm>|looked back once) and began the long walk',
      '<a> left home (before sunrise|with the first light|with a song) and carried <o> with <a.hm>',
    ],
    gist: '<a.name> set off',
  },
  obstacle: {
    args: 'a x',
    x: 'obstacle',
    rule: (w, { a, x }) => {
      w.expect('errand', a)
      w.open('obstacle', { a, x })
    },
    say: [
      '<a> (had not gone far|had walked for an hour), when <a.he> came to <x>',
      '<a> came to <x> and had to stop',
      'the path ended at <x>, and <a> (stopped|stood still|scratched <a.hs> head)',
      '<a> came around a corner, and there was <x>',
    ],
    ask: [['What was in the way of <a.name>?', '<x>', 'other']],
    gist: '<a.name> came to <x>',
  },
  wayFail: {
    args: 'a x',
    x: 'obstacle',
    rule: (w, { a, x }) => void w.expect('obstacle', a, x),
    say: [
      '<a> <x.fail>, but it did not work',
      'first <a> <x.fail>, but that was no good',
      '<a> <x.fail>, and had to turn back',
    ],
    gist: '<a.name> <x.fail>',
  },
  wayHelp: {
    args: 'a b x',
    x: 'obstacle',
    rule: (w, { a, b, x }) => {
      w.together(a, b)
      w.close('obstacle', 'passed', a, x)
      w.mark('helps', b, a)
    },
    say: [
      '<b> <x.help>, and <a> got to the other side',
      '"I know what to do, <a.name>," said <b.np>, and <b.he> <x.help>.',
      '<b> saw that <a> was in trouble and <x.help>',
      'luckily, <b> <x.help>, and <a> could go on',
    ],
    ask: [
      ['Who helped <a.name>?', '<b.name>', 'person'],
      ['How did <b.name> help?', '<b.he> <x.help>', 'other'],
    ],
    gist: '<b.name> helped <a.name>',
  },
  waySelf: {
    args: 'a x',
    x: 'obstacle',
    rule: (w, { a, x }) => w.close('obstacle', 'passed', a, x),
    say: [
      '<a> (thought hard|had an idea|looked around), and then <a.he> <x.self>',
      '<a> did not give up: <a.he> <x.self>',
      'after some thinking, <a> <x.self>, and the way was free',
    ],
    ask: [['What did <a.name> do then?', '<a.he> <x.self>', 'other']],
    gist: '<a.name> <x.self>',
  },
  arrive: {
    args: 'a p',
    opener: 'last',
    rule: (w, { a, p }) => {
      w.expect('errand', a)
      if (w.isOpen('obstacle', a)) w.fail(`${a!.name} cannot get on`)
      w.reach(p)
      w.at.set(a!, p!)
    },
    say: [
      '<a> (came|got) <p.to>, (tired but happy|with dusty feet|with sore feet and a smile|just before dark)',
      '<a> saw lights in the distance, and soon <a.he> was <p.in>',
      '<a> was <p.in>, and the long walk was over',
    ],
    ask: [['Where did <a.name> arrive?', '<p.in>', 'place']],
    gist: '<a.name> arrived',
  },
  deliver: {
    args: 'a b o',
    rule: (w, { a, b, o }) => {
      w.has(a, o)
      w.close('errand', 'done', a, o, b)
      w.together(a, b)
      w.thing(o, b, b)
    },
    say: [
      '<a> knocked at the door and gave <o.the> to <b.him>',
      '<a> handed <o.the> to <b.him> at the door',
      '"I brought you <o.the>, <b.name>," said <a.np> and (smiled|bowed|laughed).',
      '<a> put <o> into <b.his> hands, and the long errand was done',
    ],
    ask: [['What did <b.name> get?', 'the <o.n>', 'thing']],
    gist: '<b.name> got the <o.bare>',
  },
  welcome: {
    args: 'a b',
    rule: (w, { a, b }) => w.together(a, b),
    say: [
      '<b> hugged <a.him> and made (tea|soup|pancakes|a warm fire|cocoa)',
      '"You came all this way for me, <a.name>?" <b> (asked|said) with wet eyes.',
      '"Sit down and rest, <a.name>," said <b.np>, and there was (warm soup|tea and cake|fresh bread) on the table.',
      '<b> was so happy that <b.he> (danced around the table with <a.him>|hugged <a.him> twice)',
    ],
  },
})
